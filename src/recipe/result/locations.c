/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Where things of an image lie: its outputs, and files that nobody but the program is to see. */
#include "recipe/result/recipe.h"

#include "recipe/result/image-values.h"

const char *image_config_output_directory(const ImageConfig *config) {
    if (config->output_directory)
        return config->output_directory;
    return config->values && config->values->directory ? config->values->directory : ".";
}

char *image_config_output_path(const ImageConfig *config, const char *suffix) {
    g_autofree char *name = g_strconcat(config->output, suffix, NULL);
    return g_build_filename(image_config_output_directory(config), name, NULL);
}

static void add_file(GPtrArray *files, const ImageConfig *config, const char *text) {
    if (text && *text)
        g_ptr_array_add(files, g_canonicalize_filename(text, config->values->directory));
}

/* Strings that may, but need not, be the name of a file: keys in an engine have other names. */
static gboolean names_secret(const Setting *setting) {
    if (setting->flags & SETTING_FILE_CONTENT)
        return FALSE;
    return setting->type == TYPE_KEY || (setting->flags & SETTING_SECRET);
}

char **image_config_secret_files(const ImageConfig *config) {
    GPtrArray *files = g_ptr_array_new();

    for (int id = 0; config->values && id < _SETTING_MAX; id++) {
        const Value *value = config->values->values[id];
        if (!settings[id].stored_in && value && names_secret(&settings[id]) &&
                value_kind(value) == VALUE_STRING)
            add_file(files, config, value_get_string(value));
    }
    for (RecipeCredential **credential = config->credentials; credential && *credential; credential++)
        add_file(files, config, (*credential)->path);
    /* The OpenPGP key may be a file, for programs that have no key ring. */
    if (config->values)
        add_file(files, config, config->key);
    g_ptr_array_add(files, NULL);
    return (char **) g_ptr_array_free(files, FALSE);
}
