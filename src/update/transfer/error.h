/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Why an update does not go on. Each is an exit status of its own in particleos-update(8). */

#include <glib.h>

#define UPDATE_ERROR (update_error_quark())
GQuark update_error_quark(void);

typedef enum {
    UPDATE_ERROR_CONFIGURATION, /* a transfer file, a key ring, or the command line */
    UPDATE_ERROR_DEVICE,        /* the disk, its partition table, a file system */
    UPDATE_ERROR_NETWORK,       /* the server cannot be reached, or does not answer in time */
    UPDATE_ERROR_UNTRUSTED,     /* what the server offers is not what its vendor signed */
    UPDATE_ERROR_STALE,         /* it is signed, but too old */
    UPDATE_ERROR_SPACE,         /* it does not fit */
    UPDATE_ERROR_BUSY,          /* somebody else updates, or the version that runs is on trial */
} UpdateError;

/* Sets ERROR to the formatted text and returns FALSE, so that callers can return it. */
gboolean update_fail(GError **error, UpdateError code, const char *format, ...) G_GNUC_PRINTF(3, 4);
