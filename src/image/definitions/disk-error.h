/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What can go wrong on the way from partition definitions to a disk. */

#include <glib.h>

#define DISK_ERROR disk_error_quark()
GQuark disk_error_quark(void);

typedef enum {
    DISK_ERROR_DEFINITION, /* a mistake in a definition file; the message begins with FILE:LINE */
    DISK_ERROR_PLAN,       /* definitions that do not fit together, or with the options */
    DISK_ERROR_CONTENT,    /* content that does not fit into its partition or cannot be stored in it */
    DISK_ERROR_WRITE,      /* the disk could not be written */
} DiskError;
