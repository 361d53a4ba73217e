/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/verbs.h"

gboolean verb_help(Recipe *recipe, int *ret_exit_status, GError **error) {
    recipe_print_help();
    return TRUE;
}
