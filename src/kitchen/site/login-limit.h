/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* How often passwords may be tried: for a name, from an address, and all in all. */

#include <glib.h>

#define LOGIN_LIMIT_FAILURES 8
/* More than for a name: people share addresses. */
#define LOGIN_LIMIT_ADDRESS_FAILURES 40
#define LOGIN_LIMIT_TIME (15 * 60 * 1000)
#define LOGIN_LIMIT_ALL_PER_MINUTE 120

typedef struct LoginLimit LoginLimit;

LoginLimit *login_limit_new(void);
void login_limit_free(LoginLimit *limit);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(LoginLimit, login_limit_free)

/* TRUE when a password of NAME may be tried from ADDRESS at NOW (milliseconds); the attempt counts. Names that do not
 * exist count like others. What is refused does not count, so that one address cannot use up what is for all. */
gboolean login_limit_try(
        LoginLimit *limit, const char *name, const char *address, gint64 now) G_GNUC_WARN_UNUSED_RESULT;

/* It was right: failures of NAME are forgotten, and the attempt does not count for ADDRESS. */
void login_limit_forget(LoginLimit *limit, const char *name, const char *address);
