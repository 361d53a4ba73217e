/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What of logs comes from others: notes, keys, checkpoints, proofs, bundles of entries. */
#include <stdint.h>
#include <string.h>

#include "format/tlog/tlog-proof.h"
#include "format/tlog/tlog-tile.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define KEY "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"

static void check_proof(const char *text, gsize size, const TlogVerifier *verifier) {
    g_autoptr(GError) error = NULL;
    g_auto(TlogProof) proof = {0};
    g_auto(TlogCheckpoint) checkpoint = {NULL};

    if (!tlog_proof_parse(text, size, &proof, &error)) {
        g_assert_nonnull(error);
        return;
    }
    g_autofree char *again = tlog_proof_to_text(&proof);
    g_assert_cmpmem(again, strlen(again), text, size);
    g_assert_false(tlog_proof_check(&proof, "entry", 5, verifier, &checkpoint, NULL));
}

static void check_bundle(const uint8_t *data, gsize size) {
    g_autoptr(GByteArray) again = g_byte_array_new();
    guint n = size > 0 ? data[0] : 0;
    g_autoptr(GPtrArray) entries = size > 0 ? tlog_bundle_parse(data + 1, size - 1, n, NULL) : NULL;

    for (guint i = 0; entries && i < n; i++)
        tlog_bundle_append(again, g_bytes_get_data(entries->pdata[i], NULL), g_bytes_get_size(entries->pdata[i]));
    if (entries)
        g_assert_cmpmem(again->data, again->len, data + 1, size - 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    g_autofree char *text = g_strndup((const char *) data, size);
    g_auto(TlogVerifier) verifier = {NULL}, other = {NULL};
    g_auto(TlogCheckpoint) checkpoint = {NULL};

    if (!tlog_verifier_parse(KEY, &verifier, NULL))
        g_assert_not_reached();
    g_autofree char *note = tlog_note_open((const char *) data, size, &verifier, NULL);
    g_assert_true(!note || strlen(note) < size);
    if (tlog_verifier_parse(text, &other, NULL)) {
        g_autofree char *again = tlog_verifier_to_text(&other);
        g_assert_cmpstr(again, ==, text);
    }
    if (tlog_checkpoint_parse(text, &checkpoint, NULL))
        g_assert_cmpuint(checkpoint.size, <=, G_MAXINT64);
    check_proof((const char *) data, size, &verifier);
    check_bundle(data, size);
    return 0;
}
