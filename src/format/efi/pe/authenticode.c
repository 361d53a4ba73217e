/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "format/efi/pe/authenticode.h"

#include <string.h>

#include "base/hex.h"
#include "base/little-endian.h"
#include "base/sha256.h"
#include "crypto/sources/error.h"
#include "format/efi/pe/authenticode-layout.h"

#define SPC_INDIRECT_DATA_OID "1.3.6.1.4.1.311.2.1.4"

#define WIN_CERT_REVISION_2_0 0x0200u
#define WIN_CERT_TYPE_PKCS_SIGNED_DATA 0x0002u
#define WIN_CERTIFICATE_HEADER_SIZE 8
#define CERTIFICATE_ALIGNMENT 8

/* SpcIndirectDataContent in DER up to the digest: SpcPeImageData with no flags and the file link that every
 * signing tool writes ("<<<Obsolete>>>" in UTF-16), then a DigestInfo with SHA-256. */
static const guint8 spc_indirect_data_prefix[] = {
        0x30, 0x68,                                                 /* SpcIndirectDataContent */
        0x30, 0x33,                                                 /* SpcAttributeTypeAndOptionalValue */
        0x06, 0x0a, 0x2b, 0x06, 0x01, 0x04, 0x01, 0x82, 0x37, 0x02, /* type: 1.3.6.1.4.1.311.2.1.15 */
        0x01, 0x0f,                                                 /* … */
        0x30, 0x25,                                                 /* value: SpcPeImageData */
        0x03, 0x01, 0x00,                                           /* flags */
        0xa0, 0x20, 0xa2, 0x1e, 0x80, 0x1c,                         /* file: a SpcString in UTF-16 */
        0x00, 0x3c, 0x00, 0x3c, 0x00, 0x3c, 0x00, 0x4f, 0x00, 0x62, /* <<<Ob */
        0x00, 0x73, 0x00, 0x6f, 0x00, 0x6c, 0x00, 0x65, 0x00, 0x74, /* solet */
        0x00, 0x65, 0x00, 0x3e, 0x00, 0x3e, 0x00, 0x3e,             /* e>>> */
        0x30, 0x31,                                                 /* DigestInfo */
        0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, /* SHA-256 */
        0x04, 0x02, 0x01, 0x05, 0x00,                               /* … */
        0x04, 0x20,                                                 /* digest */
};

gboolean authenticode_digest(
        const void *image, gsize size, guint8 ret_digest[static SHA256_SIZE], GError **error) {
    PeLayout layout;
    return pe_layout_read(&layout, image, size, error) &&
           pe_layout_digest(&layout, image, ret_digest, error);
}

static GBytes *make_indirect_data(const guint8 digest[static SHA256_SIZE]) {
    GByteArray *content = g_byte_array_new();
    g_byte_array_append(content, spc_indirect_data_prefix, sizeof spc_indirect_data_prefix);
    g_byte_array_append(content, digest, SHA256_SIZE);
    return g_byte_array_free_to_bytes(content);
}

static void append_padding(GByteArray *bytes, gsize alignment) {
    static const guint8 zeros[CERTIFICATE_ALIGNMENT];
    gsize rest = bytes->len % alignment;
    if (rest != 0)
        g_byte_array_append(bytes, zeros, alignment - rest);
}

/* Appends a WIN_CERTIFICATE. Its length field counts header and signature, not the padding. */
static void append_certificate(GByteArray *image, GBytes *signature) {
    gsize size = 0;
    const guint8 *data = g_bytes_get_data(signature, &size);
    append_le32(image, (guint32) (WIN_CERTIFICATE_HEADER_SIZE + size));
    append_le16(image, WIN_CERT_REVISION_2_0);
    append_le16(image, WIN_CERT_TYPE_PKCS_SIGNED_DATA);
    g_byte_array_append(image, data, size);
    append_padding(image, CERTIFICATE_ALIGNMENT);
}

/* The image's own bytes, without certificate table and padded as signing wants it. */
static GByteArray *copy_unsigned(const PeLayout *layout, const guint8 *data) {
    gsize size = layout->certificates_size > 0 ? layout->certificates_offset : layout->size;
    GByteArray *image = g_byte_array_sized_new(size + 8192);
    g_byte_array_append(image, data, size);
    append_padding(image, CERTIFICATE_ALIGNMENT);
    return image;
}

