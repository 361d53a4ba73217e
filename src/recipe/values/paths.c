/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "recipe/values/paths.h"

#include <errno.h>
#include <glob.h>
#include <limits.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/compare.h"
#include "recipe/language/error.h"

char *path_clean(const char *path) {
    g_auto(GStrv) parts = g_strsplit(path, "/", -1);
    GString *out = g_string_new(NULL);
    for (char **part = parts; *part; part++)
        if (**part && strcmp(*part, ".") != 0) {
            if (out->len > 0 || *path == '/')
                g_string_append_c(out, '/');
            g_string_append(out, *part);
        }
    if (out->len == 0)
        g_string_append_c(out, *path == '/' ? '/' : '.');
    return g_string_free(out, FALSE);
}

char *path_absolute(const char *directory, const char *path) {
    g_autofree char *joined = g_path_is_absolute(path) ? g_strdup(path) : g_build_filename("/", directory, path, NULL);
    return path_clean(joined);
}

char *path_resolve(const char *directory, const char *path) {
    g_autofree char *absolute = path_absolute(directory, path);
    char resolved[PATH_MAX];
    if (realpath(absolute, resolved))
        return g_strdup(resolved);
    if (strcmp(absolute, "/") == 0 || (errno != ENOENT && errno != ENOTDIR && errno != EACCES))
        return g_steal_pointer(&absolute);

    /* Resolve what exists and append the rest. */
    g_autofree char *parent = g_path_get_dirname(absolute);
    g_autofree char *name = g_path_get_basename(absolute);
    g_autofree char *above = path_resolve(directory, parent);
    if (strcmp(name, "..") == 0)
        return g_path_get_dirname(above);

    /* A link that leads nowhere is followed too. */
    g_autofree char *joined = g_build_filename(above, name, NULL);
    char target[PATH_MAX];
    gssize length = errno == ELOOP ? -1 : readlink(joined, target, sizeof target - 1);
    if (length <= 0)
        return g_steal_pointer(&joined);
    target[length] = 0;
    g_autofree char *next = path_absolute(above, target);
    return strcmp(next, joined) == 0 ? g_steal_pointer(&joined) : path_resolve(above, next);
}

char *path_expand_variables(const char *path) {
    GString *out = g_string_new(NULL);
    while (*path) {
        const char *start = path;
        if (*path++ != '$') {
            g_string_append_c(out, *start);
            continue;
        }
        gboolean braces = *path == '{';
        const char *name = path + braces, *end = name;
        while (g_ascii_isalnum(*end) || *end == '_')
            end++;
        g_autofree char *variable = g_strndup(name, end - name);
        const char *value = g_getenv(variable);
        if (end == name || (braces && *end != '}') || !value) {
            g_string_append_c(out, '$');
            continue;
        }
        g_string_append(out, value);
        path = end + braces;
    }
    return g_string_free(out, FALSE);
}

char *path_expand_home(const char *path, GError **error) {
    if (path[0] != '~')
        return g_strdup(path);
    gsize length = strcspn(path, "/");
    const char *home = g_getenv("HOME");
    if (length > 1 || !home) {
        g_autofree char *user = g_strndup(path + 1, length - 1);
        struct passwd *entry = length > 1 ? getpwnam(user) : getpwuid(getuid());
        if (!entry) {
            g_set_error(error, RECIPE_ERROR, RECIPE_ERROR_MISSING, "There is no user \"%s\" for \"%s\"", user, path);
            return NULL;
        }
        home = entry->pw_dir;
    }
    return g_strconcat(home, path + length, NULL);
}

/* DIRECTORY with what glob() would take for a pattern made literal. */
static char *glob_escape(const char *directory) {
    GString *out = g_string_new(NULL);
    for (; *directory; directory++)
        if (strchr("*?[", *directory))
            g_string_append_printf(out, "[%c]", *directory);
        else
            g_string_append_c(out, *directory);
    return g_string_free(out, FALSE);
}

char **path_glob(const char *directory, const char *pattern) {
    GPtrArray *found = g_ptr_array_new();
    if (!strpbrk(pattern, "*?[")) {
        g_autofree char *path = path_absolute(directory, pattern);
        if (access(path, F_OK) == 0)
            g_ptr_array_add(found, g_steal_pointer(&path));
    } else {
        g_autofree char *escaped = glob_escape(directory);
        g_autofree char *full =
                g_path_is_absolute(pattern) ? g_strdup(pattern) : g_build_filename(escaped, pattern, NULL);
        glob_t matches = {0};
        if (glob(full, GLOB_NOSORT | GLOB_NOESCAPE, NULL, &matches) == 0)
            for (gsize i = 0; i < matches.gl_pathc; i++)
                g_ptr_array_add(found, g_strdup(matches.gl_pathv[i]));
        globfree(&matches);
        g_ptr_array_sort(found, compare_strings);
    }
    g_ptr_array_add(found, NULL);
    return (char **) g_ptr_array_free(found, FALSE);
}

char *path_for_people(const char *path) {
    g_autofree char *start = g_get_current_dir();
    g_autofree char *prefix = g_strconcat(strcmp(start, "/") == 0 ? "" : start, "/", NULL);
    return g_strdup(g_str_has_prefix(path, prefix) ? path + strlen(prefix) : path);
}
