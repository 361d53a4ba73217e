/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Sessions of browsers. */

#include "kitchen/model/database/database.h"

/* In milliseconds: how long a session lasts at most, and without being used. */
#define SESSION_LIFETIME (30 * G_GINT64_CONSTANT(86400000))
#define SESSION_IDLE (7 * G_GINT64_CONSTANT(86400000))

typedef struct {
    gint64 user_id;
    char *csrf; /* what forms of this session carry */
} Session;
void session_clear(Session *session);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Session, session_clear)

/* Begins a session of the user: the secret of its cookie, never that of an earlier one. Owned by the caller. */
char *session_start(Database *database, gint64 user_id, gint64 now, GError **error);

/* TRUE when SECRET is that of a session which goes on, of somebody whose account is open. FALSE without an
 * error: it is none. */
gboolean session_find(Database *database, const char *secret, gint64 now, Session *ret_session,
        GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Ends the session of SECRET. */
gboolean session_end(Database *database, const char *secret, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Forgets sessions that ended. */
gboolean session_sweep(Database *database, gint64 now, GError **error) G_GNUC_WARN_UNUSED_RESULT;
