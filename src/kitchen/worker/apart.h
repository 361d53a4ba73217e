/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The builder's first process where the worker is root. Root reads every memory that it can name: so the builder gets a PID
 * namespace and a /proc in which worker and service are not, and may not trace even what it finds. Elsewhere the kernel keeps a
 * process that is not dumpable from others of its user, and no namespace is needed. */

#include <glib.h>

/* The first argument of the program that is this one. It is started again for it: a copy of the worker would have its token. */
#define APART_WORD "apart"

/* Whether builders are started that way. */
gboolean apart_is_needed(void);

/* As the first process of a PID namespace: runs ARGV (NULL-terminated), hands SIGTERM on, and ends with it and all that it
 * started. Returns the status to exit with. */
int apart_run(char *const *argv);
