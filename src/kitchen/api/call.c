/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "call.h"

#include <string.h>

#include "base/cleanup.h"
#include "kitchen/model/database/database.h"

#define KIB 1024
#define MIB (1024 * KIB)
#define DEPTH_MAX 16

static const WorkerRoute claim_route = {.method = "POST", .name = "claim", .body_max = 4 * KIB, .end = claim_end};

static const WorkerRoute routes[] = {
        {.method = "GET", .name = "", .when_over = TRUE, .end = state_end},
        {.method = "POST", .name = "inputs", .body_max = 64 * MIB, .end = inputs_end},
        {.method = "POST", .name = "log", .body_max = 4 * MIB, .end = log_end},
        {.method = "POST", .name = "events", .body_max = 4 * MIB, .end = events_end},
        {.method = "GET", .name = "objects", .has_argument = TRUE, .end = object_get_end},
        {.method = "PUT", .name = "objects", .has_argument = TRUE, .begin = object_put_begin, .end = object_put_end},
        {.method = "POST", .name = "sign", .body_max = 256 * KIB, .end = sign_end},
        {.method = "POST", .name = "finish", .when_over = TRUE, .body_max = 1 * MIB, .end = finish_end},
};

static void call_free(gpointer pointer) {
    WorkerCall *call = pointer;

    g_hash_table_unref(call->query);
    job_free(call->job);
    g_free(call->argument);
    g_byte_array_unref(call->body);
    store_upload_free(call->upload);
    g_clear_pointer(&call->response.body, g_bytes_unref);
    cleanup_fd(&call->response.fd);
    g_free(call);
}

WorkerApi *worker_api_new(const WorkerApiSettings *settings) {
    WorkerApi *api = g_new0(WorkerApi, 1);

    api->settings = *settings;
    api->logs = g_strdup(settings->logs);
    api->publish_url = g_strdup(settings->publish_url);
    api->background = background_new(NULL, NULL, call_free);
    return api;
}

void worker_api_free(WorkerApi *api) {
    if (!api)
        return;
    background_free(api->background);
    g_free(api->logs);
    g_free(api->publish_url);
    g_free(api);
}

static void set_body(WorkerCall *call, guint status, const char *type, JsonObject *object) {
    g_autoptr(JsonNode) node = json_node_init_object(json_node_alloc(), object);
    char *text = json_to_string(node, FALSE);

    call->answered = TRUE;
    call->response.status = status;
    call->response.content_type = type;
    call->response.size = (gint64) strlen(text);
    call->response.body = g_bytes_new_take(text, strlen(text));
}

void call_answer(WorkerCall *call, guint status, JsonObject *body) {
    if (!call->answered)
        set_body(call, status, "application/json", body);
}

void call_fail(WorkerCall *call, guint status, const char *format, ...) {
    g_autoptr(JsonObject) body = NULL;
    g_autofree char *detail = NULL;
    va_list arguments;

    if (call->answered)
        return;
    va_start(arguments, format);
    detail = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    body = json_object_new();
    json_object_set_int_member(body, "status", status);
    json_object_set_string_member(body, "detail", detail);
    set_body(call, status, "application/problem+json", body);
    if (status == 503)
        call->response.retry_after = 5;
}

static guint status_of(const GError *error) {
    static const guint of_model[] = {[MODEL_ERROR_INVALID] = 422,
            [MODEL_ERROR_NOT_FOUND] = 404,
            [MODEL_ERROR_STATE] = 409,
            [MODEL_ERROR_DENIED] = 403};

    if (error->domain == MODEL_ERROR)
        return of_model[error->code];
    if (error->domain == DATABASE_ERROR)
        return error->code == DATABASE_ERROR_CONFLICT ? 409 : 503;
    if (error->domain == SIGN_SERVICE_ERROR)
        return error->code == SIGN_SERVICE_ERROR_LATER ? 503 : 422;
    if (g_error_matches(error, G_FILE_ERROR, G_FILE_ERROR_INVAL))
        return 422;
    if (g_error_matches(error, G_FILE_ERROR, G_FILE_ERROR_NOENT))
        return 404;
    if (g_error_matches(error, G_FILE_ERROR, G_FILE_ERROR_NOSPC))
        return 507;
    return 500;
}

