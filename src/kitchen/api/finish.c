/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "call.h"

#include <string.h>
#include <sys/stat.h>

#include "kitchen/model/results/objects.h"

#define ARTIFACTS_MAX 500

/* Whether NAME can be published: one part of a path, of plain characters. */
static gboolean is_plain_name(const char *name) {
    gsize size = name ? strlen(name) : 0;

    return size > 0 && size <= 200 && g_ascii_isalnum(name[0]) &&
           strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._+@~-") == size;
}

static gboolean add_artifact(WorkerCall *call, JsonNode *node, GError **error) {
    Model *model = call->api->settings.model;
    JsonObject *object = JSON_NODE_HOLDS_OBJECT(node) ? json_node_get_object(node) : NULL;
    const char *name = object ? json_text(object, "name") : NULL, *kind = object ? json_text(object, "kind") : NULL,
               *digest = object ? json_text(object, "digest") : NULL;
    g_autoptr(GError) failure = NULL;
    Artifact artifact = {
            .job_id = call->job->id, .name = (char *) name, .kind = (char *) kind, .digest = (char *) digest};

    if (!is_plain_name(name) || !kind || !digest) {
        g_set_error(error, MODEL_ERROR, MODEL_ERROR_INVALID,
                "An artifact has a name of letters, digits and ._+@~-, a kind and a digest");
        return FALSE;
    }
    artifact.size = object_size(model, digest, &failure);
    return model_check(failure, error) && artifact_add(model, &artifact, error);
}

static gboolean finish_done(WorkerCall *call, JsonObject *body, GError **error) {
    Model *model = call->api->settings.model;
    g_autoptr(DatabaseTransaction) transaction = database_begin(model_database(model), error);
    JsonNode *node = json_object_get_member(body, "artifacts");
    JsonArray *list = node && JSON_NODE_HOLDS_ARRAY(node) ? json_node_get_array(node) : NULL;
    guint n = list ? json_array_get_length(list) : 0;

    if (!transaction)
        return FALSE;
    if (n == 0 || n > ARTIFACTS_MAX) {
        g_set_error(error, MODEL_ERROR, MODEL_ERROR_INVALID, "A job that is done has 1 to %d artifacts", ARTIFACTS_MAX);
        return FALSE;
    }
    for (guint i = 0; i < n; i++)
        if (!add_artifact(call, json_array_get_element(list, i), error))
            return FALSE;
    return job_transition(model, call->job->id, JOB_UPLOADED, NULL, error) && database_commit(transaction, error);
}

static gboolean finish_failed(WorkerCall *call, JsonObject *body, GError **error) {
    int failure = failure_from_string(json_text(body, "failure"));
    JobChange change = {.failure = failure > 0 ? (FailureKind) failure : FAILURE_SCRIPT,
            .detail = json_text(body, "detail"),
            .failing_lines = json_text(body, "failingLines")};

    return job_transition(call->api->settings.model, call->job->id, JOB_FAILED, &change, error);
}

/* What the job's page says from now on. */
static gboolean note_log(WorkerCall *call, GError **error) {
    g_autofree char *path = worker_api_log_path(call->api->logs, call->job->id);
    struct stat about;

    return stat(path, &about) < 0 || job_set_log_size(call->api->settings.model, call->job->id, about.st_size, error);
}

void finish_end(WorkerCall *call) {
    g_autoptr(JsonObject) body = call_json(call);
    g_autoptr(JsonObject) answer = json_object_new();
    g_autoptr(GError) failure = NULL;
    const char *state = body ? json_text(body, "state") : NULL;
    gboolean ok = TRUE;

    /* It said so before, or somebody ended it: there is nothing more to do for the worker. */
    if (body && !job_state_is_final(call->job->state) && call->job->state != JOB_UPLOADED) {
        if (g_strcmp0(state, "done") == 0 && !call->job->cancel)
            ok = finish_done(call, body, &failure);
        else if (g_strcmp0(state, "failed") == 0 && !call->job->cancel)
            ok = finish_failed(call, body, &failure);
        else if (g_strcmp0(state, "cancelled") == 0 || call->job->cancel)
            ok = job_transition(call->api->settings.model, call->job->id, JOB_CANCELLED, NULL, &failure);
        else
            call_fail(call, 422, "A job is done, failed or cancelled");
    }
    if (ok && !call->answered)
        ok = note_log(call, &failure);
    if (!ok)
        call_fail_error(call, failure);
    json_object_set_string_member(answer, "state", state ?: "");
    call_answer(call, 200, answer);
    call_finish(call);
}
