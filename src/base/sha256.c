/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/sha256.h"

#include <openssl/evp.h>

struct Sha256 {
    EVP_MD *method;
    EVP_MD_CTX *context;
};

/* It fails only when memory is gone, in which case GLib aborts as well. */
static void check(int result) {
    if (result != 1)
        g_error("OpenSSL failed to compute a SHA-256 digest");
}

void sha256_buffer(const void *data, gsize size, guint8 ret_digest[static SHA256_SIZE]) {
    check(EVP_Digest(size > 0 ? data : "", size, ret_digest, NULL, EVP_sha256(), NULL));
}

Sha256 *sha256_new(void) {
    Sha256 *sha = g_new0(Sha256, 1);

    sha->method = EVP_MD_fetch(NULL, "SHA256", NULL);
    sha->context = EVP_MD_CTX_new();
    if (!sha->method || !sha->context)
        g_error("OpenSSL offers no SHA-256");
    check(EVP_DigestInit_ex2(sha->context, sha->method, NULL));
    return sha;
}

void sha256_free(Sha256 *sha) {
    if (!sha)
        return;
    EVP_MD_CTX_free(sha->context);
    EVP_MD_free(sha->method);
    g_free(sha);
}

void sha256_update(Sha256 *sha, const void *data, gsize size) {
    check(EVP_DigestUpdate(sha->context, data, size));
}

void sha256_finish(Sha256 *sha, guint8 ret_digest[static SHA256_SIZE]) {
    check(EVP_DigestFinal_ex(sha->context, ret_digest, NULL));
    check(EVP_DigestInit_ex2(sha->context, sha->method, NULL));
}

void sha256_digest(Sha256 *sha, const guint8 *prefix, gsize prefix_size, const void *data, gsize size,
        guint8 ret_digest[static SHA256_SIZE]) {
    if (prefix_size > 0)
        sha256_update(sha, prefix, prefix_size);
    sha256_update(sha, data, size);
    sha256_finish(sha, ret_digest);
}
