/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tlog-proof.h"

#include <string.h>

#include "format/tlog/tlog-text.h"

#define FIRST_LINE "c2sp.org/tlog-proof@v1"

void tlog_proof_clear(TlogProof *proof) {
    g_clear_pointer(&proof->path, g_array_unref);
    g_clear_pointer(&proof->extra, g_bytes_unref);
    g_clear_pointer(&proof->checkpoint, g_free);
}

char *tlog_proof_to_text(const TlogProof *proof) {
    GString *text = g_string_new(FIRST_LINE "\n");

    if (proof->extra) {
        gsize size;
        const guchar *data = g_bytes_get_data(proof->extra, &size);
        g_autofree char *encoded = g_base64_encode(data, size);
        g_string_append_printf(text, "extra %s\n", encoded);
    }
    g_string_append_printf(text, "index %" G_GUINT64_FORMAT "\n", proof->index);
    for (guint i = 0; i < proof->path->len; i++) {
        g_autofree char *hash = g_base64_encode(g_array_index(proof->path, TlogHash, i).bytes, SHA256_SIZE);
        g_string_append_printf(text, "%s\n", hash);
    }
    g_string_append_printf(text, "\n%s", proof->checkpoint);
    return g_string_free(text, FALSE);
}

/* What stands behind WORD and a space in the line, or NULL. */
static const char *behind(const char *line, const char *word) {
    gsize n = strlen(word);
    return line && g_str_has_prefix(line, word) && line[n] == ' ' ? line + n + 1 : NULL;
}

static gboolean read_head(char **lines, TlogProof *proof) {
    const char *extra = NULL, *index;

    if (g_strcmp0(*lines++, FIRST_LINE) != 0)
        return FALSE;
    if ((extra = behind(*lines, "extra"))) {
        gsize size = 0;
        g_autofree guchar *data = g_base64_decode(extra, &size);
        g_autofree char *again = g_base64_encode(data, size);
        if (!g_str_equal(again, extra))
            return FALSE;
        proof->extra = g_bytes_new(data, size);
        lines++;
    }
    if (!(index = behind(*lines, "index")) || !tlog_text_parse_number(index, &proof->index))
        return FALSE;
    for (lines++; *lines; lines++) {
        TlogHash hash;
        if (!tlog_text_parse_hash(*lines, &hash) || proof->path->len >= TLOG_LEVELS)
            return FALSE;
        g_array_append_val(proof->path, hash);
    }
    return TRUE;
}

gboolean tlog_proof_parse(const char *data, gsize size, TlogProof *ret, GError **error) {
    g_auto(TlogProof) proof = {.path = g_array_new(FALSE, FALSE, sizeof(TlogHash))};
    const char *end = size <= TLOG_PROOF_SIZE_MAX && !memchr(data, 0, size) ? g_strstr_len(data, (gssize) size, "\n\n") : NULL;
    g_autofree char *head = end ? g_strndup(data, (gsize) (end - data)) : NULL;
    g_auto(GStrv) lines = head ? g_strsplit(head, "\n", -1) : NULL;

    if (!lines || !read_head(lines, &proof)) {
        g_set_error_literal(error, TLOG_ERROR, TLOG_ERROR_MALFORMED, "it is no proof of a log (tlog-proof@v1)");
        return FALSE;
    }
    proof.checkpoint = g_strndup(end + 2, size - (gsize) (end + 2 - data));
    *ret = proof;
    proof = (TlogProof){0};
    return TRUE;
}

gboolean tlog_proof_check(const TlogProof *proof, const void *entry, gsize size, const TlogVerifier *verifier,
        TlogCheckpoint *ret, GError **error) {
    g_auto(TlogCheckpoint) checkpoint = {NULL};
    TlogHash leaf = tlog_leaf_hash(entry, size);

    if (!tlog_checkpoint_open(proof->checkpoint, strlen(proof->checkpoint), verifier, &checkpoint, error)) {
        g_prefix_error(error, "the checkpoint: ");
        return FALSE;
    }
    if (!tlog_check_inclusion((const TlogHash *) (gpointer) proof->path->data, proof->path->len, proof->index,
                checkpoint.size, &leaf, &checkpoint.root, error))
        return FALSE;
    *ret = checkpoint;
    checkpoint.origin = NULL;
    return TRUE;
}
