/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* How the API answers: JSON, files, and problems (RFC 9457) whose detail says what to do. */

#include <json-glib/json-glib.h>

#include "kitchen/site/visit.h"

/* Answers with what BUILDER holds. */
void api_answer(Visit *visit, guint status, JsonBuilder *builder);

/* Answers with a problem: TITLE in short, DETAIL what to do. */
void api_problem(Visit *visit, guint status, const char *title, const char *detail);

/* The same for what does not exist and what is not the visitor's. */
void api_not_found(Visit *visit);
void api_error(Visit *visit, const GError *error);

/* FALSE: the token does not count; the visit has been answered. */
gboolean api_may_read(Visit *visit) G_GNUC_WARN_UNUSED_RESULT;

/* FALSE: the visitor comes without a token of that scope; answered. Sessions of browsers change nothing by the API. */
gboolean api_may(Visit *visit, Scope scope) G_GNUC_WARN_UNUSED_RESULT;

/* The whole number in TEXT, 0 when it is none. */
gint64 api_number(const char *text);

/* Adds NAME and a text (NULL: null), a number, a time in milliseconds (0: null) as RFC 3339. */
void api_add_text(JsonBuilder *builder, const char *name, const char *text);
void api_add_number(JsonBuilder *builder, const char *name, gint64 number);
void api_add_time(JsonBuilder *builder, const char *name, gint64 time);

/* Sends the file PATH, piece by piece, so that nobody can run what is in it. A file that is not there is empty if
 * EMPTY, otherwise not found. */
void api_send_file(Visit *visit, const char *path, const char *content_type, gboolean empty);

/* The same for a descriptor, which is taken over. Ranges and tags are answered. */
void api_send_fd(Visit *visit, int *fd, const char *content_type);
