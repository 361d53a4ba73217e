/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Requests of a worker to the build service (kitchen/api/worker-api.h). While the service cannot be reached, or says "later",
 * a request is repeated: the service may be starting again. */

#include <json-glib/json-glib.h>

#define HTTP_ERROR http_error_quark()
GQuark http_error_quark(void);

typedef enum {
    HTTP_ERROR_FAILED,    /* nobody answered for long */
    HTTP_ERROR_REFUSED,   /* the service says that it is wrong; the message says why */
    HTTP_ERROR_OVER,      /* the job is not ours any more */
    HTTP_ERROR_LIMIT,     /* it is too much; the message says which limit, and what to do */
    HTTP_ERROR_CANCELLED, /* by the flag */
} HttpError;

typedef struct Http Http;

/* A connection to the service at URL with TOKEN. A request ends when STOP (may be NULL) is not 0. Used by one thread. */
Http *http_new(const char *url, const char *token, const gint *stop);
void http_free(Http *http);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Http, http_free)

/* How long a request is repeated, in seconds; 600 unless it is set. */
void http_set_patience(Http *http, guint seconds);

/* Asks with BODY (may be NULL). Returns the answer, a new reference. */
JsonObject *http_ask(Http *http, const char *method, const char *path, GBytes *body, GError **error);
JsonObject *http_ask_json(Http *http, const char *path, JsonObject *body, GError **error);

/* Sends the SIZE bytes of FD from OFFSET on. */
gboolean http_put(
        Http *http, const char *path, int fd, gint64 offset, gint64 size, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Writes the answer to FD, from its beginning. */
gboolean http_get(Http *http, const char *path, int fd, GError **error) G_GNUC_WARN_UNUSED_RESULT;
