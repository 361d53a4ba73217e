/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "server.h"

#include <string.h>

#include "kitchen/http/connections.h"
#include "kitchen/http/guard.h"

#define BODY_MAX (64 * 1024)
#define PATH_MAX_LENGTH 2048

struct HttpServer {
    SoupServer *soup;
    Connections *connections;
    HttpServerConfig config;
    GPtrArray *mounts;
};

typedef struct {
    char *prefix;
    SoupServerCallback early, handler;
    gpointer user;
} Mount;

/* How much of a body is still to come. */
typedef struct {
    gsize left;
} BodyLimit;

static const char *const standard_headers[][2] = {
        {"Content-Security-Policy", "default-src 'self'; base-uri 'none'; object-src 'none'; form-action 'self'; "
                                    "frame-ancestors 'none'"},
        {"X-Content-Type-Options", "nosniff"},
        {"X-Frame-Options", "DENY"},
        /* Not "no-referrer": with that browsers hide the origin of forms from ourselves. */
        {"Referrer-Policy", "same-origin"},
        {"Cross-Origin-Opener-Policy", "same-origin"},
        {"Cross-Origin-Resource-Policy", "same-origin"},
        {"Permissions-Policy", "camera=(), geolocation=(), microphone=()"},
        {"Cache-Control", "no-store"},
};

static const Mount *find_mount(const HttpServer *server, const char *path) {
    for (guint i = 0; i < server->mounts->len; i++) {
        const Mount *mount = server->mounts->pdata[i];

        if (g_str_has_prefix(path, mount->prefix))
            return mount;
    }
    return NULL;
}

static gboolean pattern_fits(const char *pattern, char *const *segments) {
    for (pattern++;; segments++) {
        gsize length = strcspn(pattern, "/");

        if (!pattern[0])
            return !*segments;
        if (pattern[0] == '+')
            return *segments != NULL;
        if (!*segments)
            return FALSE;
        if (length == 1 && pattern[0] == ':') {
            if (!(*segments)[0])
                return FALSE;
        } else if (strlen(*segments) != length || strncmp(pattern, *segments, length) != 0)
            return FALSE;
        if (!pattern[length])
            return !segments[1];
        pattern += length + 1;
    }
}

/* RET_KNOWN: there is something at this path, for some method. */
static const HttpRoute *find_route(
        const HttpServer *server, const char *method, char *const *segments, gboolean *ret_known) {
    *ret_known = FALSE;
    if (strcmp(method, "HEAD") == 0)
        method = "GET";
    for (const HttpRoute *route = server->config.routes; route->pattern; route++)
        if (pattern_fits(route->pattern, segments)) {
            *ret_known = TRUE;
            if (strcmp(route->method, method) == 0)
                return route;
        }
    return NULL;
}

static void refuse(SoupServerMessage *message, guint status, const char *text) {
    SoupMessageHeaders *headers = soup_server_message_get_response_headers(message);

    soup_message_headers_replace(headers, "Connection", "close");
    soup_server_message_set_status(
            message, status, status == SOUP_STATUS_MISDIRECTED_REQUEST ? "Misdirected Request" : NULL);
    soup_server_message_set_response(message, "text/plain; charset=utf-8", SOUP_MEMORY_COPY, text, strlen(text));
}

static void on_chunk(SoupServerMessage *message, GBytes *chunk, gpointer user) {
    BodyLimit *limit = user;
    gsize size = g_bytes_get_size(chunk);

    if (size <= limit->left) {
        limit->left -= size;
        return;
    }
    limit->left = 0;
    soup_message_body_set_accumulate(soup_server_message_get_request_body(message), FALSE);
    connection_refuse(message, SOUP_STATUS_REQUEST_ENTITY_TOO_LARGE, "The body is too large");
}

static void free_limit(gpointer data, GClosure *closure) {
    g_free(data);
}

static void limit_body(SoupServerMessage *message, gsize body_max) {
    SoupMessageHeaders *headers = soup_server_message_get_request_headers(message);
    BodyLimit *limit = g_new0(BodyLimit, 1);

    limit->left = body_max;
    g_signal_connect_data(message, "got-chunk", G_CALLBACK(on_chunk), limit, free_limit, G_CONNECT_DEFAULT);
    if (soup_message_headers_get_encoding(headers) == SOUP_ENCODING_CONTENT_LENGTH &&
            soup_message_headers_get_content_length(headers) > (goffset) body_max) {
        soup_message_body_set_accumulate(soup_server_message_get_request_body(message), FALSE);
        refuse(message, SOUP_STATUS_REQUEST_ENTITY_TOO_LARGE, "The body is too large\n");
    }
}

