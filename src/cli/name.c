/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/verbs.h"

#include <string.h>

static gboolean as_mkosi;

void set_program_name(const char *argv0) {
    g_autofree char *name = g_path_get_basename(argv0);
    as_mkosi = strcmp(name, "mkosi") == 0;
}

gboolean called_as_mkosi(void) {
    return as_mkosi;
}
