/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "project-keys.h"

#include <string.h>

#include "base/hex.h"
#include "base/sha256.h"

static JsonObject *name_targets(GPtrArray *targets) {
    JsonObject *names = json_object_new();

    for (guint i = 0; i < targets->len; i++) {
        const Target *target = targets->pdata[i];

        json_object_set_string_member(names, target->name, target->image_id);
    }
    return names;
}

static JsonObject *create_keys(
        SignService *signer, const Project *project, GPtrArray *targets, gboolean development, GError **error) {
    g_autofree char *id = g_strdup_printf("create:%" G_GINT64_FORMAT, project->id);
    g_autoptr(JsonObject) request = sign_request_new("create", id, project->namespace_name, project->name, NULL);

    json_object_set_object_member(request, "targets", name_targets(targets));
    if (development)
        json_object_set_boolean_member(request, "development", TRUE);
    if (!project->is_public)
        json_object_set_boolean_member(request, "private", TRUE);
    return sign_service_ask(signer, request, NULL, 0, error);
}

/* An ID that is the same for the same targets: the signer hears of them once. */
static char *targets_id(const Project *project, GPtrArray *targets) {
    g_autoptr(Sha256) sha = sha256_new();
    g_autofree char *hex = NULL;
    guint8 digest[SHA256_SIZE];

    for (guint i = 0; i < targets->len; i++) {
        const Target *target = targets->pdata[i];

        sha256_update(sha, target->name, strlen(target->name) + 1);
        sha256_update(sha, target->image_id, strlen(target->image_id) + 1);
    }
    sha256_finish(sha, digest);
    hex = hex_encode(digest, 16);
    return g_strdup_printf("target:%" G_GINT64_FORMAT ":%s", project->id, hex);
}

/* Targets that came after the keys were made. Of projects that are not in development an administrator of the signer adds
 * them; what is refused here is refused again, with words, when the target is signed. */
static gboolean add_targets(SignService *signer, const Project *project, GPtrArray *targets, GError **error) {
    g_autofree char *id = targets_id(project, targets);
    g_autoptr(JsonObject) request = sign_request_new("target", id, project->namespace_name, project->name, NULL);
    g_autoptr(JsonObject) answer = NULL;
    g_autoptr(GError) failure = NULL;

    json_object_set_object_member(request, "targets", name_targets(targets));
    if (!project->is_public)
        json_object_set_boolean_member(request, "private", TRUE);
    answer = sign_service_ask(signer, request, NULL, 0, &failure);
    if (answer || !g_error_matches(failure, SIGN_SERVICE_ERROR, SIGN_SERVICE_ERROR_LATER))
        return TRUE;
    g_propagate_error(error, g_steal_pointer(&failure));
    return FALSE;
}

static JsonObject *ask(
        SignService *signer, const Project *project, GPtrArray *targets, gboolean development, GError **error) {
    g_autoptr(JsonObject) request =
            sign_request_new("certificates", NULL, project->namespace_name, project->name, NULL);
    g_autoptr(GError) failure = NULL;
    g_autoptr(JsonObject) answer = sign_service_ask(signer, request, NULL, 0, &failure);

    if (!answer && g_error_matches(failure, SIGN_SERVICE_ERROR, SIGN_SERVICE_ERROR_UNKNOWN))
        return create_keys(signer, project, targets, development, error);
    if (!answer) {
        g_propagate_error(error, g_steal_pointer(&failure));
        return NULL;
    }
    if (json_object_get_boolean_member_with_default(answer, "development", FALSE) &&
            !add_targets(signer, project, targets, error))
        return NULL;
    return g_steal_pointer(&answer);
}

JsonObject *project_keys_fetch(
        SignService *signer, const Project *project, GPtrArray *targets, gboolean development, GError **error) {
    static const char *const wanted[] = {"certificates", "keyRing", "development"};
    g_autoptr(JsonObject) answer = ask(signer, project, targets, development, error);
    JsonObject *keys = NULL;

    if (!answer) {
        g_prefix_error(error, "Keys of %s/%s: ", project->namespace_name, project->name);
        return NULL;
    }
    keys = json_object_new();
    for (guint i = 0; i < G_N_ELEMENTS(wanted); i++) {
        JsonNode *member = json_object_get_member(answer, wanted[i]);

        if (member)
            json_object_set_member(keys, wanted[i], json_node_copy(member));
    }
    return keys;
}
