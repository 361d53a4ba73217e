/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Files and directories that set something by their name (reference, chapter 7). */
#include "recipe/reading/image-parser.h"

#include <string.h>
#include <unistd.h>

#include "base/directory.h"
#include "recipe/values/paths.h"
#include "recipe/values/value-parse-internal.h"

/* The content of a companion, or its output if it is executable. */
static char *run_or_read(const ImageParser *parser, const char *path, GError **error) {
    g_autofree char *content = NULL;
    if (access(path, X_OK) == 0) {
        if (!(content = run_program(parser->run, parser->directory, path, error)))
            return NULL;
    } else if (!g_file_get_contents(path, &content, NULL, error))
        return NULL;
    else if (g_str_has_prefix(content, "#!/")) {
        parse_failed(error, "The file begins like a script, but is not executable; run \"chmod +x\" on it");
        return NULL;
    }
    gsize length = strlen(content);
    while (length > 0 && content[length - 1] == '\n')
        content[--length] = 0;
    return g_steal_pointer(&content);
}

/* NAME is relative to the parser's directory. */
static gboolean assign_companion(
        ImageParser *parser, const Setting *setting, const char *name, GError **error) {
    g_autofree char *path = g_build_filename(parser->directory, name, NULL);
    g_autofree char *shown = path_for_people(path);
    Slot *slot = &parser->files.slots[setting_slot(setting)];
    ParseContext context = {parser->directory, FALSE};
    gboolean good;

    if (setting->flags & SETTING_FILE_CONTENT) {
        g_autofree char *content = NULL;
        good = !(setting->flags & SETTING_SECRET) || check_secret(path, error);
        content = good ? run_or_read(parser, path, error) : NULL;
        good = content && slot_assign(slot, setting, content, &context, error);
    } else if (setting->shape == SHAPE_LIST && setting->type != TYPE_CREDENTIAL)
        good = slot_append(slot, setting, name, &context, error);
    else
        good = slot_assign(slot, setting, name, &context, error);

    if (!good) {
        g_prefix_error(error, "%s: %s=: ", shown, setting->name);
        return FALSE;
    }
    slot->origin = g_intern_string(shown);
    image_parser_trace(parser, RECIPE_READ_COMPANION, path, setting->name);
    return TRUE;
}

/* Companions in a directory: PATTERN is "mkosi.NAME.d" and a glob of one star and a suffix. */
static gboolean assign_directory(ImageParser *parser, const Setting *setting, const char *pattern,
        GHashTable *names, GError **error) {
    g_autofree char *name = g_path_get_dirname(pattern);
    const char *suffix = strchr(pattern, '*') + 1;
    if (!g_hash_table_contains(names, name))
        return TRUE;

    g_autofree char *path = g_build_filename(parser->directory, name, NULL);
    g_autoptr(GPtrArray) entries = list_directory(path, error);
    if (!entries) {
        g_prefix_error(error, "%s: %s=: ", path, setting->name);
        return FALSE;
    }
    for (guint i = 0; i < entries->len; i++) {
        g_autofree char *entry = g_build_filename(name, entries->pdata[i], NULL);
        if (g_str_has_suffix(entry, suffix) && !assign_companion(parser, setting, entry, error))
            return FALSE;
    }
    return TRUE;
}

gboolean image_parser_read_companions(ImageParser *parser, GHashTable *names, GError **error) {
    for (int i = 0; i < _SETTING_MAX; i++) {
        const Setting *setting = &settings[i];
        if (!setting->files || !setting_allowed(parser, setting))
            continue;
        for (const char *const *file = setting->files; *file; file++) {
            if (strchr(*file, '*')) {
                if (!assign_directory(parser, setting, *file, names, error))
                    return FALSE;
            } else if (g_hash_table_contains(names, *file) &&
                       !assign_companion(parser, setting, *file, error))
                return FALSE;
        }
    }
    return TRUE;
}
