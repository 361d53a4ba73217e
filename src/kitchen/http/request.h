/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* One request, and its answer. */

#include <libsoup/soup.h>

#include "kitchen/html/html.h"

typedef struct {
    SoupServerMessage *message;
    const char *method;
    char *path;      /* as it came */
    char **segments; /* of the path, decoded */
    GHashTable *query;
    const char *host; /* the header: "name:port" */
} HttpRequest;

/* Reads what MESSAGE wants. NULL: its path or query is nobody's. */
HttpRequest *http_request_new(SoupServerMessage *message);
void http_request_free(HttpRequest *request);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HttpRequest, http_request_free)

/* GET or HEAD. */
gboolean http_request_is_read(const HttpRequest *request);

/* The header NAME of the request; NULL: there is none. One that came twice is both values with ", " between. */
const char *http_request_header(const HttpRequest *request, const char *name);

/* Who asks, for limits; see guard_client(). Owned by the caller. */
char *http_request_client(const HttpRequest *request);

/* The field NAME of the query; NULL: there is none. */
const char *http_request_query(const HttpRequest *request, const char *name);

/* The number in the field NAME of the query, FALLBACK when there is none or it is no number from 0 to MAX. */
gint64 http_request_number(const HttpRequest *request, const char *name, gint64 fallback, gint64 max);

/* The body. Owned by the caller. */
GBytes *http_request_body(const HttpRequest *request);

/* The fields of the body. NULL with ERROR set: it is no form. */
GHashTable *http_request_form(const HttpRequest *request, GError **error);

/* Sets the header NAME of the answer. A VALUE that must not stand there is left out. */
void http_header(HttpRequest *request, const char *name, const char *value);

/* Answers. BODY may be NULL. */
void http_answer(HttpRequest *request, guint status, const char *content_type, GBytes *body);
void http_answer_text(HttpRequest *request, guint status, const char *text);
void http_answer_html(HttpRequest *request, guint status, Html *html);

/* Sends the browser to PATH, an address of this service, with GET. */
void http_redirect(HttpRequest *request, const char *path);
