/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What makes firmware boot a GPT disk that it sees as a CD-ROM: an empty ISO 9660 volume (ECMA-119) with a
 * boot catalog (El Torito 1.0; UEFI specification, 13.3.2.1) that leads to the EFI system partition. All of
 * it fits into the gap between partition table and first partition. */

#include <glib.h>

/* First byte behind what is written; where it begins there is no partition table, whatever the sector size.
 */
#define EL_TORITO_END (21u * 2048)

typedef struct {
    const char *system;    /* identifiers; NULL: none */
    const char *volume;    /* up to 32 characters, like system */
    const char *publisher; /* up to 128 characters */
    guint64 esp_offset;    /* bytes, a multiple of 2048 */
    guint64 disk_size;     /* bytes */
    gint64 time;           /* of the volume, in seconds */
} ElTorito;

/* TRUE when TEXT is at most SIZE characters of those that ISO 9660 allows in identifiers ("a-characters"),
 * or lower-case letters. NULL is valid. */
gboolean el_torito_valid_identifier(const char *text, gsize size);

#define EL_TORITO_SYSTEM_SIZE 32
#define EL_TORITO_VOLUME_SIZE 32
#define EL_TORITO_PUBLISHER_SIZE 128

gboolean el_torito_write(int fd, const ElTorito *options, GError **error) G_GNUC_WARN_UNUSED_RESULT;
