/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "distro/rpm/database/header.h"

#include <string.h>

#define TYPE_INT32 4
#define INTRO 8
#define ENTRY 16

static guint32 read_be32(const guint8 *at) {
    guint32 value;
    memcpy(&value, at, sizeof value);
    return GUINT32_FROM_BE(value);
}

gboolean rpm_header_set_number(guint8 *header, gsize length, guint32 tag, guint32 value) {
    if (length < INTRO)
        return FALSE;
    guint64 entries = read_be32(header), bytes = read_be32(header + 4);
    if (INTRO + entries * ENTRY + bytes > length)
        return FALSE;
    guint8 *data = header + INTRO + entries * ENTRY;

    for (guint64 i = 0; i < entries; i++) {
        const guint8 *entry = header + INTRO + i * ENTRY;
        guint32 offset = read_be32(entry + 8), count = read_be32(entry + 12);
        if (read_be32(entry) != tag || read_be32(entry + 4) != TYPE_INT32 || count == 0)
            continue;
        if (bytes < 4 || offset > bytes - 4)
            return FALSE;
        guint32 stored = GUINT32_TO_BE(value);
        memcpy(data + offset, &stored, sizeof stored);
    }
    return TRUE;
}
