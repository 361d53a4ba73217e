/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "update/source/openpgp-reader.h"

#include <openssl/evp.h>
#include <string.h>

#define ARMOR "-----BEGIN PGP "
#define TRAILER_SIZE 6
#define CRITICAL 0x80

enum {
    SUBPACKET_CREATED = 2,
    SUBPACKET_EXPIRES = 3,
    SUBPACKET_KEY_EXPIRES = 9,
    SUBPACKET_ISSUER = 16,
    SUBPACKET_KEY_FLAGS = 27,
    SUBPACKET_EMBEDDED = 32,
    SUBPACKET_ISSUER_FINGERPRINT = 33,
};

static gboolean take(Span *rest, gsize size, Span *ret) {
    if (size > rest->size)
        return FALSE;
    *ret = (Span){rest->data, size};
    rest->data += size;
    rest->size -= size;
    return TRUE;
}

/* A number of SIZE bytes, at most 4, the most significant first. */
static gboolean take_number(Span *rest, gsize size, guint32 *ret) {
    Span bytes;

    if (!take(rest, size, &bytes))
        return FALSE;
    *ret = 0;
    for (gsize i = 0; i < size; i++)
        *ret = *ret << 8 | bytes.data[i];
    return TRUE;
}

/* Lengths of packets and subpackets; FALSE for lengths of a part, too. */
static gboolean take_new_length(Span *rest, gboolean is_packet, guint32 *ret) {
    guint32 first, second;

    if (!take_number(rest, 1, &first))
        return FALSE;
    if (first < 192) {
        *ret = first;
        return TRUE;
    }
    if (first == 255)
        return take_number(rest, 4, ret);
    if (is_packet && first >= 224)
        return FALSE;
    if (!take_number(rest, 1, &second))
        return FALSE;
    *ret = ((first - 192) << 8) + second + 192;
    return TRUE;
}

gboolean openpgp_read_packet(Span *rest, OpenpgpReadPacket *ret) {
    Span at = *rest;
    guint32 head, size;

    if (!take_number(&at, 1, &head) || !(head & 0x80))
        return FALSE;
    if (head & 0x40) {
        ret->tag = head & 0x3f;
        if (!take_new_length(&at, TRUE, &size))
            return FALSE;
    } else {
        ret->tag = head >> 2 & 0x0f;
        if ((head & 3) == 3 || !take_number(&at, (gsize) 1 << (head & 3), &size))
            return FALSE;
    }
    if (!take(&at, size, &ret->body))
        return FALSE;
    *rest = at;
    return TRUE;
}

GBytes *openpgp_read_armor(GBytes *bytes) {
    gsize size = 0, decoded_size = 0;
    const char *data = g_bytes_get_data(bytes, &size);

    if (size < strlen(ARMOR) || memcmp(data, ARMOR, strlen(ARMOR)) != 0)
        return g_bytes_ref(bytes);
    g_autofree char *text = g_strndup(data, size);
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    g_autoptr(GString) base64 = g_string_new(NULL);
    gboolean in_body = FALSE, ended = FALSE;
    for (char **line = lines + 1; *line && !ended; line++) {
        g_strstrip(*line);
        ended = g_str_has_prefix(*line, "-----END PGP ") || (in_body && **line == '=');
        if (in_body && !ended)
            g_string_append(base64, *line);
        in_body = in_body || **line == '\0';
    }
    if (!ended || base64->len == 0)
        return NULL;
    guint8 *decoded = g_base64_decode(base64->str, &decoded_size);
    return g_bytes_new_take(decoded, decoded_size);
}

/* ---- signatures ---- */

static const char *digest_name(guint32 number) {
    return number == 8 ? "SHA256" : number == 9 ? "SHA384" : number == 10 ? "SHA512" : NULL;
}

