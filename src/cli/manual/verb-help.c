/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/verbs.h"

#include "cli/manual/help.h"
#include "ui/pager.h"

gboolean verb_help(const VerbCall *call, int *ret_exit_status, GError **error) {
    ui_pager_start(!call->arguments->no_pager);
    print_help();
    ui_pager_finish();
    return TRUE;
}
