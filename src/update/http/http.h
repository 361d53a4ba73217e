/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Files of a web server, by ranges of their bytes. HTTP 1.1 or 2, several requests at a time.
 *
 * The server is a stranger. Nothing that it says is believed but what can be checked: ranges have to be those that were
 * asked for, lengths the same in every answer; more bytes than were announced are an error, and so is silence. Redirections
 * are followed for files, whose content is checked, never from https to http; for small texts (the manifest, its signature)
 * only on the same server. */

#include <glib.h>

typedef struct Http Http;

/* Who listens to bytes: SIZE bytes at OFFSET of the file, blocks of 4096 but for the end of the file. FALSE with ERROR set
 * stops everything. */
typedef gboolean (*HttpSink)(gpointer data, guint64 offset, const guint8 *bytes, gsize size, GError **error);

typedef struct {
    guint64 offset, size; /* multiples of 4096, but for the end of the file */
} HttpRange;

typedef struct {
    guint timeout;       /* seconds in which at least some bytes have to come; 0: 30 */
    const char *ca_file; /* certificates that servers are checked by; NULL: those of the system */
} HttpOptions;

Http *http_new(const HttpOptions *options);
void http_free(Http *http);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Http, http_free)

/* A text of at most MAX bytes. RET_MISSING (may be NULL): there is none (404), which is an error, too. */
GBytes *http_get(Http *http, const char *url, gsize max, gboolean *ret_missing, GError **error);

/* How many bytes the file has. */
gboolean http_measure(Http *http, const char *url, guint64 *ret_size, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Hands over RANGES (of HttpRange, rising) of the file, which has SIZE bytes, in any order; each range in its own. A server
 * that does not know ranges sends the whole file: then SINK hears of all bytes from 0 on, each once, and those that it
 * heard of before again. What is interrupted is asked for again. */
gboolean http_fetch(Http *http, const char *url, guint64 size, const GArray *ranges, HttpSink sink, gpointer data,
        GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Bytes that came, heads of answers included. */
guint64 http_get_received(const Http *http);

/* FALSE once a server sent everything where a range was asked for. */
gboolean http_knows_ranges(const Http *http);
