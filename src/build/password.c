/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "build/password.h"

#include <crypt.h>
#include <string.h>

#include "build/image-build.h"

char *password_hash(const RecipePassword *password, GError **error) {
    g_autofree char *digest = NULL, *setting = NULL;
    struct crypt_data data = {};
    const char *hash;

    if (password->hashed || !*password->text)
        return g_strdup(password->text);

    digest = g_compute_checksum_for_string(G_CHECKSUM_SHA256, password->text, -1);
    setting = g_strdup_printf("$6$%.16s$", digest);
    hash = crypt_r(password->text, setting, &data);
    if (!hash || *hash == '*') {
        g_set_error(error, BUILD_ERROR, BUILD_ERROR_FAILED, "Cannot hash the root password");
        return NULL;
    }
    return g_strdup(hash);
}