GBytes *authenticode_sign(GBytes *image, const KeySource *key, const Certificate *certificate,
        AuthenticodeMode mode, GError **error) {
    gsize size = 0;
    const guint8 *data = g_bytes_get_data(image, &size);
    PeLayout layout;
    guint8 digest[SHA256_SIZE];
    if (!pe_layout_read(&layout, data, size, error) || !pe_layout_digest(&layout, data, digest, error))
        return NULL;

    g_autoptr(GBytes) content = make_indirect_data(digest);
    g_autoptr(GBytes) signature = cms_sign_content(key, certificate, SPC_INDIRECT_DATA_OID, content, error);
    if (!signature) {
        g_prefix_error(error, "Cannot sign a PE image: ");
        return NULL;
    }

    g_autoptr(GByteArray) result = copy_unsigned(&layout, data);
    gsize table = result->len;
    if (mode == AUTHENTICODE_APPEND && layout.certificates_size > 0) {
        g_byte_array_append(result, data + layout.certificates_offset, layout.certificates_size);
        append_padding(result, CERTIFICATE_ALIGNMENT);
    }
    append_certificate(result, signature);
    if (result->len > G_MAXINT32) {
        g_set_error_literal(error, CRYPTO_ERROR, CRYPTO_ERROR_UNSUPPORTED,
                "A PE image over 2 GiB cannot be signed; use smaller initrds");
        return NULL;
    }
    pe_layout_set_certificates(&layout, result->data, result->len, table, result->len - table);
    return g_byte_array_free_to_bytes(g_steal_pointer(&result));
}

GBytes *authenticode_strip(GBytes *image, GError **error) {
    gsize size = 0;
    const guint8 *data = g_bytes_get_data(image, &size);
    PeLayout layout;
    if (!pe_layout_read(&layout, data, size, error))
        return NULL;
    GByteArray *result = copy_unsigned(&layout, data);
    pe_layout_set_certificates(&layout, result->data, result->len, 0, 0);
    return g_byte_array_free_to_bytes(result);
}

void authenticode_signature_free(AuthenticodeSignature *signature) {
    if (!signature)
        return;
    cms_message_free(signature->message);
    g_free(signature);
}

/* The content of a signature is what make_indirect_data() makes, but others may fill SpcPeImageData
 * differently: what counts is that it ends in a SHA-256 DigestInfo. The certificate of another digest makes
 * the signature one that we do not know. */
static gboolean get_signed_digest(const CmsMessage *message, guint8 digest[static SHA256_SIZE]) {
    static const gsize digest_info_size = 2 + 15 + 2 + SHA256_SIZE;
    GBytes *content = cms_message_get_content(message);
    if (!content || strcmp(cms_message_get_content_type(message), SPC_INDIRECT_DATA_OID) != 0)
        return FALSE;

    gsize size = 0;
    const guint8 *data = g_bytes_get_data(content, &size);
    gsize head_size = digest_info_size - SHA256_SIZE;
    const guint8 *head = spc_indirect_data_prefix + sizeof spc_indirect_data_prefix - head_size;
    if (size < digest_info_size || memcmp(data + size - digest_info_size, head, head_size) != 0)
        return FALSE;
    memcpy(digest, data + size - SHA256_SIZE, SHA256_SIZE);
    return TRUE;
}

static gboolean set_table_error(GError **error, const char *what, gsize offset) {
    g_set_error(error, CRYPTO_ERROR, CRYPTO_ERROR_MALFORMED,
            "The certificate table of the PE image is damaged: %s at byte %" G_GSIZE_FORMAT, what, offset);
    return FALSE;
}

/* Reads one entry of the table and says how far the next one is. */
static gboolean parse_certificate(const guint8 *data, gsize left, gsize offset, GPtrArray *signatures,
        gsize *ret_step, GError **error) {
    if (left < WIN_CERTIFICATE_HEADER_SIZE)
        return set_table_error(error, "a cut-off entry", offset);
    guint32 length = read_le32(data);
    guint16 type = read_le16(data + 6);
    if (length <= WIN_CERTIFICATE_HEADER_SIZE || length > left)
        return set_table_error(error, "an entry with a wrong length", offset);
    *ret_step =
            MIN(left, ((gsize) length + CERTIFICATE_ALIGNMENT - 1) & ~(gsize) (CERTIFICATE_ALIGNMENT - 1));
    if (type != WIN_CERT_TYPE_PKCS_SIGNED_DATA)
        return TRUE;

    g_autoptr(CmsMessage) message = cms_message_parse(
            data + WIN_CERTIFICATE_HEADER_SIZE, length - WIN_CERTIFICATE_HEADER_SIZE, TRUE, error);
    if (!message) {
        g_prefix_error(error, "Cannot read the signature at byte %" G_GSIZE_FORMAT ": ", offset);
        return FALSE;
    }
    guint8 digest[SHA256_SIZE];
    if (!get_signed_digest(message, digest))
        return TRUE;
    AuthenticodeSignature *signature = g_new0(AuthenticodeSignature, 1);
    signature->message = g_steal_pointer(&message);
    memcpy(signature->digest, digest, SHA256_SIZE);
    g_ptr_array_add(signatures, signature);
    return TRUE;
}

GPtrArray *authenticode_parse(const void *image, gsize size, GError **error) {
    PeLayout layout;
    if (!pe_layout_read(&layout, image, size, error))
        return NULL;
    g_autoptr(GPtrArray) signatures =
            g_ptr_array_new_with_free_func((GDestroyNotify) authenticode_signature_free);
    const guint8 *table = (const guint8 *) image + layout.certificates_offset;
    for (gsize done = 0, step = 0; done < layout.certificates_size; done += step)
        if (!parse_certificate(table + done, layout.certificates_size - done,
                    layout.certificates_offset + done, signatures, &step, error))
            return NULL;
    return g_steal_pointer(&signatures);
}

