/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What dnf would do, as it prints it before it asks whether it shall. */

#include <glib.h>

/* A package that would be installed. */
typedef struct {
    char *name, *architecture;
    char *evr; /* without an epoch of 0 */
    char *repository;
} RpmChoice;
void rpm_choice_free(RpmChoice *choice);

/* Whether TEXT has such a table, or says that there is nothing to do. */
gboolean dnf_table_is_answer(const char *text);

/* The packages in TEXT that would be installed: elements RpmChoice, in the order of the table. */
GPtrArray *dnf_table_parse(const char *text);
