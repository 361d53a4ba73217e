/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the process may not do, whoever has taken it over. */

#include <glib.h>

/* No core dump, no debugger, no new privileges. First of all. */
void lock_down_memory(void);

/* From now on: no other programs, no sockets but of the family AF_UNIX (which tokens are reached by), no
 * namespaces, modules, other processes. Before there are threads. */
gboolean lock_down_calls(GError **error) G_GNUC_WARN_UNUSED_RESULT;
