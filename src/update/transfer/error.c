/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "update/transfer/error.h"

G_DEFINE_QUARK(particleos - update - error - quark, update_error)

gboolean update_fail(GError **error, UpdateError code, const char *format, ...) {
    g_autofree char *message = NULL;
    va_list arguments;

    va_start(arguments, format);
    message = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    g_set_error_literal(error, UPDATE_ERROR, code, message);
    return FALSE;
}
