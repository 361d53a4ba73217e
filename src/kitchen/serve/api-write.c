/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "api.h"

#include <string.h>

#include "base/hex.h"
#include "base/sha256.h"
#include "kitchen/model/database/idempotency.h"
#include "kitchen/model/database/model.h"
#include "kitchen/serve/api-answer.h"
#include "kitchen/serve/api-change.h"
#include "text/json-shape.h"
#include "text/recipe-values.h"

#define MAX_DEPTH 8
#define KEY_MAX 128

JsonNode *api_read_body(Visit *visit) {
    g_autoptr(JsonParser) parser = json_parser_new();
    g_autoptr(GError) error = NULL;
    g_autoptr(GBytes) body = http_request_body(visit->http);
    SoupMessageHeaders *headers = soup_server_message_get_request_headers(visit->http->message);
    gsize size = 0;
    const char *text = g_bytes_get_data(body, &size);

    if (size > 0 && g_strcmp0(soup_message_headers_get_content_type(headers, NULL), "application/json") != 0) {
        api_problem(visit, SOUP_STATUS_UNSUPPORTED_MEDIA_TYPE, "No JSON", "Send the body as application/json.");
        return NULL;
    }
    if (size == 0) {
        text = "{}";
        size = 2;
    }
    if (!json_shape_check(text, size, MAX_DEPTH, &error) ||
            !json_parser_load_from_data(parser, text, (gssize) size, &error)) {
        api_problem(visit, SOUP_STATUS_BAD_REQUEST, "No JSON", error->message);
        return NULL;
    }
    if (!json_parser_get_root(parser) || !JSON_NODE_HOLDS_OBJECT(json_parser_get_root(parser))) {
        api_problem(visit, SOUP_STATUS_BAD_REQUEST, "No object", "Send a JSON object.");
        return NULL;
    }
    return json_parser_steal_root(parser);
}

const char *api_member(JsonNode *body, const char *name, const char *fallback) {
    JsonNode *node = json_object_get_member(json_node_get_object(body), name);

    return node && JSON_NODE_HOLDS_VALUE(node) && json_node_get_value_type(node) == G_TYPE_STRING
                   ? json_node_get_string(node)
                   : fallback;
}

static gboolean member_is(JsonNode *body, const char *name, gboolean fallback) {
    JsonNode *node = json_object_get_member(json_node_get_object(body), name);

    return node && JSON_NODE_HOLDS_VALUE(node) && json_node_get_value_type(node) == G_TYPE_BOOLEAN
                   ? json_node_get_boolean(node)
                   : fallback;
}

/* What makes two requests the same. */
static char *request_digest(Visit *visit) {
    g_autoptr(Sha256) sha = sha256_new();
    g_autoptr(GBytes) body = http_request_body(visit->http);
    guint8 digest[SHA256_SIZE];
    gsize size = 0;
    const void *data = g_bytes_get_data(body, &size);

    sha256_update(sha, visit->http->method, strlen(visit->http->method) + 1);
    sha256_update(sha, visit->http->path, strlen(visit->http->path) + 1);
    sha256_update(sha, data, size);
    sha256_finish(sha, digest);
    return hex_encode(digest, sizeof(digest));
}

static void answer_text(Visit *visit, guint status, const char *text) {
    g_autoptr(GBytes) bytes = g_bytes_new(text, strlen(text));

    http_answer(visit->http, status, "application/json", bytes);
}

void api_run_once(Visit *visit, const ProjectView *project, JsonNode *body, ApiAction action) {
    g_autoptr(GError) error = NULL;
    g_autoptr(DatabaseTransaction) transaction = NULL;
    const char *key = http_request_header(visit->http, "Idempotency-Key");
    g_autofree char *digest = request_digest(visit);
    g_autofree char *text = NULL;
    guint status = SOUP_STATUS_ACCEPTED;

    if (key && (!key[0] || strlen(key) > KEY_MAX)) {
        api_problem(visit, SOUP_STATUS_BAD_REQUEST, "No key", "An Idempotency-Key has 1 to 128 characters.");
        return;
    }
    transaction = database_begin(visit->site->database, &error);
    if (key && transaction)
        text = idempotency_find(visit->site->database, visit->user->id, key, digest, visit->now, &status, &error);
    if (text) {
        answer_text(visit, status, text);
        return;
    }
    if (error || !action(visit, project, body, &text, &error) ||
            (key && !idempotency_keep(
                            visit->site->database, visit->user->id, key, digest, status, text, visit->now, &error)) ||
            !database_commit(transaction, &error)) {
        api_error(visit, error);
        return;
    }
    answer_text(visit, status, text);
}

