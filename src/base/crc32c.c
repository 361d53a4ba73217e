/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/crc32c.h"

#define POLYNOMIAL_REVERSED 0x82f63b78u

guint32 crc32c_update(guint32 crc, const void *data, gsize size) {
    const guint8 *bytes = data;
    for (gsize i = 0; i < size; i++) {
        crc ^= bytes[i];
        for (guint bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1 ? POLYNOMIAL_REVERSED : 0);
    }
    return crc;
}
