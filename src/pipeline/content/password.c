/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pipeline/content/password.h"

#include <crypt.h>
#include <string.h>

#include "pipeline/state/image-build.h"

/* The characters of a salt, crypt(5). */
static const char alphabet[] = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
#define SALT_LENGTH 16

static void add_word(GChecksum *digest, const char *word) {
    /* With the zero byte: "ab", "c" is not "a", "bc". */
    g_checksum_update(digest, (const guchar *) (word ? word : ""), strlen(word ? word : "") + 1);
}

static void make_salt(const ImageConfig *config, char ret_salt[static SALT_LENGTH + 1]) {
    g_autoptr(GChecksum) digest = g_checksum_new(G_CHECKSUM_SHA256);
    guint8 bytes[32];
    gsize length = sizeof(bytes);

    add_word(digest, "particleos root password salt");
    add_word(digest, config->seed);
    add_word(digest, config->image_id);
    add_word(digest, config->image);
    g_checksum_get_digest(digest, bytes, &length);
    for (gsize i = 0; i < SALT_LENGTH; i++)
        ret_salt[i] = alphabet[bytes[i] % 64];
    ret_salt[SALT_LENGTH] = '\0';
}

char *password_hash(const ImageConfig *config, GError **error) {
    const RecipePassword *password = &config->root_password;
    struct crypt_data data = {};
    char salt[SALT_LENGTH + 1];

    if (password->hashed || !*password->text)
        return g_strdup(password->text);

    make_salt(config, salt);
    g_autofree char *setting = g_strdup_printf("$6$%s$", salt);
    const char *hash = crypt_r(password->text, setting, &data);
    if (!hash || *hash == '*') {
        g_set_error(error, BUILD_ERROR, BUILD_ERROR_FAILED, "Cannot hash the root password");
        return NULL;
    }
    return g_strdup(hash);
}
