/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "recipe/values/value-parse-internal.h"

#include <string.h>
#include <sys/stat.h>

#include "recipe/language/enum-words.h"
#include "recipe/values/paths.h"
#include "recipe/language/error.h"

gboolean check_secret(const char *path, GError **error) {
    struct stat info;
    if (stat(path, &info) < 0 || (info.st_mode & 007) == 0)
        return TRUE;
    g_autofree char *shown = path_for_people(path);
    parse_failed(error, "%s holds a secret, but its mode %04o lets everybody use it; run \"chmod 600 %s\"", shown,
            info.st_mode & 07777, shown);
    return FALSE;
}

static gboolean check_exists(const Setting *setting, const char *text, const char *path, GError **error) {
    struct stat info;
    if (stat(path, &info) < 0) {
        g_set_error(error, RECIPE_ERROR, RECIPE_ERROR_MISSING, "\"%s\" does not exist (looked for %s)", text, path);
        return FALSE;
    }
    if ((setting->flags & SETTING_DIRECTORY) && !S_ISDIR(info.st_mode)) {
        parse_failed(error, "\"%s\" is not a directory", text);
        return FALSE;
    }
    return TRUE;
}

char *parse_path_text(const Setting *setting, const char *text, const ParseContext *context, GError **error) {
    g_autofree char *expanded = path_expand_variables(text);
    g_autofree char *path = path_expand_home(expanded, error);
    if (!path)
        return NULL;

    g_autofree char *resolved = path_resolve(context->directory, path);
    if ((setting->flags & SETTING_MUST_EXIST) && !check_exists(setting, text, resolved, error))
        return NULL;
    if ((setting->flags & SETTING_ABSOLUTE) && !g_path_is_absolute(path)) {
        parse_failed(error, "\"%s\" must be an absolute path", text);
        return NULL;
    }
    if ((setting->flags & SETTING_NOT_IN_USR) && (strcmp(path, "/usr") == 0 || g_str_has_prefix(path, "/usr/"))) {
        parse_failed(error, "\"%s\" must not be below /usr", text);
        return NULL;
    }
    if ((setting->flags & SETTING_SECRET) && !check_secret(resolved, error))
        return NULL;
    return g_steal_pointer(&resolved);
}

Value *parse_path(const Setting *setting, const char *text, const ParseContext *context, GError **error) {
    if (setting->constants && word_index(setting->constants, text) >= 0)
        return value_new_string(text);
    return value_new_string_take(parse_path_text(setting, text, context, error));
}

void parse_script_glob(const char *pattern, const ParseContext *context, Value *list) {
    g_auto(GStrv) found = path_glob(context->directory, pattern);
    for (char **path = found; *path; path++)
        value_append(list, value_new_string_take(path_resolve("/", *path)));
}

Value *parse_tree(const Setting *setting, const char *text, const ParseContext *context, GError **error) {
    const char *colon = strchr(text, ':');
    g_autofree char *source = colon ? g_strndup(text, colon - text) : g_strdup(text);
    g_autofree char *path = parse_path_text(setting, source, context, error);
    if (!path)
        return NULL;
    g_autofree char *expanded = colon ? path_expand_variables(colon + 1) : NULL;
    g_autofree char *target = expanded ? path_clean(expanded) : NULL;
    if (target && !g_path_is_absolute(target) && !(setting->flags & SETTING_RELATIVE_TARGET))
        return parse_failed(error, "The target \"%s\" of \"%s\" must be an absolute path", target, text);

    Value *tree = value_new_map();
    value_set(tree, "Source", value_new_string_take(g_steal_pointer(&path)));
    value_set(tree, "Target", value_new_string_take(g_steal_pointer(&target)));
    return tree;
}

static Value *parse_existing_key(
        const Setting *setting, const char *text, const ParseContext *context, GError **error) {
    g_autofree char *path = parse_path_text(setting, text, context, error);

    if (!path || (setting->type == TYPE_KEY && !check_secret(path, error)))
        return NULL;
    return value_new_string_take(g_steal_pointer(&path));
}

Value *parse_key(const Setting *setting, const char *text, const ParseContext *context, GError **error) {
    g_autofree char *path = path_absolute(context->directory, text);
    struct stat info;
    if (stat(path, &info) < 0) {
        /* A URI, or a file that is yet to be made. */
        gboolean uri = strcspn(text, ":") < strcspn(text, "/");
        return uri ? value_new_string(text) : value_new_string_take(path_clean(text));
    }
    return parse_existing_key(setting, text, context, error);
}
