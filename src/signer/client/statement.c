/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "signer/client/statement.h"

#include "base/hex.h"
#include "base/sha256.h"

char *signer_statement_to_text(const SignerStatement *statement) {
    return g_strdup_printf("ParticleOS release, statement 1\n"
                           "instance: %s\n"
                           "project: %s\n"
                           "target: %s\n"
                           "channel: %s\n"
                           "version: %s\n"
                           "entries: %s\n"
                           "previous: %s\n"
                           "not-after: %s\n",
            statement->instance, statement->project, statement->target, statement->channel, statement->version,
            statement->entries, statement->previous ?: "none", statement->not_after);
}

char *signer_statement_digest(const char *const *pairs, gsize n) {
    g_autoptr(GString) text = g_string_new(NULL);
    guint8 digest[SHA256_SIZE];

    for (gsize i = 0; i < n; i++)
        g_string_append_printf(text, "%s *%s\n", pairs[2 * i], pairs[2 * i + 1]);
    sha256_buffer(text->str, text->len, digest);
    return hex_encode(digest, sizeof digest);
}
