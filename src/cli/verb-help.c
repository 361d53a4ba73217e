/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/verbs.h"

#include "cli/help.h"
#include "ui/pager.h"

gboolean verb_help(Recipe *recipe, int *ret_exit_status, GError **error) {
    ui_pager_start(!recipe->arguments->no_pager);
    print_help();
    ui_pager_finish();
    return TRUE;
}
