/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What zypper would do, as "zypper --xmlout install --dry-run" prints it. */

#include <glib.h>

/* The packages in TEXT that would be installed: elements RpmChoice (table.h) whose repository is NULL where zypper does
 * not say it; NULL with ERROR set when TEXT is no such answer. */
GPtrArray *zypper_answer_parse(const char *text, GError **error);
