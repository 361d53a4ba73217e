/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/verbs.h"

#include <gio/gio.h>

gboolean verb_genkey(Recipe *recipe, int *ret_exit_status, GError **error) {
    g_set_error_literal(
            error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED, "The verb genkey is not implemented yet");
    return FALSE;
}
