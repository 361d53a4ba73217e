/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "signer/text/error.h"

#include "signer/client/protocol.h"

G_DEFINE_QUARK(signer-error-quark, signer_error)

const char *signer_error_to_word(const GError *error) {
    static const char *const words[] = {
            [SIGNER_ERROR_MALFORMED] = SIGNER_REFUSED_MALFORMED,
            [SIGNER_ERROR_UNKNOWN] = SIGNER_REFUSED_UNKNOWN,
            [SIGNER_ERROR_POLICY] = SIGNER_REFUSED_POLICY,
            [SIGNER_ERROR_CONTENT] = SIGNER_REFUSED_CONTENT,
            [SIGNER_ERROR_REPLAYED] = SIGNER_REFUSED_REPLAYED,
            [SIGNER_ERROR_VERSION] = SIGNER_REFUSED_VERSION,
            [SIGNER_ERROR_LIMIT] = SIGNER_REFUSED_LIMIT,
            [SIGNER_ERROR_BUSY] = SIGNER_REFUSED_BUSY,
            [SIGNER_ERROR_FAILED] = SIGNER_REFUSED_FAILED,
            [SIGNER_ERROR_APPROVAL] = SIGNER_REFUSED_APPROVAL,
    };
    return error->domain == SIGNER_ERROR && error->code >= 0 && error->code < (int) G_N_ELEMENTS(words)
                   ? words[error->code]
                   : SIGNER_REFUSED_FAILED;
}

gboolean signer_refuse(GError **error, SignerError code, const char *format, ...) {
    va_list arguments;

    va_start(arguments, format);
    g_autofree char *text = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    g_set_error_literal(error, SIGNER_ERROR, code, text);
    return FALSE;
}

gboolean signer_refuse_because(GError **error, GError *problem, SignerError code, const char *format, ...) {
    va_list arguments;

    va_start(arguments, format);
    g_autofree char *text = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    g_set_error(error, SIGNER_ERROR, code, "%s: %s", text, problem ? problem->message : "it cannot be read");
    g_clear_error(&problem);
    return FALSE;
}
