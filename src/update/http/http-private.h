/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What requests have in common. */

#include <curl/curl.h>

#include "update/http/http.h"

#define HTTP_UNKNOWN_SIZE G_MAXUINT64

struct Http {
    guint timeout;
    char *ca_file;
    guint64 received;
    gboolean no_ranges;
    CURLSH *share; /* connections and TLS sessions */
};

/* What the head of an answer says. */
typedef struct {
    guint64 length;             /* Content-Length, or HTTP_UNKNOWN_SIZE */
    gboolean has_range;         /* Content-Range */
    guint64 first, last, total; /* of it; TOTAL may be unknown */
} HttpHead;

/* Reads a line of the head; a new answer (after a redirection) begins anew. */
void http_head_line(HttpHead *head, const char *line, gsize size);

/* A request for URL with everything that all have in common. FILE: redirections are followed. Owned by the caller. */
CURL *http_request_new(Http *http, const char *url, gboolean file);

/* Adds what REQUEST received to the sum. */
void http_request_count(Http *http, CURL *request);

/* What a request that ended with CODE means in words, as an error of the domain UPDATE_ERROR. */
void http_request_fail(CURL *request, CURLcode code, const char *url, const char *details, GError **error);

/* Whether asking again may help. */
gboolean http_is_transient(CURLcode code, long status);
