/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "format/openpgp/openpgp.h"

#include <string.h>

#define LINE 64
#define CRC24_START 0xb704ce
#define CRC24_POLYNOMIAL 0x864cfb

guint32 openpgp_crc24(const void *data, gsize size) {
    const guint8 *bytes = data;
    guint32 crc = CRC24_START;

    for (gsize i = 0; i < size; i++) {
        crc ^= (guint32) bytes[i] << 16;
        for (int bit = 0; bit < 8; bit++)
            crc = (crc << 1) ^ (crc & 0x800000 ? CRC24_POLYNOMIAL : 0);
    }
    return crc & 0xffffff;
}

char *openpgp_armor(const char *type, GBytes *packets) {
    gsize size;
    const guint8 *data = g_bytes_get_data(packets, &size);
    guint32 crc = openpgp_crc24(data, size);
    const guint8 sum[] = {crc >> 16, crc >> 8, crc};
    g_autofree char *text = g_base64_encode(data, size);
    g_autofree char *sum_text = g_base64_encode(sum, sizeof sum);
    gsize length = strlen(text);
    GString *armor = g_string_new(NULL);

    g_string_append_printf(armor, "-----BEGIN PGP %s-----\n\n", type);
    for (gsize i = 0; i < length; i += LINE)
        g_string_append_printf(armor, "%.*s\n", LINE, text + i);
    g_string_append_printf(armor, "=%s\n-----END PGP %s-----\n", sum_text, type);
    return g_string_free(armor, FALSE);
}
