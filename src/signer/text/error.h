/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Why the signer does not sign. */

#include <glib.h>

#define SIGNER_ERROR signer_error_quark()
GQuark signer_error_quark(void);

/* As the words SIGNER_REFUSED_… of the protocol. */
typedef enum {
    SIGNER_ERROR_MALFORMED,
    SIGNER_ERROR_UNKNOWN,
    SIGNER_ERROR_POLICY,
    SIGNER_ERROR_CONTENT,
    SIGNER_ERROR_REPLAYED,
    SIGNER_ERROR_VERSION,
    SIGNER_ERROR_LIMIT,
    SIGNER_ERROR_BUSY,
    SIGNER_ERROR_FAILED,
    SIGNER_ERROR_APPROVAL,
} SignerError;

/* The word of the protocol for ERROR; "failed" for one of another domain. */
const char *signer_error_to_word(const GError *error);

/* Sets ERROR. Returns FALSE, so that callers can return it. */
gboolean signer_refuse(GError **error, SignerError code, const char *format, ...) G_GNUC_PRINTF(3, 4);

/* Makes PROBLEM, of any domain, a refusal: the formatted text, a colon and what PROBLEM says. Takes PROBLEM,
 * which may be NULL. Returns FALSE. */
gboolean signer_refuse_because(GError **error, GError *problem, SignerError code, const char *format, ...)
        G_GNUC_PRINTF(4, 5);
