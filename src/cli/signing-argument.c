/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/signing-argument.h"

static gboolean set_usage(GError **error, const char *verb) {
    g_set_error(error, RECIPE_ERROR, RECIPE_ERROR_SYNTAX,
            "%s takes one argument: the directory OUTPUT" SIGNING_SUFFIX " that a build with --sign=offline made", verb);
    return FALSE;
}

SigningDirectory *load_signing_directory(const Recipe *recipe, const char *verb, GError **error) {
    char **arguments = recipe->arguments->arguments;

    if (!arguments || !arguments[0] || arguments[1]) {
        set_usage(error, verb);
        return NULL;
    }
    g_autofree char *path = g_canonicalize_filename(arguments[0], NULL);
    return signing_directory_load(path, error);
}
