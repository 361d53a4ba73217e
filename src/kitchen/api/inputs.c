/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "call.h"

#include "base/cleanup.h"
#include "base/io.h"
#include "kitchen/model/builds/builds.h"
#include "kitchen/model/builds/repositories.h"
#include "kitchen/model/builds/sources.h"
#include "kitchen/model/projects/projects.h"
#include "kitchen/model/results/objects.h"

/* Repositories of a project that are watched. */
#define REPOSITORIES_MAX 100

static void decide(WorkerCall *call, gboolean build, const char *reason) {
    g_autoptr(JsonObject) body = json_object_new();

    json_object_set_string_member(body, "decision", build ? "build" : "skip");
    if (reason)
        json_object_set_string_member(body, "reason", reason);
    call_answer(call, 200, body);
}

/* The bytes of an object; NULL with ERROR set. */
static GBytes *read_object(Store *store, const char *digest, GError **error) {
    gint64 size = 0;
    AUTO_FD fd = store_get(store, digest, &size, error);
    g_autofree char *data = fd >= 0 ? g_malloc((gsize) size + 1) : NULL;

    if (fd < 0 || !pread_all(fd, data, (gsize) size, 0, error))
        return NULL;
    return g_bytes_new_take(g_steal_pointer(&data), (gsize) size);
}

/* The repositories that INPUTS name, so that they can be watched. What is no input set names none. */
static GPtrArray *list_repositories(GBytes *inputs) {
    GPtrArray *list = g_ptr_array_new_with_free_func((GDestroyNotify) repository_free);
    gsize size = 0;
    const char *text = g_bytes_get_data(inputs, &size);
    g_autoptr(JsonParser) parser = json_parser_new_immutable();
    JsonNode *root = NULL, *node = NULL;

    if (call_is_too_deep(text, size) || !json_parser_load_from_data(parser, text, (gssize) size, NULL))
        return list;
    root = json_parser_get_root(parser);
    node = root && JSON_NODE_HOLDS_OBJECT(root) ? json_object_get_member(json_node_get_object(root), "repositories")
                                                : NULL;
    for (guint i = 0; node && JSON_NODE_HOLDS_ARRAY(node) && i < json_array_get_length(json_node_get_array(node));
            i++) {
        JsonNode *element = json_array_get_element(json_node_get_array(node), i);
        JsonObject *object = JSON_NODE_HOLDS_OBJECT(element) ? json_node_get_object(element) : NULL;
        const char *url = object ? json_text(object, "metadata") : NULL;

        if (url && list->len < REPOSITORIES_MAX)
            g_ptr_array_add(list, repository_new(url, json_text(object, "digest")));
    }
    return list;
}

/* The body as an object of the job and its input set. */
static gboolean keep(WorkerCall *call, gint64 project, GBytes *inputs, GError **error) {
    const WorkerApiSettings *kitchen = &call->api->settings;
    g_autofree char *digest = NULL;
    g_autoptr(GPtrArray) repositories = NULL;
    g_autoptr(DatabaseTransaction) transaction = NULL;

    if (g_bytes_get_size(inputs) == 0)
        return TRUE;
    repositories = list_repositories(inputs);
    return store_add_bytes(kitchen->store, inputs, &digest, error) &&
           (transaction = database_begin(model_database(kitchen->model), error)) &&
           object_note(kitchen->model, digest, (gint64) g_bytes_get_size(inputs), call->job->id, error) &&
           input_set_put(kitchen->model, call->job->id, digest, error) &&
           project_set_repositories(kitchen->model, project, repositories, error) &&
           database_commit(transaction, error);
}

static BuildReason *cause_of(const Build *build) {
    g_autofree char *text = NULL;

    if (g_strcmp0(build->cause, "manual") == 0)
        text = g_strdup_printf("%s asked for it", build->caused_by ?: "Somebody");
    else
        text = g_strdup_printf(
                "Nothing was published before%s%s", build->caused_by ? "; started by " : "", build->caused_by ?: "");
    return build_reason_new(g_strcmp0(build->cause, "manual") == 0 ? "manual" : "first", text, 0);
}

/* What differs from the last published build, in REASONS; RET_SINCE receives its number, 0: there is none, or nothing to
 * compare. */
static gboolean compare(
        WorkerCall *call, const Build *build, GBytes *inputs, GPtrArray *reasons, gint64 *ret_since, GError **error) {
    const WorkerApiSettings *kitchen = &call->api->settings;
    g_autoptr(GError) failure = NULL;
    g_autoptr(Build) published = NULL;
    g_autoptr(GBytes) before = NULL;
    gint64 since = 0;
    g_autofree char *digest = input_set_published(kitchen->model, call->job->target_id, &since, &failure);

    *ret_since = 0;
    if (!model_check(failure, error))
        return FALSE;
    if (!digest || g_bytes_get_size(inputs) == 0 || !store_has(kitchen->store, digest))
        return TRUE;
    published = build_get(kitchen->model, since, error);
    before = published ? read_object(kitchen->store, digest, error) : NULL;
    if (!before || !kitchen->compare(kitchen->compare_user, before, inputs, reasons, error) ||
            !build_sources_compare(kitchen->model, published->id, build->id, reasons, error))
        return FALSE;
    *ret_since = published->number;
    return TRUE;
}

