/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/uuid.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <string.h>

#include "base/hex.h"

gboolean uuid_parse_text(const char *text, Uuid *ret) {
    Uuid uuid;
    gsize digits = 0;

    if (g_str_has_prefix(text, "urn:uuid:"))
        text += strlen("urn:uuid:");
    gboolean hyphens = strlen(text) == UUID_TEXT_LENGTH;

    if (!hyphens && strlen(text) != 32)
        return FALSE;
    for (gsize i = 0; text[i]; i++) {
        if (hyphens && (i == 8 || i == 13 || i == 18 || i == 23)) {
            if (text[i] != '-')
                return FALSE;
            continue;
        }
        int value = g_ascii_xdigit_value(text[i]);
        if (value < 0)
            return FALSE;
        guint8 *byte = &uuid.bytes[digits / 2];
        *byte = digits % 2 ? *byte | value : value << 4;
        digits++;
    }
    *ret = uuid;
    return TRUE;
}

void uuid_format_text(const Uuid *uuid, char ret[UUID_TEXT_LENGTH + 1]) {
    g_autofree char *hex = uuid_to_hex(uuid);

    g_snprintf(ret, UUID_TEXT_LENGTH + 1, "%.8s-%.4s-%.4s-%.4s-%s", hex, hex + 8, hex + 12, hex + 16, hex + 20);
}

char *uuid_to_text(const Uuid *uuid) {
    char text[UUID_TEXT_LENGTH + 1];

    uuid_format_text(uuid, text);
    return g_strdup(text);
}

char *uuid_to_hex(const Uuid *uuid) {
    return hex_encode(uuid->bytes, sizeof uuid->bytes);
}

gboolean uuid_is_equal(const Uuid *a, const Uuid *b) {
    return memcmp(a->bytes, b->bytes, sizeof a->bytes) == 0;
}

gboolean uuid_is_null(const Uuid *uuid) {
    static const Uuid null;

    return uuid_is_equal(uuid, &null);
}

void uuid_hmac(const Uuid *key, const void *data, gsize length, guint8 ret[32]) {
    unsigned ret_length = 32;

    if (!HMAC(EVP_sha256(), key->bytes, sizeof key->bytes, data, length, ret, &ret_length))
        g_error("HMAC-SHA256 is not available in OpenSSL");
}

/* Marks 16 random-looking bytes as a UUID of version 4, variant 1. */
static Uuid make_version_4(const guint8 bytes[16]) {
    Uuid uuid;

    memcpy(uuid.bytes, bytes, sizeof uuid.bytes);
    uuid.bytes[6] = (uuid.bytes[6] & 0x0f) | 0x40;
    uuid.bytes[8] = (uuid.bytes[8] & 0x3f) | 0x80;
    return uuid;
}

Uuid uuid_derive(const Uuid *base, const char *purpose) {
    guint8 digest[32];

    uuid_hmac(base, purpose, strlen(purpose), digest);
    return make_version_4(digest);
}

Uuid uuid_derive_partition(const Uuid *seed, const Uuid *type, guint64 counter) {
    guint8 digest[32], plain[24];
    guint64 counter_le = GUINT64_TO_LE(counter);

    memcpy(plain, type->bytes, 16);
    memcpy(plain + 16, &counter_le, 8);
    uuid_hmac(seed, plain, counter == 0 ? 16 : 24, digest);
    return make_version_4(digest);
}
