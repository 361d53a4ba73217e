/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sha256.h"

#include <openssl/evp.h>

struct Sha256 {
    EVP_MD *method;
    EVP_MD_CTX *context;
};

Sha256 *sha256_new(void) {
    Sha256 *sha = g_new0(Sha256, 1);
    sha->method = EVP_MD_fetch(NULL, "SHA256", NULL);
    sha->context = EVP_MD_CTX_new();
    if (!sha->method || !sha->context)
        g_error("OpenSSL offers no SHA-256");
    return sha;
}

void sha256_free(Sha256 *sha) {
    if (!sha)
        return;
    EVP_MD_CTX_free(sha->context);
    EVP_MD_free(sha->method);
    g_free(sha);
}

void sha256_digest(Sha256 *sha, const guint8 *prefix, gsize prefix_size, const void *data, gsize size,
        guint8 digest[SHA256_SIZE]) {
    if (!EVP_DigestInit_ex2(sha->context, sha->method, NULL) ||
            (prefix_size > 0 && !EVP_DigestUpdate(sha->context, prefix, prefix_size)) ||
            !EVP_DigestUpdate(sha->context, data, size) || !EVP_DigestFinal_ex(sha->context, digest, NULL))
        g_error("OpenSSL failed to compute a SHA-256 digest");
}
