/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "format/openpgp/openpgp-packet.h"

#include "crypto/sources/error.h"

void openpgp_put_u8(GByteArray *out, guint8 value) {
    g_byte_array_append(out, &value, 1);
}

void openpgp_put_u16(GByteArray *out, guint16 value) {
    guint16 bytes = GUINT16_TO_BE(value);
    g_byte_array_append(out, (const guint8 *) &bytes, sizeof bytes);
}

void openpgp_put_u32(GByteArray *out, guint32 value) {
    guint32 bytes = GUINT32_TO_BE(value);
    g_byte_array_append(out, (const guint8 *) &bytes, sizeof bytes);
}

void openpgp_put_mpi(GByteArray *out, const guint8 *data, gsize size) {
    while (size > 0 && *data == 0) {
        data++;
        size--;
    }
    openpgp_put_u16(out, size == 0 ? 0 : (size - 1) * 8 + g_bit_storage(*data));
    g_byte_array_append(out, data, size);
}

/* The form that packets and subpackets share. */
static void put_length(GByteArray *out, gsize length) {
    if (length < 192) {
        openpgp_put_u8(out, length);
    } else if (length < 8384) {
        openpgp_put_u8(out, ((length - 192) >> 8) + 192);
        openpgp_put_u8(out, length - 192);
    } else {
        openpgp_put_u8(out, 0xff);
        openpgp_put_u32(out, length);
    }
}

void openpgp_put_packet(GByteArray *out, guint8 tag, const void *data, gsize size) {
    openpgp_put_u8(out, 0xc0 | tag);
    put_length(out, size);
    g_byte_array_append(out, data, size);
}

void openpgp_put_subpacket(GByteArray *out, OpenpgpSubpacket type, const void *data, gsize size) {
    put_length(out, size + 1);
    openpgp_put_u8(out, type);
    g_byte_array_append(out, data, size);
}

gboolean openpgp_check_time(gint64 seconds, GError **error) {
    if (seconds >= 0 && seconds <= G_MAXUINT32)
        return TRUE;
    g_set_error(error, CRYPTO_ERROR, CRYPTO_ERROR_UNSUPPORTED,
            "OpenPGP cannot write the time %" G_GINT64_FORMAT " (seconds since 1970; it ends in 2106)", seconds);
    return FALSE;
}
