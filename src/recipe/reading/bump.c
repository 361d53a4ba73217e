/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "recipe/reading/bump.h"

#include <string.h>
#include <unistd.h>

#include "recipe/values/paths.h"

/* The last part one higher, or ".2" appended when it is no number. */
static char *next_version(const char *version) {
    const char *dot = strrchr(version, '.');
    const char *last = dot ? dot + 1 : version;
    guint64 number;
    if (!g_ascii_string_to_unsigned(last, 10, 0, G_MAXUINT64 - 1, &number, NULL))
        return g_strconcat(version, ".2", NULL);
    return g_strdup_printf("%.*s%" G_GUINT64_FORMAT, (int) (last - version), version, number + 1);
}

char *bump_version(const ParserRun *run, GError **error) {
    g_autofree char *file = g_build_filename(run->config_directory, "mkosi.version", NULL);
    g_autofree char *script = g_build_filename(run->config_directory, "mkosi.bump", NULL);
    g_autofree char *shown = path_for_people(file);
    if (access(file, X_OK) == 0) {
        g_set_error(error, RECIPE_ERROR, RECIPE_ERROR_SYNTAX,
                "%s: The file is a program, so the version cannot be increased", shown);
        return NULL;
    }
    if (access(script, F_OK) == 0) {
        g_autofree char *output = run_program(run, run->directory, script, error);
        if (!output) {
            g_prefix_error(error, "Cannot compute the new version with %s: ", script);
            return NULL;
        }
        return g_strdup(g_strstrip(output));
    }
    g_autofree char *version = NULL;
    if (access(file, F_OK) != 0)
        return g_strdup("1");
    if (!g_file_get_contents(file, &version, NULL, error))
        return NULL;
    return next_version(g_strstrip(version));
}
