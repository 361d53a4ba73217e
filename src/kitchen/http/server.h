/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The HTTP server. It checks hosts, sizes and times, sets what every answer carries, and finds who answers. */

#include "kitchen/http/request.h"

/* Answers REQUEST, which is freed afterwards. */
typedef void (*HttpHandler)(HttpRequest *request, gpointer user);

typedef struct {
    const char *method;  /* "GET" is HEAD, too */
    const char *pattern; /* "/a/:/b": ":" is any segment; "/a/+": whatever follows */
    HttpHandler handler;
    gsize body_max; /* bytes; 0: what forms need */
} HttpRoute;

typedef struct {
    const char *const *hosts; /* names and addresses that the server is called by, lower case, without ports */
    const HttpRoute *routes;  /* the first one that fits is taken; ends with a NULL pattern */
    HttpHandler missing;      /* no route fits, or not with this method: the status is set already */
    gpointer user;
    guint haste; /* divides the times of connections; 1 */
} HttpServerConfig;

typedef struct HttpServer HttpServer;

/* Serves the connections of LISTENER. CONFIG is copied, what it points to is not. */
HttpServer *http_server_new(GSocketListener *listener, const HttpServerConfig *config);
void http_server_free(HttpServer *server);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HttpServer, http_server_free)

/* Requests below PREFIX ("/worker/") go to HANDLER instead, and their bodies are its business from EARLY on (may be
 * NULL), which is called when the head is there. */
void http_server_mount(
        HttpServer *server, const char *prefix, SoupServerCallback early, SoupServerCallback handler, gpointer user);
