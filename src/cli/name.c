/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/verbs.h"

#include <string.h>

static gboolean as_mkosi;

/* Programs that come with mkosi, and what does their work here. */
static const struct {
    const char *name, *instead;
} companions[] = {
        {"mkosi-addon", "'particleos --include=mkosi-addon build' makes an addon for the host's kernel"},
        {"mkosi-initrd", "'particleos --include=mkosi-initrd build' makes an initrd for the host's kernel"},
        {"mkosi-sandbox", "particleos-sandbox has options of its own, see particleos-sandbox(1)"},
};

gboolean set_program_name(const char *argv0, GError **error) {
    g_autofree char *name = g_path_get_basename(argv0);
    as_mkosi = strcmp(name, "mkosi") == 0;
    for (gsize i = 0; i < G_N_ELEMENTS(companions); i++)
        if (strcmp(companions[i].name, name) == 0) {
            g_set_error(error, RECIPE_ERROR, RECIPE_ERROR_USAGE,
                    "particleos does not take the place of %s: %s", name, companions[i].instead);
            return FALSE;
        }
    return TRUE;
}

gboolean called_as_mkosi(void) {
    return as_mkosi;
}
