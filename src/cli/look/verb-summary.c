/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/verbs.h"

#include <stdio.h>

#include "ui/terminal.h"
#include "ui/pager.h"

gboolean verb_summary(const VerbCall *call, int *ret_exit_status, GError **error) {
    const Arguments *arguments = call->arguments;
    const Recipe *recipe = call->recipe;
    if (!arguments->json) {
        ui_pager_start(!arguments->no_pager);
        g_autofree char *text = recipe_summary(recipe, arguments->all, ui_out_style());
        fputs(text, stdout);
        ui_pager_finish();
        return TRUE;
    }
    g_autofree char *json = recipe_to_json(recipe);
    fputs(json, stdout);
    return TRUE;
}