/* What one subpacket says; HASHED: it is signed. Of the others only who signed is looked at, which is a hint. */
static gboolean read_subpacket(OpenpgpReadSignature *signature, guint32 type, Span body, gboolean hashed) {
    guint32 number = 0;
    Span rest = body;

    switch (type & ~(guint32) CRITICAL) {
    case SUBPACKET_ISSUER:
        if (body.size != sizeof signature->issuer)
            return FALSE;
        memcpy(signature->issuer, body.data, body.size);
        return signature->has_issuer = TRUE;
    case SUBPACKET_ISSUER_FINGERPRINT:
        if (body.size != 21 || body.data[0] != 4)
            return body.size > 0 && body.data[0] != 4;
        memcpy(signature->issuer, body.data + 13, sizeof signature->issuer);
        return signature->has_issuer = TRUE;
    case SUBPACKET_EMBEDDED:
        signature->embedded = body;
        return TRUE;
    default:
        break;
    }
    if (!hashed)
        return TRUE;
    switch (type & ~(guint32) CRITICAL) {
    case SUBPACKET_CREATED:
    case SUBPACKET_EXPIRES:
    case SUBPACKET_KEY_EXPIRES:
        if (body.size != 4 || !take_number(&rest, 4, &number))
            return FALSE;
        *((type & ~(guint32) CRITICAL) == SUBPACKET_CREATED         ? &signature->created
                : (type & ~(guint32) CRITICAL) == SUBPACKET_EXPIRES ? &signature->expires
                                                                    : &signature->key_expires) = number;
        return TRUE;
    case SUBPACKET_KEY_FLAGS:
        signature->flags = body.size > 0 ? body.data[0] : 0;
        return signature->has_flags = TRUE;
    default:
        return !(type & CRITICAL) || (type & ~(guint32) CRITICAL) == 25 || (type & ~(guint32) CRITICAL) == 30;
    }
}

static gboolean read_subpackets(OpenpgpReadSignature *signature, Span area, gboolean hashed) {
    while (area.size > 0) {
        guint32 size, type;
        Span body;
        if (!take_new_length(&area, FALSE, &size) || size == 0 || !take_number(&area, 1, &type) ||
                !take(&area, size - 1, &body) || !read_subpacket(signature, type, body, hashed))
            return FALSE;
    }
    return TRUE;
}

gboolean openpgp_read_signature(Span body, OpenpgpReadSignature *ret) {
    guint32 version, type, algorithm, digest, size, start;
    Span rest = body, area;

    *ret = (OpenpgpReadSignature){.created = -1};
    if (!take_number(&rest, 1, &version) || version != 4 || !take_number(&rest, 1, &type) ||
            !take_number(&rest, 1, &algorithm) || !take_number(&rest, 1, &digest) || !take_number(&rest, 2, &size) ||
            !take(&rest, size, &area))
        return FALSE;
    ret->type = (guint8) type;
    ret->algorithm = (guint8) algorithm;
    ret->digest = digest_name(digest);
    ret->hashed = (Span){body.data, body.size - rest.size};
    if (!ret->digest || !read_subpackets(ret, area, TRUE) || ret->created < 0)
        return FALSE;
    if (!take_number(&rest, 2, &size) || !take(&rest, size, &area) || !read_subpackets(ret, area, FALSE) ||
            !take_number(&rest, 2, &start))
        return FALSE;
    ret->digest_start[0] = (guint8) (start >> 8);
    ret->digest_start[1] = (guint8) start;
    ret->numbers = rest;
    return TRUE;
}

/* What a version 4 signature covers, hashed; RET has room for EVP_MAX_MD_SIZE bytes. */
static gboolean digest_content(
        const OpenpgpReadSignature *signature, const Span *content, gsize n, guint8 *ret, unsigned *ret_size) {
    guint32 size = GUINT32_TO_BE((guint32) signature->hashed.size);
    guint8 trailer[TRAILER_SIZE] = {4, 0xff};
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    const EVP_MD *method = EVP_get_digestbyname(signature->digest);

    memcpy(trailer + 2, &size, sizeof size);
    gboolean ok = context && method && EVP_DigestInit_ex(context, method, NULL) == 1;
    for (gsize i = 0; ok && i < n; i++)
        ok = EVP_DigestUpdate(context, content[i].data, content[i].size) == 1;
    ok = ok && EVP_DigestUpdate(context, signature->hashed.data, signature->hashed.size) == 1 &&
         EVP_DigestUpdate(context, trailer, sizeof trailer) == 1 && EVP_DigestFinal_ex(context, ret, ret_size) == 1;
    EVP_MD_CTX_free(context);
    return ok;
}

gboolean openpgp_read_check(
        const OpenpgpReadSignature *signature, EVP_PKEY *key, guint8 algorithm, const Span *content, gsize n) {
    guint8 digest[EVP_MAX_MD_SIZE];
    unsigned size = 0;

    return signature->algorithm == algorithm && digest_content(signature, content, n, digest, &size) &&
           memcmp(digest, signature->digest_start, 2) == 0 &&
           openpgp_read_check_numbers(key, algorithm, signature->digest, digest, size, signature->numbers);
}
