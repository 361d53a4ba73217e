/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "call.h"

#include <string.h>
#include <unistd.h>

#include "kitchen/model/builds/builds.h"
#include "kitchen/model/projects/projects.h"
#include "kitchen/model/results/objects.h"
#include "signer/client/protocol.h"

/* What a worker may ask; the rest is the service's own. */
static const char *const types[] = {"verity", "pe", "ipe", "enrolment", "revocation", NULL};

typedef struct {
    SignService *signer;
    JsonObject *request, *answer;
    int descriptors[SIGNER_OBJECTS_MAX];
    guint n;
    gint64 project;
} Signing;

static void signing_free(gpointer data) {
    Signing *signing = data;

    for (guint i = 0; i < signing->n; i++)
        close(signing->descriptors[i]);
    sign_service_unref(signing->signer);
    json_object_unref(signing->request);
    g_clear_pointer(&signing->answer, json_object_unref);
    g_free(signing);
}

static gboolean ask(gpointer data, GError **error) {
    Signing *signing = data;

    signing->answer = sign_service_ask(signing->signer, signing->request, signing->descriptors, signing->n, error);
    return signing->answer != NULL;
}

/* Position of the leaf in the signer's log; -1: not told. */
static gint64 leaf_of(JsonObject *answer) {
    return json_number(answer, "leaf", -1);
}

static gboolean note(WorkerCall *call, const Signing *signing, GError **error) {
    Model *model = call->api->settings.model;
    const char *title = json_text(signing->request, "title");

    return (json_object_get_boolean_member_with_default(signing->answer, "replayed", FALSE) ||
                   signature_note(model, signing->project, call->job->id, json_text(signing->request, "type"),
                           title ?: "", leaf_of(signing->answer), error)) &&
           job_set_wait_reason(model, call->job->id, NULL, error);
}

static void after_ask(gpointer user, gpointer data, const GError *failure) {
    WorkerCall *call = user;
    Signing *signing = data;
    g_autoptr(GError) wrong = NULL;
    g_autoptr(JsonObject) body = json_object_new();
    JsonNode *answers = failure ? NULL : json_object_get_member(signing->answer, "answers");

    if (failure) {
        if (g_error_matches(failure, SIGN_SERVICE_ERROR, SIGN_SERVICE_ERROR_LATER)) {
            g_autofree char *reason = g_strdup_printf("The signer does not sign now: %s", failure->message);
            if (!job_set_wait_reason(call->api->settings.model, call->job->id, reason, &wrong))
                g_warning("%s", wrong->message);
        }
        call_fail_error(call, failure);
    } else if (!answers || !JSON_NODE_HOLDS_OBJECT(answers)) {
        call_fail(call, 502, "The signer answered nothing");
    } else if (!note(call, signing, &wrong)) {
        call_fail_error(call, wrong);
    } else {
        json_object_set_member(body, "answers", json_node_copy(answers));
    }
    call_answer(call, 200, body);
    call_finish(call);
}

/* One object of the request: a descriptor, and how the signer is told of it. */
static gboolean add_object(WorkerCall *call, Signing *signing, JsonNode *node, JsonArray *list, GError **error) {
    JsonObject *object = JSON_NODE_HOLDS_OBJECT(node) ? json_node_get_object(node) : NULL;
    const char *name = object ? json_text(object, "name") : NULL, *digest = object ? json_text(object, "digest") : NULL;
    JsonObject *told = NULL;
    int own = 0;

    if (!name || !digest || signing->n == SIGNER_OBJECTS_MAX) {
        g_set_error(error, MODEL_ERROR, MODEL_ERROR_INVALID, "\"objects\" are at most %d, with name and digest",
                SIGNER_OBJECTS_MAX);
        return FALSE;
    }
    own = object_is_of_job(call->api->settings.model, digest, call->job->id, error);
    if (own < 0)
        return FALSE;
    if (own == 0) {
        g_set_error(error, MODEL_ERROR, MODEL_ERROR_NOT_FOUND, "The job has no object %s: send it first", digest);
        return FALSE;
    }
    signing->descriptors[signing->n] = store_get(call->api->settings.store, digest, NULL, error);
    if (signing->descriptors[signing->n] < 0)
        return FALSE;
    signing->n++;
    told = json_object_new();
    json_object_set_string_member(told, "name", name);
    if (json_object_has_member(object, "offset"))
        json_object_set_int_member(told, "offset", json_number(object, "offset", -1));
    if (json_object_has_member(object, "size"))
        json_object_set_int_member(told, "size", json_number(object, "size", -1));
    json_array_add_object_element(list, told);
    return TRUE;
}

