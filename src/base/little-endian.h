/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Numbers at unaligned places of foreign bytes, lowest byte first. */

#include <glib.h>

static inline guint16 read_le16(const guint8 *p) {
    return (guint16) (p[0] | p[1] << 8);
}

static inline guint32 read_le32(const guint8 *p) {
    return p[0] | p[1] << 8 | p[2] << 16 | (guint32) p[3] << 24;
}

static inline guint64 read_le64(const guint8 *p) {
    return read_le32(p) | (guint64) read_le32(p + 4) << 32;
}

static inline void write_le16(guint8 *p, guint16 value) {
    p[0] = (guint8) value;
    p[1] = (guint8) (value >> 8);
}

static inline void write_le32(guint8 *p, guint32 value) {
    for (guint i = 0; i < 4; i++)
        p[i] = (guint8) (value >> (8 * i));
}

static inline void append_le16(GByteArray *bytes, guint16 value) {
    guint8 field[2];
    write_le16(field, value);
    g_byte_array_append(bytes, field, sizeof field);
}

static inline void append_le32(GByteArray *bytes, guint32 value) {
    guint8 field[4];
    write_le32(field, value);
    g_byte_array_append(bytes, field, sizeof field);
}
