/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/verbs.h"

#include <stdio.h>

static gboolean print_image(const ImageConfig *image, GError **error) {
    for (char **file = image->files; *file; file++) {
        g_autofree char *text = NULL;
        if (!g_file_get_contents(*file, &text, NULL, error))
            return FALSE;
        printf("# %s: %s\n%s\n", image->image, *file, text);
    }
    return TRUE;
}

gboolean verb_cat_config(Recipe *recipe, int *ret_exit_status, GError **error) {
    for (ImageConfig **image = recipe->images; *image; image++)
        if (!print_image(*image, error))
            return FALSE;
    return !recipe->tools || print_image(recipe->tools, error);
}