static gboolean create(Visit *visit, const ProjectView *none, JsonNode *body, char **ret_text, GError **error) {
    const SiteEngine *engine = visit->site->engine;
    const char *space = api_member(body, "namespace", visit->user->name);
    const char *name = api_member(body, "name", "");
    gint64 id = namespace_id_of(visit->site->database, space, error);

    if (!engine->create(engine->user, id, name, api_member(body, "url", ""), api_member(body, "branch", "main"),
                api_member(body, "directory", ""), api_member(body, "profiles", ""), member_is(body, "public", TRUE), 0,
                visit->user->id, error))
        return FALSE;
    *ret_text = g_strdup_printf("{\"namespace\":\"%s\",\"name\":\"%s\"}\n", space, name);
    return TRUE;
}

void api_create_project(Visit *visit) {
    g_autoptr(GError) error = NULL;
    g_autoptr(JsonNode) body = NULL;
    gint64 space = 0;
    Role role = ROLE_NONE;

    if (!api_may(visit, SCOPE_BUILD) || !(body = api_read_body(visit)))
        return;
    space = namespace_id_of(visit->site->database, api_member(body, "namespace", visit->user->name), &error);
    if (space)
        role = visit_role(visit, space, 0, &error);
    if (error)
        api_error(visit, error);
    else if (role < ROLE_MAINTAINER)
        api_problem(visit, SOUP_STATUS_FORBIDDEN, "Not allowed",
                "You (or the token) do not maintain that namespace: choose one of yours.");
    else
        api_run_once(visit, NULL, body, create);
}

static gboolean fork_project(
        Visit *visit, const ProjectView *project, JsonNode *body, char **ret_text, GError **error) {
    const SiteEngine *engine = visit->site->engine;
    const char *name = api_member(body, "name", project->name);
    gint64 space = namespace_id_of(visit->site->database, visit->user->name, error);

    if (!engine->create(engine->user, space, name, api_member(body, "url", project->url),
                api_member(body, "branch", project->branch), project->directory, NULL, project->is_public, project->id,
                visit->user->id, error))
        return FALSE;
    *ret_text = g_strdup_printf("{\"namespace\":\"%s\",\"name\":\"%s\"}\n", visit->user->name, name);
    return TRUE;
}

void api_fork(Visit *visit) {
    g_autoptr(GError) error = NULL;
    g_autoptr(ProjectView) project = api_may(visit, SCOPE_BUILD) ? api_find_project(visit, 3, ROLE_NONE) : NULL;
    g_autoptr(JsonNode) body = project ? api_read_body(visit) : NULL;
    gint64 space = body ? namespace_id_of(visit->site->database, visit->user->name, &error) : 0;

    if (!body)
        return;
    if (error || visit_role(visit, space, 0, &error) < ROLE_MAINTAINER)
        api_problem(visit, SOUP_STATUS_FORBIDDEN, "Not allowed", "The token is not for your own namespace.");
    else
        api_run_once(visit, project, body, fork_project);
}

static gboolean start(Visit *visit, const ProjectView *project, JsonNode *body, char **ret_text, GError **error) {
    const SiteEngine *engine = visit->site->engine;

    *ret_text = g_strdup_printf("{\"after\":%" G_GINT64_FORMAT "}\n", project->last_number);
    return engine->look(engine->user, project->id, "manual", visit->user->name, visit->user->id,
            member_is(body, "force", TRUE), error);
}

void api_start_build(Visit *visit) {
    g_autoptr(ProjectView) project = api_find_project(visit, 3, ROLE_MAINTAINER);
    g_autoptr(JsonNode) body = project ? api_read_body(visit) : NULL;

    if (body)
        api_run_once(visit, project, body, start);
}

static BuildView *named_build(Visit *visit, const ProjectView *project, GError **error) {
    BuildView *build = build_view(visit->site->database, project->id, api_number(visit_segment(visit, 6)), error);

    if (!build && !*error)
        g_set_error(
                error, DATABASE_ERROR, DATABASE_ERROR_CONFLICT, "There is no such build: look at the list of builds");
    return build;
}

