/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reading directories and files in the order of the reference, chapter 5. */
#include "recipe/reading/image-parser.h"

#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/directory.h"
#include "events/events.h"
#include "recipe/language/enum-words.h"
#include "recipe/language/suggest.h"
#include "recipe/reading/builtin.h"
#include "recipe/reading/conditions.h"
#include "recipe/reading/includes.h"
#include "recipe/values/ini.h"
#include "recipe/values/paths.h"

gboolean setting_allowed(const ImageParser *parser, const Setting *setting) {
    if (strcmp(parser->image, "main") == 0)
        return TRUE;
    if (strcmp(parser->image, "tools") == 0)
        return !!(setting->flags & SETTING_IN_TOOLS);
    return setting->scope == SCOPE_LOCAL || setting->scope == SCOPE_INHERIT || setting->scope == SCOPE_INITRD_INHERIT;
}

static gboolean is_settings_section(const char *section) {
    static const char *const sections[] = {
            "Include", "Config", "Distribution", "Output", "Content", "Validation", "Build", "Runtime", "Host", NULL};
    return word_index(sections, section) >= 0;
}

static gboolean is_directory(const char *path) {
    struct stat info;
    return stat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

/* Moves the parser into the directory PATH; returns the old one, for leave(). */
static char *enter(ImageParser *parser, const char *path) {
    char *old = parser->directory;
    parser->directory = path_resolve(old, path);
    return old;
}

static void leave(ImageParser *parser, char *old) {
    g_free(parser->directory);
    parser->directory = old;
}

static void warn_about_name(const IniEntry *entry, const char *name, const Setting *setting, const char *shown) {
    if (name != entry->name)
        events_warning("%s:%u: %s: the @ before a setting has no meaning any more, write %s=", shown, entry->line,
                entry->name, name);
    if (strcmp(name, setting->name) != 0)
        events_warning("%s:%u: %s= is an old name, use %s=", shown, entry->line, name, setting->name);
    if (strcmp(entry->section, setting->section) != 0)
        events_warning("%s:%u: %s= belongs in [%s], not in [%s]", shown, entry->line, setting->name, setting->section,
                entry->section);
}

/* An indented setting silently continues the one before it, which is hardly ever meant. */
static void warn_about_swallowed(const IniEntry *entry, const char *shown) {
    g_auto(GStrv) lines = g_strsplit(entry->value, "\n", -1);
    for (char **line = lines; *line && line[1]; line++) {
        char *equals = strchr(line[1], '=');
        if (!equals)
            continue;
        g_autofree char *name = g_strstrip(g_strndup(line[1], equals - line[1]));
        if (setting_by_name(name))
            events_warning("%s:%u: %s=: The indented line \"%s\" is read as part of this value; indent it like %s= "
                           "if it is a setting",
                    shown, entry->line, entry->name, line[1], entry->name);
    }
}

static gboolean assign_entry(
        ImageParser *parser, const IniEntry *entry, const char *path, const char *shown, GError **error) {
    const char *name = entry->name + (entry->name[0] == '@');
    const Setting *setting = setting_by_name(name);
    if (!setting) {
        g_autofree char *suggestion = suggest_setting(name);
        events_warning("%s:%u: Unknown setting %s=, ignoring it%s", shown, entry->line, entry->name, suggestion);
        return TRUE;
    }
    if (!setting_allowed(parser, setting)) {
        g_set_error(error, RECIPE_ERROR, RECIPE_ERROR_SYNTAX,
                "%s:%u: %s=: It cannot be set for the image %s, only for the main image; move it to "
                "mkosi.conf",
                shown, entry->line, setting->name, parser->image);
        return FALSE;
    }
    warn_about_name(entry, name, setting, shown);
    if (setting->shape != SHAPE_MAP) /* whose elements look like that */
        warn_about_swallowed(entry, shown);

    g_autofree char *text = expand_specifiers(parser, entry->value, path, entry->line);
    Slot *slot = &parser->files.slots[setting_slot(setting)];
    ParseContext context = {parser->directory, FALSE};
    if (setting->type == TYPE_INCLUDE) {
        g_autofree char *origin = g_strdup_printf("%s:%u: Include=", shown, entry->line);
        return includes_add(parser->includes, text, origin, &context, error);
    }
    guint before = value_length(slot->value);
    if (!slot_assign(slot, setting, text, &context, error)) {
        g_prefix_error(error, "%s:%u: %s=: ", shown, entry->line, setting->name);
        return FALSE;
    }
    if (setting->type == TYPE_SCRIPT && *text && value_length(slot->value) == before)
        events_warning("%s:%u: %s=: There is no such script: %s", shown, entry->line, setting->name, text);
    slot->origin = origin_of(shown, entry->line);
    return TRUE;
}

/* Reads INCLUDE unless the same file was read by another name. */
static gboolean read_include(ImageParser *parser, const Include *include, GError **error) {
    g_autofree char *builtin =
            is_builtin_configuration(include->path) ? builtin_configuration_path(include->path) : NULL;
    const char *path = builtin ?: include->path;
    struct stat info;

    if (stat(path, &info) < 0) {
        g_set_error(error, RECIPE_ERROR, RECIPE_ERROR_MISSING, "%s: \"%s\" does not exist", include->origin, path);
        return FALSE;
    }
    return !includes_note_file(parser->includes, &info) ||
           image_parser_read(parser, path, S_ISDIR(info.st_mode) ? READ_PROFILES : 0, NULL, error);
}

/* There are more of them while one is read. */
gboolean image_parser_include_pending(ImageParser *parser, GError **error) {
    for (const Include *include; (include = includes_next(parser->includes));)
        if (!read_include(parser, include, error))
            return FALSE;
    return TRUE;
}

static IniFile *parse_text(
        const char *text, gsize length, const char *shown, gboolean (*counts)(const char *section), GError **error) {
    guint line = 0;
    IniFile *file = ini_parse(text, length, counts, &line, error);
    if (!file)
        g_prefix_error(error, "%s:%u: ", shown, line);
    return file;
}

static gboolean read_settings(
        ImageParser *parser, const char *text, gsize length, const char *path, const char *shown, GError **error) {
    g_autoptr(IniFile) file = parse_text(text, length, shown, is_settings_section, error);
    if (!file)
        return FALSE;
    events_debug("Reading %s", shown);
    g_ptr_array_add(parser->files_read, g_strdup(path));
    for (guint i = 0; i < file->entries->len; i++) {
        const IniEntry *entry = &g_array_index(file->entries, IniEntry, i);
        if (!entry->name)
            continue;
        if (!assign_entry(parser, entry, path, shown, error) || !image_parser_include_pending(parser, error))
            return FALSE;
    }
    return TRUE;
}

static gboolean read_local(ImageParser *parser, GError **error) {
    static const char *const names[] = {"mkosi.local", "mkosi.local.conf"};
    for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *path = g_build_filename(parser->directory, names[i], NULL);
        if (!g_file_test(path, G_FILE_TEST_EXISTS) || is_directory(path) != (i == 0))
            continue;
        if (!image_parser_read(parser, path, 0, NULL, error))
            return FALSE;
        image_parser_promote_files(parser);
    }
    return TRUE;
}

