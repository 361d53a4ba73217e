/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tlog-checkpoint.h"

#include <string.h>

#include "format/tlog/tlog-text.h"

void tlog_checkpoint_clear(TlogCheckpoint *checkpoint) {
    g_clear_pointer(&checkpoint->origin, g_free);
}

char *tlog_checkpoint_to_text(const TlogCheckpoint *checkpoint) {
    g_autofree char *root = g_base64_encode(checkpoint->root.bytes, SHA256_SIZE);

    return g_strdup_printf("%s\n%" G_GUINT64_FORMAT "\n%s\n", checkpoint->origin, checkpoint->size, root);
}

gboolean tlog_checkpoint_parse(const char *text, TlogCheckpoint *ret, GError **error) {
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    guint n = g_strv_length(lines);
    TlogCheckpoint found = {NULL};
    gboolean good = n >= 4 && *lines[0] && tlog_text_parse_number(lines[1], &found.size) &&
                    tlog_text_parse_hash(lines[2], &found.root) && !*lines[n - 1];

    for (guint i = 3; good && i + 1 < n; i++)
        good = *lines[i] != '\0';
    if (!good) {
        g_set_error_literal(error, TLOG_ERROR, TLOG_ERROR_MALFORMED, "it is no checkpoint of a log");
        return FALSE;
    }
    found.origin = g_strdup(lines[0]);
    *ret = found;
    return TRUE;
}

gboolean tlog_checkpoint_open(
        const char *data, gsize size, const TlogVerifier *verifier, TlogCheckpoint *ret, GError **error) {
    g_autofree char *text = tlog_note_open(data, size, verifier, error);
    g_auto(TlogCheckpoint) found = {NULL};

    if (!text || !tlog_checkpoint_parse(text, &found, error))
        return FALSE;
    if (!g_str_equal(found.origin, verifier->name)) {
        g_set_error(error, TLOG_ERROR, TLOG_ERROR_SIGNATURE, "it is a checkpoint of the log %s, not of %s", found.origin,
                verifier->name);
        return FALSE;
    }
    *ret = found;
    found.origin = NULL;
    return TRUE;
}
