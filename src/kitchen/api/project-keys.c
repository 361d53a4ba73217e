/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "project-keys.h"

static JsonObject *create_keys(SignService *signer, const Project *project, GPtrArray *targets, GError **error) {
    g_autofree char *id = g_strdup_printf("create:%" G_GINT64_FORMAT, project->id);
    g_autoptr(JsonObject) request = sign_request_new("create", id, project->namespace_name, project->name, NULL);
    JsonObject *names = json_object_new();

    for (guint i = 0; i < targets->len; i++) {
        const Target *target = targets->pdata[i];

        json_object_set_string_member(names, target->name, target->image_id);
    }
    json_object_set_object_member(request, "targets", names);
    return sign_service_ask(signer, request, NULL, 0, error);
}

JsonObject *project_keys_fetch(SignService *signer, const Project *project, GPtrArray *targets, GError **error) {
    static const char *const wanted[] = {"certificates", "keyRing", "development"};
    g_autoptr(JsonObject) request =
            sign_request_new("certificates", NULL, project->namespace_name, project->name, NULL);
    g_autoptr(GError) failure = NULL;
    g_autoptr(JsonObject) answer = sign_service_ask(signer, request, NULL, 0, &failure);
    JsonObject *keys = NULL;

    if (!answer && g_error_matches(failure, SIGN_SERVICE_ERROR, SIGN_SERVICE_ERROR_UNKNOWN)) {
        g_clear_error(&failure);
        answer = create_keys(signer, project, targets, &failure);
    }
    if (!answer) {
        g_propagate_prefixed_error(
                error, g_steal_pointer(&failure), "Keys of %s/%s: ", project->namespace_name, project->name);
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
