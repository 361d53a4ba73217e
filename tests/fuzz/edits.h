/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Disks are too large and too empty for a fuzzer to make them byte by byte: its input changes a sound one.
 */

#include <glib.h>
#include <string.h>

/* Applies edits to IMAGE: each is an offset of two bytes in units of UNIT, one byte that is added to it, a
 * length of one byte, and that many bytes. */
static inline void apply_edits(guint8 *image, gsize size, gsize unit, const guint8 *data, gsize left) {
    while (left >= 4) {
        gsize at = (data[0] | (gsize) data[1] << 8) * unit + data[2], length = MIN(data[3], left - 4);
        if (at < size)
            memcpy(image + at, data + 4, MIN(length, size - at));
        data += 4 + length;
        left -= 4 + length;
    }
}
