/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kitchen/model/people/password.h"

#include <crypt.h>
#include <string.h>

#include "kitchen/model/database/database.h"
#include "kitchen/model/database/secret.h"

/* Of nothing that anybody knows: compared with when there is no account, so that this takes as long. */
#define NOBODY "$y$j9T$AAAAAAAAAAAAAAAAAAAAA.$XXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXX"

char *password_hash(const char *password, GError **error) {
    g_autofree struct crypt_data *data = g_new0(struct crypt_data, 1);
    char setting[CRYPT_GENSALT_OUTPUT_SIZE];
    const char *hash = NULL;
    gsize length = strlen(password);

    if (length < PASSWORD_MIN || length > PASSWORD_MAX) {
        g_set_error(error, DATABASE_ERROR, DATABASE_ERROR_CONFLICT,
                "A password has %d to %d characters; this one has %" G_GSIZE_FORMAT, PASSWORD_MIN, PASSWORD_MAX,
                length);
        return NULL;
    }
    if (crypt_gensalt_rn("$y$", 0, NULL, 0, setting, sizeof(setting)))
        hash = crypt_rn(password, setting, data, sizeof(*data));
    if (!hash || hash[0] == '*') {
        g_set_error(error, DATABASE_ERROR, DATABASE_ERROR_FAILED, "libcrypt cannot hash a password with yescrypt");
        return NULL;
    }
    return g_strdup(hash);
}

gboolean password_matches(const char *hash, const char *password) {
    g_autofree struct crypt_data *data = g_new0(struct crypt_data, 1);
    const char *made = NULL;

    if (strlen(password) > PASSWORD_MAX)
        password = "";
    made = crypt_rn(password, hash ?: NOBODY, data, sizeof(*data));
    return hash && made && made[0] != '*' && secret_equal(hash, made);
}