static gboolean read_drop_ins(ImageParser *parser, GError **error) {
    g_autofree char *directory = g_build_filename(parser->directory, "mkosi.conf.d", NULL);
    g_autoptr(GPtrArray) names = list_directory_if_any(directory);
    for (guint i = 0; i < names->len; i++) {
        const char *name = names->pdata[i];
        g_autofree char *path = g_build_filename(directory, name, NULL);
        gboolean conf = g_str_has_suffix(name, ".conf") && strcmp(name, ".conf") != 0;
        if ((conf || is_directory(path)) && !image_parser_read(parser, path, 0, NULL, error))
            return FALSE;
    }
    return TRUE;
}

static gboolean read_profiles(ImageParser *parser, GError **error) {
    g_autoptr(Value) profiles = image_parser_value(parser, SETTING_PROFILES);
    for (guint i = 0; i < value_length(profiles); i++) {
        const char *name = value_get_string(value_element(profiles, i));
        g_autofree char *directory = g_build_filename(parser->directory, "mkosi.profiles", name, NULL);
        g_autofree char *file = g_strconcat(directory, ".conf", NULL);
        if (access(directory, F_OK) == 0 && !image_parser_read(parser, directory, 0, NULL, error))
            return FALSE;
        if (access(file, F_OK) == 0 && !image_parser_read(parser, file, 0, NULL, error))
            return FALSE;
    }
    return TRUE;
}