void call_fail_error(WorkerCall *call, const GError *error) {
    call_fail(call, status_of(error), "%s", error->message);
}

void call_finish(WorkerCall *call) {
    g_assert(call->answered && call->done);
    call->done(call->user, &call->response);
    call_free(call);
}

gboolean call_is_too_deep(const char *text, gsize size) {
    gboolean quoted = FALSE;
    guint depth = 0;

    for (gsize i = 0; i < size; i++) {
        if (quoted && text[i] == '\\')
            i++;
        else if (text[i] == '"')
            quoted = !quoted;
        else if (!quoted && (text[i] == '[' || text[i] == '{') && ++depth > DEPTH_MAX)
            return TRUE;
        else if (!quoted && (text[i] == ']' || text[i] == '}') && depth > 0)
            depth--;
    }
    return FALSE;
}

JsonObject *call_json(WorkerCall *call) {
    g_autoptr(JsonParser) parser = json_parser_new_immutable();
    g_autoptr(GError) failure = NULL;
    JsonNode *root = NULL;

    if (call_is_too_deep((const char *) call->body->data, call->body->len)) {
        call_fail(call, 400, "The body has more than %d levels", DEPTH_MAX);
        return NULL;
    }
    if (call->body->len == 0 ||
            !json_parser_load_from_data(parser, (const char *) call->body->data, call->body->len, &failure)) {
        call_fail(call, 400, "The body is no JSON: %s", failure ? failure->message : "it is empty");
        return NULL;
    }
    root = json_parser_get_root(parser);
    if (!root || !JSON_NODE_HOLDS_OBJECT(root)) {
        call_fail(call, 400, "The body is no JSON object");
        return NULL;
    }
    return json_object_ref(json_node_get_object(root));
}

const char *json_text(JsonObject *object, const char *name) {
    JsonNode *node = json_object_get_member(object, name);

    return node && JSON_NODE_HOLDS_VALUE(node) && json_node_get_value_type(node) == G_TYPE_STRING
                   ? json_node_get_string(node)
                   : NULL;
}

gint64 json_number(JsonObject *object, const char *name, gint64 fallback) {
    JsonNode *node = json_object_get_member(object, name);

    return node && JSON_NODE_HOLDS_VALUE(node) && json_node_get_value_type(node) == G_TYPE_INT64
                   ? json_node_get_int(node)
                   : fallback;
}

/* "jobs/N", "jobs/N/NAME", "jobs/N/NAME/ARGUMENT": the route; 0 or the job in RET_JOB. */
static const WorkerRoute *find_route(
        WorkerCall *call, const char *method, const char *path, gint64 *ret_job, gboolean *ret_known) {
    g_auto(GStrv) parts = g_strsplit(path, "/", 5);
    guint n = g_strv_length(parts);
    char *end = NULL;

    if (n == 1 && strcmp(parts[0], "claim") == 0) {
        *ret_known = TRUE;
        return strcmp(method, "POST") == 0 ? &claim_route : NULL;
    }
    if (n < 2 || n > 4 || strcmp(parts[0], "jobs") != 0 || !g_ascii_isdigit(parts[1][0]))
        return NULL;
    *ret_job = g_ascii_strtoll(parts[1], &end, 10);
    for (guint i = 0; i < G_N_ELEMENTS(routes) && !*end; i++) {
        const WorkerRoute *route = &routes[i];

        if (strcmp(n > 2 ? parts[2] : "", route->name) != 0 || (n == 4) != route->has_argument)
            continue;
        *ret_known = TRUE;
        if (strcmp(method, route->method) != 0)
            continue;
        call->argument = n == 4 ? g_strdup(parts[3]) : NULL;
        return route;
    }
    return NULL;
}

/* Whose token it is; the answer is set when it is not that of JOB. */
static void authenticate(WorkerCall *call, gint64 job, const char *authorization) {
    g_autoptr(GError) failure = NULL;

    if (!authorization || !g_str_has_prefix(authorization, "Bearer ")) {
        call_fail(call, 401, "A worker needs the token of its job");
        return;
    }
    call->job = job_authenticate(call->api->settings.model, authorization + strlen("Bearer "), &failure);
    /* The same words for a job that is not there and for one of others. */
    if (!call->job && !g_error_matches(failure, MODEL_ERROR, MODEL_ERROR_DENIED))
        call_fail_error(call, failure);
    else if (!call->job || call->job->id != job)
        call_fail(call, 403, "This token is not (any more) of this job");
    else if (job_state_is_final(call->job->state) && !call->route->when_over)
        call_fail(call, 410, "The job is %s: end", job_state_to_string(call->job->state));
}

