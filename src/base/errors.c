/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/errors.h"

gboolean set_errno_error(GError **error, int number, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    g_autofree char *what = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    g_set_error(error, G_FILE_ERROR, g_file_error_from_errno(number), "%s: %s", what, g_strerror(number));
    return FALSE;
}