/* The head is well-formed, and meant for this server. */
static gboolean check_head(const HttpServer *server, SoupServerMessage *message) {
    SoupMessageHeaders *headers = soup_server_message_get_request_headers(message);
    const char *host = soup_message_headers_get_list(headers, "Host");
    GUri *uri = soup_server_message_get_uri(message);

    if (!guard_host(server->config.hosts, host) || !guard_host(server->config.hosts, g_uri_get_host(uri))) {
        refuse(message, SOUP_STATUS_MISDIRECTED_REQUEST,
                "This server is not called by that name: use its address, or add the name to Host= below [Web] "
                "of its configuration\n");
        return FALSE;
    }
    if (soup_message_headers_get_list(headers, "Transfer-Encoding") &&
            soup_message_headers_get_list(headers, "Content-Length")) {
        refuse(message, SOUP_STATUS_BAD_REQUEST, "The request has two lengths\n");
        return FALSE;
    }
    if (strlen(g_uri_get_path(uri)) > PATH_MAX_LENGTH) {
        refuse(message, SOUP_STATUS_REQUEST_URI_TOO_LONG, "The address is too long\n");
        return FALSE;
    }
    return TRUE;
}

static void on_head(SoupServer *soup, SoupServerMessage *message, const char *path, GHashTable *query, gpointer user) {
    HttpServer *server = user;
    SoupMessageHeaders *answer = soup_server_message_get_response_headers(message);
    const char *raw = g_uri_get_path(soup_server_message_get_uri(message));
    const Mount *mount = NULL;
    const HttpRoute *route = NULL;
    g_auto(GStrv) segments = NULL;
    gboolean known = FALSE;

    for (gsize i = 0; i < G_N_ELEMENTS(standard_headers); i++)
        soup_message_headers_replace(answer, standard_headers[i][0], standard_headers[i][1]);
    connection_got_head(message, FALSE);
    if (!check_head(server, message)) {
        limit_body(message, BODY_MAX);
        return;
    }
    mount = find_mount(server, raw);
    if (mount) {
        connection_got_head(message, TRUE);
        if (mount->early)
            mount->early(soup, message, path, query, mount->user);
        return;
    }
    segments = guard_path(raw);
    if (segments)
        route = find_route(server, soup_server_message_get_method(message), segments, &known);
    limit_body(message, route && route->body_max > 0 ? route->body_max : BODY_MAX);
}

static void on_request(
        SoupServer *soup, SoupServerMessage *message, const char *path, GHashTable *query, gpointer user) {
    HttpServer *server = user;
    const Mount *mount = find_mount(server, g_uri_get_path(soup_server_message_get_uri(message)));
    const HttpRoute *route = NULL;
    g_autoptr(HttpRequest) request = NULL;
    gboolean known = FALSE;

    if (mount) {
        mount->handler(soup, message, path, query, mount->user);
        return;
    }
    request = http_request_new(message);
    if (!request) {
        refuse(message, SOUP_STATUS_BAD_REQUEST, "The address is damaged\n");
        return;
    }
    route = find_route(server, request->method, request->segments, &known);
    if (route) {
        route->handler(request, server->config.user);
        return;
    }
    soup_server_message_set_status(message, known ? SOUP_STATUS_METHOD_NOT_ALLOWED : SOUP_STATUS_NOT_FOUND, NULL);
    server->config.missing(request, server->config.user);
}

static void mount_free(gpointer data) {
    Mount *mount = data;

    g_free(mount->prefix);
    g_free(mount);
}

void http_server_mount(
        HttpServer *server, const char *prefix, SoupServerCallback early, SoupServerCallback handler, gpointer user) {
    Mount *mount = g_new0(Mount, 1);

    mount->prefix = g_strdup(prefix);
    mount->early = early;
    mount->handler = handler;
    mount->user = user;
    g_ptr_array_add(server->mounts, mount);
}

HttpServer *http_server_new(GSocketListener *listener, const HttpServerConfig *config) {
    HttpServer *server = g_new0(HttpServer, 1);

    server->config = *config;
    server->mounts = g_ptr_array_new_with_free_func(mount_free);
    server->soup = soup_server_new("raw-paths", TRUE, NULL);
    soup_server_add_early_handler(server->soup, NULL, on_head, server, NULL);
    soup_server_add_handler(server->soup, NULL, on_request, server, NULL);
    server->connections = connections_new(server->soup, listener, MAX(config->haste, 1));
    return server;
}

void http_server_free(HttpServer *server) {
    if (!server)
        return;
    soup_server_disconnect(server->soup);
    connections_free(server->connections);
    g_object_unref(server->soup);
    g_ptr_array_unref(server->mounts);
    g_free(server);
}
