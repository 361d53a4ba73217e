/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "recipe/values/value-parse-internal.h"

#include <string.h>
#include <sys/stat.h>

#include "base/directory.h"
#include "events/events.h"
#include "recipe/values/ini.h"
#include "recipe/values/paths.h"
#include "recipe/language/error.h"
#include "recipe/values/split.h"
#include "text/recipe-values.h"

/* Part I of PARTS, or NULL when it is absent or empty. */
static const char *part(char **parts, guint count, guint i) {
    return i < count && *parts[i] ? parts[i] : NULL;
}

static Value *parse_drive_flags(const char *text, GError **error) {
    g_autoptr(Value) flags = value_new_list();
    g_auto(GStrv) words = g_strsplit(text ?: "", ",", -1);
    for (char **word = words; *word; word++) {
        if (strcmp(*word, "persist") != 0)
            return parse_failed(error, "\"%s\" is not a flag of a drive; the only one is persist", *word);
        value_append(flags, value_new_string(*word));
    }
    return g_steal_pointer(&flags);
}

Value *parse_drive(const Setting *setting, const char *text, const ParseContext *context, GError **error) {
    g_auto(GStrv) parts = g_strsplit(text, ":", -1);
    guint count = g_strv_length(parts);
    gint64 size;
    if (count < 2 || count > 6)
        return parse_failed(error, "\"%s\" must read ID:SIZE[:DIRECTORY[:OPTIONS[:FILEID[:FLAGS]]]]", text);
    if (!parse_file_name(parts[0], error) || !parse_bytes(parts[1], &size, error))
        return NULL;

    const Setting must_exist = {.flags = SETTING_MUST_EXIST};
    g_autofree char *directory = NULL;
    if (part(parts, count, 2)) {
        directory = parse_path_text(&must_exist, parts[2], context, error);
        if (!directory)
            return NULL;
    }
    Value *flags = parse_drive_flags(part(parts, count, 5), error);
    if (!flags)
        return NULL;

    Value *drive = value_new_map();
    value_set(drive, "Id", value_new_string(parts[0]));
    value_set(drive, "Size", value_new_int(size));
    value_set(drive, "Directory", value_new_string_take(g_steal_pointer(&directory)));
    value_set(drive, "Options", value_new_string(part(parts, count, 3)));
    value_set(drive, "FileId", value_new_string(part(parts, count, 4) ?: parts[0]));
    value_set(drive, "Flags", flags);
    return drive;
}

static Value *new_credential(const char *name, const char *value, const char *path) {
    Value *credential = value_new_map();
    value_set(credential, "Name", value_new_string(name));
    value_set(credential, "Value", value_new_string(value));
    value_set(credential, "Path", value_new_string(path));
    return credential;
}

static gboolean append_credential_directory(const char *path, Value *list, GError **error) {
    g_autoptr(GPtrArray) names = list_directory(path, error);
    if (!names)
        return FALSE;
    for (guint i = 0; i < names->len; i++) {
        g_autofree char *file = g_build_filename(path, names->pdata[i], NULL);
        if (!g_file_test(file, G_FILE_TEST_IS_DIR))
            value_append(list, new_credential(names->pdata[i], NULL, file));
    }
    return TRUE;
}

gboolean parse_credential_path(const char *text, const ParseContext *context, Value *list, GError **error) {
    g_autofree char *path = path_absolute(context->directory, text);
    if (g_file_test(path, G_FILE_TEST_IS_DIR))
        return append_credential_directory(path, list, error);
    if (!g_file_test(path, G_FILE_TEST_EXISTS)) {
        g_set_error(error, RECIPE_ERROR, RECIPE_ERROR_MISSING,
                "\"%s\" is neither NAME=VALUE nor a path that exists (looked for %s)", text, path);
        return FALSE;
    }
    g_autofree char *name = g_path_get_basename(path);
    value_append(list, new_credential(name, NULL, path));
    return TRUE;
}

gboolean parse_credentials(char **words, Value *list, GError **error) {
    for (char **word = words; *word; word++) {
        char *equals = strchr(*word, '=');
        if (equals)
            *equals++ = 0;
        if (!value_check_file_name(g_strstrip(*word), error))
            return FALSE;
        value_append(list, new_credential(*word, equals ? g_strstrip(equals) : "", NULL));
    }
    return TRUE;
}

static gboolean is_uki_profile_section(const char *section) {
    return strcmp(section, "UKIProfile") == 0;
}

/* Lines of KEY=VALUE, or nothing to start again. */
static void assign_profile(Value *profile, char *text) {
    if (!*text)
        value_clear(profile);
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    for (char **line = lines; *line; line++) {
        if (!**line)
            continue;
        char *equals = strchr(*line, '=');
        if (equals)
            *equals++ = 0;
        value_set(profile, g_strstrip(*line), value_new_string(equals ? g_strstrip(equals) : ""));
    }
}

static gboolean assign_uki_setting(Value *result, const IniEntry *entry, const char *shown, GError **error) {
    if (strcmp(entry->name, "Profile") == 0)
        assign_profile(value_lookup(result, "Profile"), entry->value);
    else if (strcmp(entry->name, "Cmdline") == 0) {
        Value *cmdline = value_lookup(result, "Cmdline");
        if (!*entry->value)
            value_clear(cmdline);
        g_auto(GStrv) words = split_value(entry->value, SPLIT_LINES, NULL);
        for (char **word = words; *word; word++)
            value_append(cmdline, value_new_string(*word));
    } else if (strcmp(entry->name, "SignExpectedPcr") == 0) {
        gboolean sign = TRUE;
        if (*entry->value && !recipe_boolean_parse(entry->value, &sign))
            return !!parse_failed(error, "%s:%u: SignExpectedPcr=: \"%s\" is not a boolean; use yes or no", shown,
                    entry->line, entry->value);
        value_set(result, "SignExpectedPcr", value_new_bool(sign));
    } else
        events_warning("%s:%u: Unknown setting %s in [UKIProfile], ignoring it", shown, entry->line, entry->name);
    return TRUE;
}

Value *parse_uki_profile(const Setting *setting, const char *text, const ParseContext *context, GError **error) {
    const Setting must_exist = {.flags = SETTING_MUST_EXIST};
    g_autofree char *path = parse_path_text(&must_exist, text, context, error);
    g_autofree char *content = NULL;
    gsize length;
    if (!path)
        return NULL;
    if (!g_file_test(path, G_FILE_TEST_IS_REGULAR))
        return parse_failed(error, "\"%s\" is not a file with the sections of a UKI profile", text);
    if (!g_file_get_contents(path, &content, &length, error))
        return NULL;

    guint line = 0;
    g_autofree char *shown = path_for_people(path);
    g_autoptr(IniFile) file = ini_parse(content, length, is_uki_profile_section, &line, error);
    if (!file) {
        g_prefix_error(error, "%s:%u: ", shown, line);
        return NULL;
    }
    g_autoptr(Value) result = value_new_map();
    value_set(result, "Profile", value_new_map());
    value_set(result, "Cmdline", value_new_list());
    value_set(result, "SignExpectedPcr", value_new_bool(TRUE));
    for (guint i = 0; i < file->entries->len; i++) {
        const IniEntry *entry = &g_array_index(file->entries, IniEntry, i);
        if (entry->name && !assign_uki_setting(result, entry, shown, error))
            return NULL;
    }
    return g_steal_pointer(&result);
}