static gboolean read_companions(ImageParser *parser, GError **error) {
    /* One look at the directory instead of one for each of the many names. */
    g_autoptr(GPtrArray) list = list_directory_if_any(parser->directory);
    g_autoptr(GHashTable) names = g_hash_table_new(g_str_hash, g_str_equal);
    for (guint i = 0; i < list->len; i++)
        g_hash_table_add(names, list->pdata[i]);
    return image_parser_read_companions(parser, names, error);
}

/* FALSE with ERROR set when PATH cannot be read to its end; /dev/null stands for an empty file. */
static gboolean check_readable(const char *path, GError **error) {
    struct stat info;
    if (stat(path, &info) < 0 || S_ISREG(info.st_mode) || (S_ISCHR(info.st_mode) && info.st_rdev == makedev(1, 3)))
        return TRUE;
    g_set_error_literal(error, RECIPE_ERROR, RECIPE_ERROR_SYNTAX, "It is neither a file nor a directory to read");
    return FALSE;
}

/* The content of PATH; NULL without an error when there is no such file. */
static gboolean load(const char *path, const char *shown, char **ret, gsize *ret_length, GError **error) {
    g_autoptr(GError) problem = NULL;
    *ret = NULL;
    *ret_length = 0;
    if (check_readable(path, &problem) && (g_file_get_contents(path, ret, ret_length, &problem) ||
                                                  g_error_matches(problem, G_FILE_ERROR, G_FILE_ERROR_NOENT)))
        return TRUE;
    g_propagate_prefixed_error(error, g_steal_pointer(&problem), "%s: ", shown);
    return FALSE;
}

/* What the conditions of the text say; TRUE without a text. */
static gboolean check_conditions(ImageParser *parser, const char *text, gsize length, const char *path,
        const char *shown, gboolean *ret_hold, GError **error) {
    *ret_hold = TRUE;
    if (!text)
        return TRUE;
    g_autofree char *unmet = NULL;
    g_autoptr(IniFile) file = parse_text(text, length, shown, is_condition_section, error);
    if (!file || !conditions_check(parser, file, path, &unmet, error))
        return FALSE;
    *ret_hold = !unmet;
    image_parser_trace(parser, unmet ? RECIPE_READ_SKIPPED : RECIPE_READ_FILE, path, unmet);
    return TRUE;
}

static gboolean read_inside(ImageParser *parser, const char *path, gboolean directory, ReadFlags flags,
        gboolean *ret_matched, GError **error) {
    g_autofree char *shown = path_for_people(path), *text = NULL;
    gsize length;
    if (!load(path, shown, &text, &length, error) ||
            !check_conditions(parser, text, length, path, shown, ret_matched, error))
        return FALSE;
    if (!*ret_matched)
        return TRUE;
    if (directory && (flags & READ_LOCAL) && !read_local(parser, error))
        return FALSE;
    if (directory && !read_companions(parser, error))
        return FALSE;
    if (text && !read_settings(parser, text, length, path, shown, error))
        return FALSE;
    if (directory && !read_drop_ins(parser, error))
        return FALSE;
    return !(flags & READ_PROFILES) || read_profiles(parser, error);
}

gboolean image_parser_read(
        ImageParser *parser, const char *path, ReadFlags flags, gboolean *ret_matched, GError **error) {
    gboolean ignored;
    if (!is_directory(path))
        return read_inside(parser, path, FALSE, flags, ret_matched ?: &ignored, error);
    char *old = enter(parser, path);
    g_autofree char *file = g_build_filename(parser->directory, "mkosi.conf", NULL);
    gboolean good = read_inside(parser, file, TRUE, flags, ret_matched ?: &ignored, error);
    leave(parser, old);
    return good;
}
