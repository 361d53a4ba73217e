/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Scripts on outputs that are finished after their build. */

#include "build/build.h"
#include "build/scripts.h"

const ImageConfig *build_find_output(const Recipe *recipe, const char *directory, const char *output) {
    g_autofree char *wanted = g_canonicalize_filename(directory, NULL);

    for (ImageConfig **config = recipe->images; config && *config; config++) {
        g_autofree char *made = g_canonicalize_filename(image_config_output_directory(*config), NULL);
        if (g_str_equal((*config)->output, output) && g_str_equal(made, wanted))
            return *config;
    }
    return NULL;
}

gboolean build_run_postoutput_scripts(const Recipe *recipe, const ImageConfig *config, GError **error) {
    return scripts_run_postoutput(recipe, config, error);
}
