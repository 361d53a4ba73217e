/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/keys/signing-argument.h"

#include "recipe/language/error.h"

static gboolean set_usage(GError **error, const char *verb) {
    g_set_error(error, RECIPE_ERROR, RECIPE_ERROR_SYNTAX,
            "%s takes one argument: the directory OUTPUT" SIGNING_SUFFIX " that a build with --sign=offline made",
            verb);
    return FALSE;
}

SigningDirectory *load_signing_directory(const Arguments *arguments, GError **error) {
    char **words = arguments->words;

    if (!words[0] || words[1]) {
        set_usage(error, arguments->verb);
        return NULL;
    }
    g_autofree char *path = g_canonicalize_filename(words[0], NULL);
    return signing_directory_load(path, error);
}