WorkerCall *worker_call_new(WorkerApi *api, const char *method, const char *path, const char *query,
        const char *authorization, gint64 content_length) {
    WorkerCall *call = g_new0(WorkerCall, 1);
    gboolean known = FALSE;
    gint64 job = 0;

    call->api = api;
    call->content_length = content_length;
    call->response.fd = -1;
    call->body = g_byte_array_new();
    call->query = query ? g_uri_parse_params(query, -1, "&", G_URI_PARAMS_NONE, NULL) : NULL;
    if (!call->query)
        call->query = g_hash_table_new(g_str_hash, g_str_equal);
    call->route = find_route(call, method, *path == '/' ? path + 1 : path, &job, &known);
    if (!call->route) {
        call_fail(call, known ? 405 : 404,
                known ? "This is not asked with %s" : "Workers ask nothing of this name (%s)", method);
        return call;
    }
    if (call->route != &claim_route)
        authenticate(call, job, authorization);
    if (!call->answered && !call->route->begin && content_length > call->route->body_max)
        call_fail(call, 413, "The body has %" G_GINT64_FORMAT " bytes at most", call->route->body_max);
    if (!call->answered && call->route->begin)
        call->route->begin(call);
    return call;
}

gboolean worker_call_write(WorkerCall *call, const void *data, gsize size) {
    g_autoptr(GError) failure = NULL;

    if (call->answered)
        return FALSE;
    if (call->upload) {
        if (!store_upload_write(call->upload, data, size, &failure))
            g_error_matches(failure, STORE_ERROR, STORE_ERROR_TOO_LARGE) ? object_too_large(call)
                                                                         : call_fail_error(call, failure);
        return !call->answered;
    }
    if (size > (guint64) call->route->body_max - call->body->len) {
        call_fail(call, 413, "The body has %" G_GINT64_FORMAT " bytes at most", call->route->body_max);
        return FALSE;
    }
    g_byte_array_append(call->body, data, (guint) size);
    return TRUE;
}

void worker_call_end(WorkerCall *call, WorkerDone done, gpointer user) {
    call->done = done;
    call->user = user;
    if (call->answered)
        call_finish(call);
    else
        call->route->end(call);
}

void worker_call_abort(WorkerCall *call) {
    call_free(call);
}

void call_in_thread(
        WorkerCall *call, BackgroundWork work, BackgroundThen then, gpointer data, GDestroyNotify free_data) {
    background_run(call->api->background, work, then, call, data, free_data);
}

/* All at once. */

typedef struct {
    gboolean done;
    guint status;
    GBytes *body;
} Waiting;

static void take_answer(gpointer user, WorkerResponse *response) {
    Waiting *waiting = user;

    waiting->done = TRUE;
    waiting->status = response->status;
    if (response->body)
        waiting->body = g_bytes_ref(response->body);
}

guint worker_api_ask(
        WorkerApi *api, const char *method, const char *path, const char *token, GBytes *body, GBytes **ret_body) {
    g_auto(GStrv) parts = g_strsplit(path, "?", 2);
    g_autofree char *authorization = token ? g_strconcat("Bearer ", token, NULL) : NULL;
    gsize size = 0;
    gconstpointer data = body ? g_bytes_get_data(body, &size) : NULL;
    WorkerCall *call =
            worker_call_new(api, method, parts[0] ?: "", parts[0] ? parts[1] : NULL, authorization, (gint64) size);
    Waiting waiting = {0};

    if (size > 0 && !worker_call_write(call, data, size))
        g_assert(call->answered);
    worker_call_end(call, take_answer, &waiting);
    while (!waiting.done)
        g_main_context_iteration(NULL, TRUE);
    if (ret_body)
        *ret_body = waiting.body;
    else
        g_clear_pointer(&waiting.body, g_bytes_unref);
    return waiting.status;
}
