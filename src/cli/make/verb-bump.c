/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/verbs.h"
#include "events/events.h"

gboolean verb_bump(const VerbCall *call, int *ret_exit_status, GError **error) {
    const Recipe *recipe = call->recipe;
    if (!recipe->config_directory || !recipe->main->image_version) {
        g_set_error_literal(
                error, RECIPE_ERROR, RECIPE_ERROR_MISSING, "There is no recipe whose version could be increased");
        return FALSE;
    }
    g_autofree char *path = g_build_filename(recipe->config_directory, "mkosi.version", NULL);
    if (!g_file_set_contents(path, recipe->main->image_version, -1, error))
        return FALSE;
    events_info("The version is %s now", recipe->main->image_version);
    return TRUE;
}
