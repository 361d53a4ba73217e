/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "text/environment-file.h"

#include <string.h>

static char *read_line(char *line, char **inherited) {
    char *equals = strchr(line, '=');

    if (equals)
        *equals = '\0';
    const char *name = g_strchomp(line);
    const char *value = equals ? g_strchug(equals + 1) : g_environ_getenv(inherited, name);
    return value ? g_strconcat(name, "=", value, NULL) : g_strdup(name);
}

char **environment_file_parse(const char *text, char **inherited) {
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    GPtrArray *variables = g_ptr_array_new();

    for (char **line = lines; *line; line++) {
        g_strstrip(*line);
        if (**line && **line != '#')
            g_ptr_array_add(variables, read_line(*line, inherited));
    }
    g_ptr_array_add(variables, NULL);
    return (char **) g_ptr_array_free(variables, FALSE);
}

const char *environment_lookup(char *const *variables, const char *name) {
    gsize length = strlen(name);
    const char *value = NULL;

    for (; *variables; variables++)
        if (strncmp(*variables, name, length) == 0 && (*variables)[length] == '=')
            value = *variables + length + 1;
    return value;
}