static gboolean add_objects(WorkerCall *call, JsonObject *body, Signing *signing, GError **error) {
    JsonNode *node = json_object_get_member(body, "objects");
    JsonArray *objects = node && JSON_NODE_HOLDS_ARRAY(node) ? json_node_get_array(node) : NULL;
    g_autoptr(JsonArray) list = json_array_new();

    for (guint i = 0; objects && i < json_array_get_length(objects); i++)
        if (!add_object(call, signing, json_array_get_element(objects, i), list, error))
            return FALSE;
    if (json_array_get_length(list) > 0)
        json_object_set_array_member(signing->request, "objects", g_steal_pointer(&list));
    return TRUE;
}

/* The request to the signer: what is the worker's word is what is signed; whose it is, is ours. */
static Signing *make_request(WorkerCall *call, JsonObject *body, GError **error) {
    Model *model = call->api->settings.model;
    g_autoptr(Build) build = build_get(model, call->job->build_id, error);
    g_autoptr(Target) target = build ? target_get(model, call->job->target_id, error) : NULL;
    g_autoptr(Project) project = target ? project_get(model, build->project_id, error) : NULL;
    const char *type = json_text(body, "type"), *title = json_text(body, "title"), *own_id = json_text(body, "id");
    JsonNode *digests = json_object_get_member(body, "digests");
    g_autofree char *job = g_strdup_printf("job-%" G_GINT64_FORMAT, call->job->id);
    g_autofree char *id = NULL;
    Signing *signing = NULL;

    if (!project)
        return NULL;
    if (!type || !g_strv_contains(types, type) || !own_id || strlen(own_id) > 96) {
        g_set_error(error, MODEL_ERROR, MODEL_ERROR_INVALID,
                "Workers ask with an id for verity, pe, ipe, enrolment or revocation");
        return NULL;
    }
    id = g_strdup_printf("%s:%s", job, own_id);
    signing = g_new0(Signing, 1);
    signing->signer = sign_service_ref(call->api->settings.signer);
    signing->project = project->id;
    signing->request = sign_request_new(type, id, project->namespace_name, project->name, target->name);
    json_object_set_string_member(signing->request, "job", job);
    json_object_set_string_member(signing->request, "imageVersion", build->version);
    if (!project->is_public)
        json_object_set_boolean_member(signing->request, "private", TRUE);
    if (title)
        json_object_set_string_member(signing->request, "title", title);
    if (digests)
        json_object_set_member(signing->request, "digests", json_node_copy(digests));
    if (add_objects(call, body, signing, error))
        return signing;
    signing_free(signing);
    return NULL;
}

void sign_end(WorkerCall *call) {
    g_autoptr(JsonObject) body = call_json(call);
    g_autoptr(GError) failure = NULL;
    Signing *signing = NULL;

    if (body && call->job->state != JOB_RUNNING)
        call_fail(call, 409, "Only a job that runs asks for signatures");
    if (!call->answered)
        signing = make_request(call, body, &failure);
    if (failure)
        call_fail_error(call, failure);
    if (signing)
        call_in_thread(call, ask, after_ask, signing, signing_free);
    else
        call_finish(call);
}
