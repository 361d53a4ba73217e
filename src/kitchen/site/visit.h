/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A request with who makes it: a stranger, a session of a browser, or a token of a program. */

#include "kitchen/http/request.h"
#include "kitchen/model/people/members.h"
#include "kitchen/model/people/session.h"
#include "kitchen/model/people/token.h"
#include "kitchen/model/people/user.h"
#include "kitchen/model/results/views.h"
#include "kitchen/site/site.h"

typedef struct {
    HttpRequest *http;
    Site *site;
    gint64 now;
    Viewer viewer;
    User *user;       /* NULL: a stranger */
    Session session;  /* csrf is NULL: there is none */
    Token *token;     /* NULL: there is none */
    gboolean damaged; /* came with a token that does not count */
    GHashTable *form; /* of a POST, when visit_form() has read it */
} Visit;

/* Finds out who makes REQUEST. NULL with ERROR set: the database does not answer. */
Visit *visit_new(Site *site, HttpRequest *request, GError **error);
void visit_free(Visit *visit);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Visit, visit_free)

/* The segment N of the address, from 0; "" when there are not so many. */
const char *visit_segment(const Visit *visit, guint n);

/* The field NAME of the form, "" when there is none. */
const char *visit_field(const Visit *visit, const char *name);

/* Reads the form of a POST of a page, and checks that it comes from a page of ours: by its origin and, in a
 * session, by the secret that our forms carry. FALSE with ERROR: it does not. */
gboolean visit_form(Visit *visit, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* What the visitor may do in the namespace, or in the project (0: in the whole namespace). */
Role visit_role(const Visit *visit, gint64 namespace_id, gint64 project_id, GError **error);

/* Begins a session for the user, sets its cookie, and ends the one that there was. */
gboolean visit_log_in(Visit *visit, gint64 user_id, GError **error) G_GNUC_WARN_UNUSED_RESULT;
gboolean visit_log_out(Visit *visit, GError **error) G_GNUC_WARN_UNUSED_RESULT;
