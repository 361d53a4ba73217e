/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Keys and signatures of SSH: a line with a key, and a signature behind it. */
#include "format/sshsig/sshsig.h"

#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    const uint8_t *end = size > 0 ? memchr(data, '\n', size) : NULL;
    g_autofree char *line = g_strndup((const char *) data, end ? (gsize) (end - data) : size);
    const char *signature = end ? (const char *) end + 1 : "";
    gsize signature_size = end ? size - (gsize) (end + 1 - data) : 0;
    g_autoptr(GError) error = NULL;
    g_autoptr(GBytes) key = sshsig_key_parse(line, &error);
    g_autoptr(GBytes) peeked = sshsig_peek_key(signature, signature_size, NULL);
    GBytes *either = key ?: peeked;

    g_assert_true((key != NULL) == (error == NULL));
    /* Nobody signed these bytes. */
    if (either)
        g_assert_false(sshsig_verify(signature, signature_size, either, "particleos-release", "another", 7, NULL));
    return 0;
}
