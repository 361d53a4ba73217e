/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "signer/request/request.h"

#include <string.h>

#include "signer/client/packet.h"
#include "signer/text/error.h"
#include "signer/text/text.h"

#define ID_MAX 128
#define JOB_MAX 64

#define COMMON "version type "
#define LOGGED COMMON "id namespace project "
#define PRIVATE "private "
#define OF_JOB LOGGED "target job imageVersion "

/* Members that have to be there, and that may be. */
static const struct {
    const char *name, *needed, *allowed;
} types[SIGNER_N_TYPES] = {
        [SIGNER_VERITY] = {"verity", OF_JOB "objects", PRIVATE "title"},
        [SIGNER_PE] = {"pe", OF_JOB "objects title", PRIVATE},
        [SIGNER_IPE] = {"ipe", OF_JOB "objects", PRIVATE "title"},
        [SIGNER_ENROLMENT] = {"enrolment", OF_JOB "objects title", PRIVATE},
        [SIGNER_ADDITION] = {"addition", OF_JOB, PRIVATE},
        [SIGNER_REVOCATION] = {"revocation", OF_JOB "digests", PRIVATE},
        [SIGNER_MANIFEST] = {"manifest", OF_JOB "channel entries", PRIVATE "bestBefore approvals"},
        [SIGNER_CREATE] = {"create", LOGGED "targets", PRIVATE "development keys commandLineAllow signaturesPerHour"},
        [SIGNER_TARGET] = {"target", LOGGED "targets", PRIVATE},
        [SIGNER_WITHDRAW] = {"withdraw", LOGGED "imageVersion", PRIVATE},
        [SIGNER_CERTIFICATES] = {"certificates", COMMON "namespace project", "id"},
        [SIGNER_STATUS] = {"status", COMMON, "id"},
        [SIGNER_LOG] = {"log", COMMON "first", "id"},
};

const char *signer_type_to_string(SignerType type) {
    return types[type].name;
}

int signer_type_from_string(const char *name) {
    for (int i = 0; i < SIGNER_N_TYPES; i++)
        if (g_strcmp0(name, types[i].name) == 0)
            return i;
    return -1;
}

void signer_request_free(SignerRequest *request) {
    if (!request)
        return;
    g_clear_pointer(&request->json, json_object_unref);
    g_free(request->owner);
    g_free(request);
}

const char *signer_json_get_string(JsonObject *object, const char *name) {
    JsonNode *node = json_object_get_member(object, name);
    return node && json_node_get_value_type(node) == G_TYPE_STRING ? json_node_get_string(node) : NULL;
}

gint64 signer_json_get_number(JsonObject *object, const char *name) {
    JsonNode *node = json_object_get_member(object, name);
    return node && json_node_get_value_type(node) == G_TYPE_INT64 ? json_node_get_int(node) : -1;
}

const char *signer_request_get_string(const SignerRequest *request, const char *name) {
    return signer_json_get_string(request->json, name);
}

JsonArray *signer_request_get_array(const SignerRequest *request, const char *name) {
    JsonNode *node = json_object_get_member(request->json, name);
    return node && JSON_NODE_HOLDS_ARRAY(node) ? json_node_get_array(node) : NULL;
}

JsonObject *signer_request_get_object(const SignerRequest *request, const char *name) {
    JsonNode *node = json_object_get_member(request->json, name);
    return node && JSON_NODE_HOLDS_OBJECT(node) ? json_node_get_object(node) : NULL;
}

