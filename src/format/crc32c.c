/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "crc32c.h"

guint32 crc32c(guint32 crc, const guint8 *data, gsize size) {
    for (gsize i = 0; i < size; i++) {
        crc ^= data[i];
        for (guint bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1 ? 0x82F63B78u : 0);
    }
    return crc;
}
