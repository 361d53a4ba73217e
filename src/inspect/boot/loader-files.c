/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "inspect/boot/loader-files.h"

#include <fnmatch.h>
#include <string.h>

static const char *const conf_keys[] = {"timeout", "menu-hidden", "console-mode", "editor", "auto-entries",
        "auto-firmware", "auto-reboot", "auto-poweroff", "beep", "secure-boot-enroll",
        "secure-boot-enroll-action", "secure-boot-enroll-timeout-sec", "reboot-for-bitlocker",
        "reboot-on-error", "log-level", "random-seed-mode", "default", "preferred", NULL};

static const char *const entry_keys[] = {
        "title", "version", "machine-id", "sort-key", "architecture", "profile", NULL};

static const char *const program_keys[] = {"uki", "efi", "linux", NULL};

/* Splits a line into key and value; FALSE: empty, or a comment. */
static gboolean parse_line(char *line, const char **ret_key, const char **ret_value) {
    g_strstrip(line);
    if (*line == '\0' || *line == '#')
        return FALSE;
    gsize length = strcspn(line, " \t");
    char *value = line + length + strspn(line + length, " \t");
    line[length] = '\0';
    *ret_key = line;
    *ret_value = value;
    return TRUE;
}

static gboolean names_entry(const char *pattern, GPtrArray *names) {
    static const char *const automatic[] = {
            "@saved", "auto-reboot-to-firmware-setup", "auto-poweroff", "auto-reboot", NULL};
    g_autofree char *lower = g_ascii_strdown(pattern, -1);
    if (g_strv_contains(automatic, lower))
        return TRUE;
    /* "x.efi@profile" names one of several. */
    char *at = strrchr(lower, '@');
    if (at)
        *at = '\0';
    for (guint i = 0; i < names->len; i++)
        if (fnmatch(lower, names->pdata[i], 0) == 0)
            return TRUE;
    return FALSE;
}

char *loader_conf_find_problem(const char *text, GPtrArray *names) {
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    for (char **line = lines; *line; line++) {
        const char *key, *value;
        if (!parse_line(*line, &key, &value))
            continue;
        if (!g_strv_contains(conf_keys, key))
            return g_strdup_printf("the key %s is not known", key);
        if ((strcmp(key, "default") == 0 || strcmp(key, "preferred") == 0) && !names_entry(value, names))
            return g_strdup_printf("%s=%s is none of the UKIs that are here", key, value);
        if (strcmp(key, "secure-boot-enroll") == 0 && strcmp(value, "off") == 0)
            return g_strdup("it keeps the keys from being enrolled");
    }
    return NULL;
}

static gboolean names_uki(const char *value, GPtrArray *paths) {
    g_autofree char *path = g_ascii_strdown(value, -1);
    for (char *c = path; *c; c++)
        if (*c == '\\')
            *c = '/';
    const char *relative = path + strspn(path, "/");
    return g_ptr_array_find_with_equal_func(paths, relative, g_str_equal, NULL);
}

char *loader_entry_find_problem(const char *text, GPtrArray *paths) {
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    gboolean starts = FALSE;
    for (char **line = lines; *line; line++) {
        const char *key, *value;
        if (!parse_line(*line, &key, &value))
            continue;
        if (g_strv_contains(program_keys, key)) {
            starts = TRUE;
            if (!names_uki(value, paths))
                return g_strdup_printf("it starts %s, which is none of the UKIs that are here", value);
        } else if (!g_strv_contains(entry_keys, key))
            return g_strdup_printf("nobody signs what its line \"%s\" adds", key);
    }
    return starts ? NULL : g_strdup("it starts nothing");
}