static gboolean retry(Visit *visit, const ProjectView *project, JsonNode *body, char **ret_text, GError **error) {
    const SiteEngine *engine = visit->site->engine;
    g_autoptr(BuildView) build = named_build(visit, project, error);
    gint64 number = build ? engine->retry(engine->user, build->id, visit->user->id, visit->user->name, error) : 0;

    *ret_text = g_strdup_printf("{\"number\":%" G_GINT64_FORMAT "}\n", number);
    return number != 0;
}

void api_retry(Visit *visit) {
    g_autoptr(ProjectView) project = api_find_project(visit, 3, ROLE_MAINTAINER);

    if (project)
        api_run_once(visit, project, NULL, retry);
}

static gboolean cancel(Visit *visit, const ProjectView *project, JsonNode *body, char **ret_text, GError **error) {
    const SiteEngine *engine = visit->site->engine;
    g_autoptr(BuildView) build = named_build(visit, project, error);

    *ret_text = g_strdup("{}\n");
    return build && engine->cancel(engine->user, build->id, visit->user->id, error);
}

void api_cancel(Visit *visit) {
    g_autoptr(ProjectView) project = api_find_project(visit, 3, ROLE_MAINTAINER);

    if (project)
        api_run_once(visit, project, NULL, cancel);
}

/* A word of the body as 1 or 0; -1: it is not there. */
static int three_ways(JsonNode *body, const char *name) {
    return json_object_has_member(json_node_get_object(body), name) ? member_is(body, name, FALSE) : -1;
}

static gboolean set_limits(Visit *visit, const ProjectView *project, JsonNode *body, char **ret_text, GError **error) {
    const SiteEngine *engine = visit->site->engine;
    const char *text = api_member(body, "diskLimit", NULL);
    gint64 limit = -1;

    if (text && strcmp(text, "none") == 0)
        limit = 0;
    else if (text && (recipe_size_parse(text, &limit) != RECIPE_SIZE_GOOD || limit <= 0)) {
        g_set_error(error, MODEL_ERROR, MODEL_ERROR_INVALID,
                "\"%s\" is no size: write a number with K, M or G behind it, or none", text);
        return FALSE;
    }
    *ret_text = g_strdup("{}\n");
    return engine->set_limits(engine->user, project->id, three_ways(body, "boot"), limit, error);
}

void api_limits(Visit *visit) {
    g_autoptr(ProjectView) project = api_find_project(visit, 3, ROLE_OWNER);
    g_autoptr(JsonNode) body = project ? api_read_body(visit) : NULL;

    if (body)
        api_run_once(visit, project, body, set_limits);
}

static gboolean add_source(Visit *visit, const ProjectView *project, JsonNode *body, char **ret_text, GError **error) {
    const SiteEngine *engine = visit->site->engine;

    *ret_text = g_strdup("{}\n");
    return engine->add_source(engine->user, project->id, api_member(body, "name", ""), api_member(body, "kind", "git"),
            api_member(body, "url", ""), api_member(body, "branch", "main"), error);
}

void api_add_source(Visit *visit) {
    g_autoptr(ProjectView) project = api_find_project(visit, 3, ROLE_MAINTAINER);
    g_autoptr(JsonNode) body = project ? api_read_body(visit) : NULL;

    if (body)
        api_run_once(visit, project, body, add_source);
}

static gboolean remove_source(
        Visit *visit, const ProjectView *project, JsonNode *body, char **ret_text, GError **error) {
    const SiteEngine *engine = visit->site->engine;

    *ret_text = g_strdup("{}\n");
    return engine->remove_source(engine->user, project->id, visit_segment(visit, 6), error);
}

void api_remove_source(Visit *visit) {
    g_autoptr(ProjectView) project = api_find_project(visit, 3, ROLE_MAINTAINER);

    if (project)
        api_run_once(visit, project, NULL, remove_source);
}

void api_missing(Visit *visit) {
    guint status = soup_server_message_get_status(visit->http->message);

    if (status == SOUP_STATUS_METHOD_NOT_ALLOWED)
        api_problem(visit, status, "Not with this method", "Use GET to read and POST to change.");
    else
        api_not_found(visit);
}
