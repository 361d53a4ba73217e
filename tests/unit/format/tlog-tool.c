/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tlog-tool.h"

#include <openssl/evp.h>
#include <string.h>

static EVP_PKEY *open_key(void) {
    const guint8 seed[TLOG_KEY_SIZE] = "the key of the log of all tests";
    EVP_PKEY *key = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed, sizeof seed);

    g_assert_nonnull(key);
    return key;
}

void tlog_tool_verifier(TlogVerifier *ret) {
    EVP_PKEY *key = open_key();
    gsize size = TLOG_KEY_SIZE;

    ret->name = g_strdup(TLOG_TOOL_NAME);
    g_assert_cmpint(EVP_PKEY_get_raw_public_key(key, ret->key, &size), ==, 1);
    EVP_PKEY_free(key);
}

char *tlog_tool_checkpoint(const TlogReader *reader, guint64 size) {
    TlogCheckpoint checkpoint = {.origin = (char *) TLOG_TOOL_NAME, .size = size};
    g_auto(TlogVerifier) verifier = {NULL};
    EVP_PKEY *key = open_key();
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    guint8 signature[TLOG_SIGNATURE_SIZE];
    gsize n = sizeof signature;

    tlog_tool_verifier(&verifier);
    g_assert_true(tlog_root(reader, size, &checkpoint.root, NULL));
    g_autofree char *text = tlog_checkpoint_to_text(&checkpoint);
    g_assert_cmpint(EVP_DigestSignInit(context, NULL, NULL, NULL, key), ==, 1);
    g_assert_cmpint(EVP_DigestSign(context, signature, &n, (const guint8 *) text, strlen(text)), ==, 1);
    EVP_MD_CTX_free(context);
    EVP_PKEY_free(key);
    return tlog_note_make(text, &verifier, signature);
}

void tlog_tool_grow(TlogStore *store, guint64 size) {
    for (guint64 i = tlog_store_get_size(store); i < size; i++) {
        g_autofree char *entry = g_strdup_printf("entry %" G_GUINT64_FORMAT, i);
        g_assert_true(tlog_store_add(store, entry, strlen(entry), NULL));
    }
}
