/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Where the user's build service is, and the token for it. */

#include <glib.h>

/* Sets ERROR and returns FALSE unless a token may be sent to URL: https, or http to this machine. */
gboolean login_check_url(const char *url, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Writes both to ~/.config/particleos/kitchen (mode 0600). */
gboolean login_write(const char *url, const char *token, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Reads them; both are owned by the caller. $PARTICLEOS_KITCHEN_URL and $PARTICLEOS_KITCHEN_TOKEN go before. */
gboolean login_read(char **ret_url, char **ret_token, GError **error) G_GNUC_WARN_UNUSED_RESULT;
