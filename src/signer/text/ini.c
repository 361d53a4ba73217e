/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "signer/text/ini.h"

#include <string.h>

#include "signer/text/error.h"

static gboolean begin_section(char *line, char **ret_section, char **ret_name, GError **error) {
    gsize length = strlen(line);

    if (length < 3 || line[length - 1] != ']')
        return signer_refuse(error, SIGNER_ERROR_POLICY, "a section is written as [Section] or [Section name]");
    line[length - 1] = '\0';
    g_auto(GStrv) words = g_strsplit(line + 1, " ", 2);
    g_free(*ret_section);
    g_free(*ret_name);
    *ret_section = g_strdup(words[0]);
    *ret_name = words[1] ? g_strdup(g_strstrip(words[1])) : NULL;
    return TRUE;
}

static gboolean read_line(
        char *line, char **section, char **name, guint number, IniVisit visit, gpointer user, GError **error) {
    char *equals = strchr(line, '=');

    if (*line == '[') {
        if (!begin_section(line, section, name, error))
            return FALSE;
        IniEntry entry = {*section, *name, NULL, NULL, number};
        return visit(user, &entry, error);
    }
    if (!*section)
        return signer_refuse(error, SIGNER_ERROR_POLICY, "a section has to come first, like [Project]");
    if (!equals || equals == line)
        return signer_refuse(error, SIGNER_ERROR_POLICY, "neither a section nor an assignment (Setting=value)");
    *equals = '\0';
    IniEntry entry = {*section, *name, g_strstrip(line), g_strstrip(equals + 1), number};
    return visit(user, &entry, error);
}

gboolean ini_read(const char *origin, const char *text, gsize size, IniVisit visit, gpointer user, GError **error) {
    if (!g_utf8_validate(text, (gssize) size, NULL))
        return signer_refuse(error, SIGNER_ERROR_POLICY, "%s: it is no text in UTF-8", origin);
    g_autofree char *copy = g_strndup(text, size);
    g_auto(GStrv) lines = g_strsplit(copy, "\n", -1);
    g_autofree char *section = NULL, *name = NULL;

    for (guint i = 0; lines[i]; i++) {
        char *line = g_strstrip(lines[i]);
        if (*line == '\0' || *line == '#' || *line == ';')
            continue;
        if (read_line(line, &section, &name, i + 1, visit, user, error))
            continue;
        g_prefix_error(error, "%s:%u: ", origin, i + 1);
        return FALSE;
    }
    return TRUE;
}