/* Another target of this build is built already: then this one is, too. */
static gboolean sibling_is_built(WorkerCall *call, gboolean *ret_built, GError **error) {
    g_autoptr(GPtrArray) jobs = job_list(call->api->settings.model, call->job->build_id, error);

    *ret_built = FALSE;
    for (guint i = 0; jobs && i < jobs->len; i++) {
        const Job *job = jobs->pdata[i];

        if (job->id != call->job->id && !job->skipped &&
                (job->state == JOB_RUNNING || job->state == JOB_UPLOADED || job->state == JOB_DONE))
            *ret_built = TRUE;
    }
    return jobs != NULL;
}

/* The last build that failed with the same inputs as BUILD, in RET_FAILED; NULL: there is none. */
static gboolean find_same_failure(
        WorkerCall *call, const Build *build, GBytes *inputs, Build **ret_failed, GError **error) {
    const WorkerApiSettings *kitchen = &call->api->settings;
    g_autoptr(GPtrArray) differences = g_ptr_array_new_with_free_func((GDestroyNotify) build_reason_free);
    g_autoptr(GError) failure = NULL;
    g_autoptr(Build) failed = NULL;
    g_autoptr(GBytes) before = NULL;
    gint64 id = 0;
    g_autofree char *digest = input_set_failed(kitchen->model, call->job->target_id, &id, &failure);

    *ret_failed = NULL;
    if (!model_check(failure, error))
        return FALSE;
    if (!digest || g_bytes_get_size(inputs) == 0 || !store_has(kitchen->store, digest))
        return TRUE;
    failed = build_get(kitchen->model, id, error);
    before = failed ? read_object(kitchen->store, digest, error) : NULL;
    if (!before || !kitchen->compare(kitchen->compare_user, before, inputs, differences, error) ||
            !build_sources_compare(kitchen->model, failed->id, build->id, differences, error))
        return FALSE;
    if (differences->len == 0)
        *ret_failed = g_steal_pointer(&failed);
    return TRUE;
}

/* It would fail again. Who thinks otherwise asks for it. */
static gboolean fail_like(WorkerCall *call, const Build *failed, GError **error) {
    g_autofree char *detail = g_strdup_printf("Same as failed #%" G_GINT64_FORMAT "%s%s", failed->number,
            failed->detail ? ": " : "", failed->detail ?: "");
    JobChange change = {.failure = failed->failure, .detail = detail, .same_as = failed->id};

    if (!job_transition(call->api->settings.model, call->job->id, JOB_FAILED, &change, error))
        return FALSE;
    decide(call, FALSE, detail);
    return TRUE;
}

static gboolean skip(WorkerCall *call, gint64 since, GError **error) {
    g_autofree char *reason = g_strdup_printf("Nothing changed since #%" G_GINT64_FORMAT, since);
    JobChange change = {.skipped = TRUE, .detail = reason};

    if (!job_transition(call->api->settings.model, call->job->id, JOB_DONE, &change, error))
        return FALSE;
    decide(call, FALSE, reason);
    return TRUE;
}

static gboolean answer(WorkerCall *call, GBytes *inputs, GError **error) {
    Model *model = call->api->settings.model;
    g_autoptr(Build) build = build_get(model, call->job->build_id, error);
    g_autoptr(GPtrArray) reasons = g_ptr_array_new_with_free_func((GDestroyNotify) build_reason_free);
    g_autoptr(DatabaseTransaction) transaction = NULL;
    g_autoptr(Build) failed = NULL;
    gboolean forced = call->job->force, built = FALSE;
    gint64 since = 0;

    if (!build || !keep(call, build->project_id, inputs, error) ||
            !compare(call, build, inputs, reasons, &since, error))
        return FALSE;
    if (since > 0 && reasons->len == 0 && !forced) {
        if (!sibling_is_built(call, &built, error))
            return FALSE;
        if (!built)
            return skip(call, since, error);
    }
    if (!forced && (since == 0 || reasons->len > 0) && !find_same_failure(call, build, inputs, &failed, error))
        return FALSE;
    if (failed)
        return fail_like(call, failed, error);
    if (since == 0 || g_strcmp0(build->cause, "manual") == 0)
        g_ptr_array_insert(reasons, 0, cause_of(build));
    transaction = database_begin(model_database(model), error);
    if (!transaction || !build_set_reasons(model, build->id, call->job->target_id, reasons, error) ||
            !job_transition(model, call->job->id, JOB_RUNNING, NULL, error) || !database_commit(transaction, error))
        return FALSE;
    decide(call, TRUE, NULL);
    return TRUE;
}

void inputs_end(WorkerCall *call) {
    g_autoptr(GBytes) inputs = g_bytes_new(call->body->data, call->body->len);
    g_autoptr(GError) failure = NULL;

    /* The answer of before was lost. */
    if (call->job->state == JOB_RUNNING)
        decide(call, TRUE, NULL);
    else if (!answer(call, inputs, &failure))
        call_fail_error(call, failure);
    call_finish(call);
}
