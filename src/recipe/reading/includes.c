/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What Include= and --include name, and when it is read. */
#include "recipe/reading/includes.h"

#include <stdint.h>
#include <sys/stat.h>

#include "recipe/values/split.h"

typedef struct {
    char *path;
    char *origin; /* for errors */
    gboolean read;
} Include;

struct Includes {
    GPtrArray *options; /* of the command line; they come first */
    GPtrArray *files;
    GHashTable *read;   /* "device:inode" */
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

/* Reads it unless it, or the same file by another name, was read before. */
static gboolean read_once(ImageParser *parser, Include *include, GError **error) {
    g_autofree char *builtin =
            is_builtin_configuration(include->path) ? builtin_configuration_path(include->path) : NULL;
    const char *path = builtin ?: include->path;
    struct stat info;

    if (include->read)
        return TRUE;
    include->read = TRUE;
    if (stat(path, &info) < 0) {
        g_set_error(error, RECIPE_ERROR, RECIPE_ERROR_MISSING, "%s: \"%s\" does not exist", include->origin, path);
        return FALSE;
    }
    char *key = g_strdup_printf("%ju:%ju", (uintmax_t) info.st_dev, (uintmax_t) info.st_ino);
    if (!g_hash_table_add(parser->includes->read, key))
        return TRUE;
    return image_parser_read(parser, path, S_ISDIR(info.st_mode) ? READ_PROFILES : 0, NULL, error);
}

/* The list grows while what is in it is read. */
static gboolean read_all(ImageParser *parser, const GPtrArray *list, GError **error) {
    for (guint i = 0; i < list->len; i++)
        if (!read_once(parser, list->pdata[i], error))
            return FALSE;
    return TRUE;
}

gboolean image_parser_include_pending(ImageParser *parser, GError **error) {
    return read_all(parser, parser->includes->options, error) &&
           read_all(parser, parser->includes->files, error);
}