/* Where in the table the pending signature of CERTIFICATE is: bytes and size of its message, or FALSE. */
static gboolean find_pending(const PeLayout *layout, const guint8 *data, const Certificate *certificate,
        gsize *ret_offset, gsize *ret_size) {
    gsize end = layout->certificates_offset + layout->certificates_size;
    for (gsize at = layout->certificates_offset, step = 0; at < end; at += step) {
        g_autoptr(GPtrArray) found =
                g_ptr_array_new_with_free_func((GDestroyNotify) authenticode_signature_free);
        if (!parse_certificate(data + at, end - at, at, found, &step, NULL))
            return FALSE;
        const AuthenticodeSignature *signature = found->len > 0 ? found->pdata[0] : NULL;
        if (!signature || !cms_message_is_pending(signature->message) ||
                !cms_message_is_by(signature->message, certificate))
            continue;
        *ret_offset = at + WIN_CERTIFICATE_HEADER_SIZE;
        *ret_size = read_le32(data + at) - WIN_CERTIFICATE_HEADER_SIZE;
        return TRUE;
    }
    return FALSE;
}

GBytes *authenticode_complete(
        GBytes *image, const KeySource *key, const Certificate *certificate, GError **error) {
    gsize size = 0, offset = 0, room = 0;
    const guint8 *data = g_bytes_get_data(image, &size);
    PeLayout layout;
    guint8 digest[SHA256_SIZE];
    if (!pe_layout_read(&layout, data, size, error) ||
            !find_pending(&layout, data, certificate, &offset, &room) ||
            !pe_layout_digest(&layout, data, digest, error))
        return NULL;
    g_autoptr(GBytes) content = make_indirect_data(digest);
    g_autoptr(GBytes) signature = cms_sign_content(key, certificate, SPC_INDIRECT_DATA_OID, content, error);
    if (!signature)
        return NULL;
    if (g_bytes_get_size(signature) != room) {
        g_set_error_literal(error, CRYPTO_ERROR, CRYPTO_ERROR_MISMATCH,
                "The signature of a PE image is of another size than the room for it");
        return NULL;
    }
    guint8 *copy = g_memdup2(data, size);
    memcpy(copy + offset, g_bytes_get_data(signature, NULL), room);
    pe_layout_set_certificates(&layout, copy, size, layout.certificates_offset, layout.certificates_size);
    return g_bytes_new_take(copy, size);
}

/* One signature against the image's digest and, if there is one, the certificate that is expected. */
static gboolean verify_one(const AuthenticodeSignature *signature, const guint8 digest[static SHA256_SIZE],
        const Certificate *pinned, Certificate **ret_signer, GError **error) {
    if (memcmp(signature->digest, digest, SHA256_SIZE) != 0) {
        g_autofree char *says = hex_encode(signature->digest, SHA256_SIZE);
        g_autofree char *is = hex_encode(digest, SHA256_SIZE);
        g_set_error(error, CRYPTO_ERROR, CRYPTO_ERROR_MISMATCH,
                "It was changed after %s signed it (digest %s instead of %s)",
                cms_message_get_signer_name(signature->message), is, says);
        return FALSE;
    }
    g_autoptr(GPtrArray) candidates = g_ptr_array_new();
    if (pinned)
        g_ptr_array_add(candidates, (gpointer) pinned);
    g_autoptr(Certificate) signer = NULL;
    if (!cms_message_verify(signature->message, NULL, 0, candidates, &signer, error))
        return FALSE;
    if (pinned && !certificate_equal(signer, pinned)) {
        g_set_error(error, CRYPTO_ERROR, CRYPTO_ERROR_MISMATCH, "It is signed by %s, not by %s",
                certificate_get_description(signer), certificate_get_description(pinned));
        return FALSE;
    }
    if (ret_signer)
        *ret_signer = g_steal_pointer(&signer);
    return TRUE;
}

gboolean authenticode_verify(
        const void *image, gsize size, const Certificate *pinned, Certificate **ret_signer, GError **error) {
    guint8 digest[SHA256_SIZE];
    g_autoptr(GPtrArray) signatures = authenticode_parse(image, size, error);
    if (!signatures || !authenticode_digest(image, size, digest, error))
        return FALSE;
    if (signatures->len == 0) {
        g_set_error_literal(error, CRYPTO_ERROR, CRYPTO_ERROR_MISSING, "It is not signed");
        return FALSE;
    }
    g_autoptr(GError) first = NULL;
    for (guint i = 0; i < signatures->len; i++)
        if (verify_one(signatures->pdata[i], digest, pinned, ret_signer, first ? NULL : &first))
            return TRUE;
    g_propagate_error(error, g_steal_pointer(&first));
    return FALSE;
}
