/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * A pack: values one behind the other, then an index that says of each key where its value is and what it hashes to, then
 * a trailer that says where the index is and what that hashes to. Written once as a whole. What is read is checked: a pack
 * that was cut off or changed is no pack, a value that was changed is no value.
 *
 *     values
 *     index, 80 bytes an entry: key (32), SHA-256 of the value (32), offset (8), size (4), 0 (4)
 *     trailer: "PACK0001", entries (8), offset of the index (8), 0 (8), SHA-256 of the index (32)
 *
 * Numbers are little-endian.
 */

#include <glib.h>

#include "base/sha256.h"

#define PACK_ENTRY_SIZE 80
#define PACK_TRAILER_SIZE 64

typedef struct {
    guint8 key[SHA256_SIZE];
    guint8 digest[SHA256_SIZE];
    guint64 offset;
    guint32 size;
} PackEntry;

/* The index of the pack that FD (SIZE bytes) is open for: an array of PackEntry. Every value lies in front of the index.
 * NULL with ERROR set when it is no whole pack. */
GArray *pack_file_read_index(int fd, guint64 size, GError **error);

/* Writes the index of ENTRIES (of PackEntry) and the trailer behind SIZE bytes of values in FD. RET_NAME: a name for the
 * pack, which says what is in it; owned by the caller. */
gboolean pack_file_finish(int fd, guint64 size, const GArray *entries, char **ret_name, GError **error)
        G_GNUC_WARN_UNUSED_RESULT;

/* Reads the value of ENTRY, which has entry->size bytes, into OUT. FALSE with ERROR set when it is not what was stored. */
gboolean pack_file_read_value(int fd, const PackEntry *entry, guint8 *out, GError **error) G_GNUC_WARN_UNUSED_RESULT;
