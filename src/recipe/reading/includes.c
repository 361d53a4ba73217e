/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "recipe/reading/includes.h"

#include <stdint.h>

#include "recipe/reading/builtin.h"
#include "recipe/values/split.h"
#include "recipe/values/value-parse.h"

struct Includes {
    GPtrArray *options; /* of the command line; they come first */
    GPtrArray *files;
    guint next_option, next_file;
    GHashTable *read; /* "device:inode" */
};

static void include_free(gpointer data) {
    Include *include = data;
    g_free(include->path);
    g_free(include->origin);
    g_free(include);
}

Includes *includes_new(void) {
    Includes *includes = g_new0(Includes, 1);
    includes->options = g_ptr_array_new_with_free_func(include_free);
    includes->files = g_ptr_array_new_with_free_func(include_free);
    includes->read = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    return includes;
}

void includes_free(Includes *includes) {
    g_ptr_array_unref(includes->options);
    g_ptr_array_unref(includes->files);
    g_hash_table_unref(includes->read);
    g_free(includes);
}

gboolean includes_add(
        Includes *includes, const char *text, const char *origin, const ParseContext *context, GError **error) {
    g_auto(GStrv) words = split_value(text, SPLIT_WORDS, NULL);
    GPtrArray *list = context->cli ? includes->options : includes->files;

    for (char **word = words; *word; word++) {
        g_autoptr(Value) path = is_builtin_configuration(*word)
                                        ? value_new_string(*word)
                                        : value_parse(&settings[SETTING_INCLUDE], *word, context, error);
        if (!path) {
            g_prefix_error(error, "%s: ", origin);
            return FALSE;
        }
        Include *include = g_new0(Include, 1);
        include->path = g_strdup(value_get_string(path));
        include->origin = g_strdup(origin);
        g_ptr_array_add(list, include);
    }
    return TRUE;
}

static const Include *next_of(const GPtrArray *list, guint *next) {
    return *next < list->len ? list->pdata[(*next)++] : NULL;
}

const Include *includes_next(Includes *includes) {
    const Include *option = next_of(includes->options, &includes->next_option);
    return option ? option : next_of(includes->files, &includes->next_file);
}

gboolean includes_note_file(Includes *includes, const struct stat *info) {
    char *key = g_strdup_printf("%ju:%ju", (uintmax_t) info->st_dev, (uintmax_t) info->st_ino);
    return g_hash_table_add(includes->read, key);
}