static gboolean check_members(const SignerRequest *request, GError **error) {
    g_auto(GStrv) needed = g_strsplit(types[request->type].needed, " ", -1);
    g_auto(GStrv) allowed = g_strsplit(types[request->type].allowed, " ", -1);
    g_autoptr(GList) names = json_object_get_members(request->json);

    for (const GList *name = names; name; name = name->next)
        if (!g_strv_contains((const char *const *) needed, name->data) &&
                !g_strv_contains((const char *const *) allowed, name->data))
            return signer_refuse(error, SIGNER_ERROR_MALFORMED, "A request of the type %s has no member '%.64s'",
                    types[request->type].name, (const char *) name->data);
    for (char **name = needed; *name; name++)
        if (**name && !json_object_has_member(request->json, *name))
            return signer_refuse(error, SIGNER_ERROR_MALFORMED, "A request of the type %s has to say '%s'",
                    types[request->type].name, *name);
    return TRUE;
}

/* A member that is there has to be GOOD. */
static gboolean check(const SignerRequest *request, const char *name, gboolean good, GError **error) {
    if (good || !json_object_has_member(request->json, name))
        return TRUE;
    return signer_refuse(error, SIGNER_ERROR_MALFORMED, "'%s' of the request is not as it has to be", name);
}

static gboolean is_boolean(const SignerRequest *request, const char *name) {
    JsonNode *node = json_object_get_member(request->json, name);
    return node && json_node_get_value_type(node) == G_TYPE_BOOLEAN;
}

static gboolean read_members(SignerRequest *request, GError **error) {
    request->id = signer_request_get_string(request, "id");
    request->namespace = signer_request_get_string(request, "namespace");
    request->project = signer_request_get_string(request, "project");
    request->target = signer_request_get_string(request, "target");
    request->job = signer_request_get_string(request, "job");
    request->version = signer_request_get_string(request, "imageVersion");
    request->title = signer_request_get_string(request, "title");
    if (request->namespace && request->project)
        request->owner = g_strdup_printf("%s/%s", request->namespace, request->project);
    return check(request, "id", signer_is_id(request->id, ID_MAX), error) &&
           check(request, "namespace", signer_is_name(request->namespace), error) &&
           check(request, "project", signer_is_name(request->project), error) &&
           check(request, "target", signer_is_name(request->target), error) &&
           check(request, "job", signer_is_id(request->job, JOB_MAX), error) &&
           check(request, "imageVersion", signer_is_version(request->version, NULL), error) &&
           check(request, "title", signer_is_title(request->title), error) &&
           check(request, "channel", signer_is_name(signer_request_get_string(request, "channel")), error) &&
           check(request, "private", is_boolean(request, "private"), error) &&
           check(request, "first", signer_json_get_number(request->json, "first") >= 0, error) &&
           check(request, "objects", signer_request_get_array(request, "objects") != NULL, error) &&
           check(request, "entries", signer_request_get_array(request, "entries") != NULL, error) &&
           check(request, "approvals", signer_request_get_array(request, "approvals") != NULL, error) &&
           check(request, "digests", signer_request_get_array(request, "digests") != NULL, error) &&
           check(request, "targets", signer_request_get_object(request, "targets") != NULL, error);
}

SignerRequest *signer_request_new(const char *text, gsize size, GError **error) {
    g_autoptr(GError) problem = NULL;
    g_autoptr(SignerRequest) request = g_new0(SignerRequest, 1);

    if (!(request->json = signer_packet_parse(text, size, &problem))) {
        signer_refuse_because(error, g_steal_pointer(&problem), SIGNER_ERROR_MALFORMED, "The request cannot be read");
        return NULL;
    }
    int type = signer_type_from_string(signer_request_get_string(request, "type"));
    if (signer_json_get_number(request->json, "version") != SIGNER_PROTOCOL_VERSION) {
        signer_refuse(error, SIGNER_ERROR_MALFORMED, "The request is of another version of the protocol than %d",
                SIGNER_PROTOCOL_VERSION);
        return NULL;
    }
    if (type < 0) {
        signer_refuse(error, SIGNER_ERROR_MALFORMED, "The request is of a type that the signer does not know");
        return NULL;
    }
    request->type = (SignerType) type;
    return check_members(request, error) && read_members(request, error) ? g_steal_pointer(&request) : NULL;
}
