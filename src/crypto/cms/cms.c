/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "crypto/cms/cms.h"

#include <openssl/asn1.h>
#include <openssl/err.h>
#include <openssl/objects.h>
#include <openssl/pkcs7.h>
#include <string.h>

#include "base/sha256.h"
#include "crypto/sources/openssl-error.h"

/* OpenSSL's PKCS7 type is used rather than its CMS type: Authenticode is PKCS#7 1.5, whose content is any
 * type, while CMS wraps every content into an OCTET STRING. PKCS7_sign() and PKCS7_dataFinal() always add
 * the time, so the signed attributes are put together here. */

static PKCS7 *signed_data_new(const KeySource *key, const Certificate *certificate, gboolean include,
        PKCS7_SIGNER_INFO **ret_info, GError **error) {
    g_autoptr(PKCS7) message = PKCS7_new();
    if (!message || PKCS7_set_type(message, NID_pkcs7_signed) != 1) {
        crypto_set_openssl_error(error, CRYPTO_ERROR_FAILED, "Cannot make a PKCS#7 message");
        return NULL;
    }
    if (include && PKCS7_add_certificate(message, certificate_peek(certificate)) != 1) {
        crypto_set_openssl_error(error, CRYPTO_ERROR_FAILED, "Cannot add the certificate of %s",
                certificate_get_subject(certificate));
        return NULL;
    }
    *ret_info =
            PKCS7_add_signature(message, certificate_peek(certificate), key_source_peek(key), EVP_sha256());
    if (!*ret_info) {
        crypto_set_openssl_error(error, CRYPTO_ERROR_FAILED, "Cannot sign with %s as %s",
                key_source_get_description(key), certificate_get_subject(certificate));
        return NULL;
    }
    return g_steal_pointer(&message);
}

/* The signature itself goes through key_source_sign(), so that nonces are treated alike everywhere. */
static gboolean sign_bytes(
        PKCS7_SIGNER_INFO *info, const KeySource *key, const void *data, gsize size, GError **error) {
    g_autoptr(GBytes) signature = key_source_sign(key, data, size, error);
    if (!signature)
        return FALSE;
    gsize signature_size = 0;
    const guint8 *bytes = g_bytes_get_data(signature, &signature_size);
    if (ASN1_OCTET_STRING_set(info->enc_digest, bytes, (int) signature_size) != 1)
        return crypto_set_openssl_error(error, CRYPTO_ERROR_FAILED, "Cannot store the signature");
    return TRUE;
}

/* Adds contentType and messageDigest and signs both. */
static gboolean sign_attributes(PKCS7_SIGNER_INFO *info, const KeySource *key, ASN1_OBJECT *content_type,
        const void *content, gsize size, GError **error) {
    guint8 digest[SHA256_SIZE];
    sha256_buffer(content, size, digest);

    ASN1_OBJECT *type = OBJ_dup(content_type);
    if (!type || PKCS7_add_signed_attribute(info, NID_pkcs9_contentType, V_ASN1_OBJECT, type) != 1 ||
            PKCS7_add1_attrib_digest(info, digest, SHA256_SIZE) != 1)
        return crypto_set_openssl_error(error, CRYPTO_ERROR_FAILED, "Cannot make signed attributes");

    unsigned char *der = NULL;
    int der_size = ASN1_item_i2d((ASN1_VALUE *) info->auth_attr, &der, ASN1_ITEM_rptr(PKCS7_ATTR_SIGN));
    g_autoptr(GBytes) attributes = crypto_take_der(der, der_size);
    if (!attributes)
        return crypto_set_openssl_error(error, CRYPTO_ERROR_FAILED, "Cannot encode signed attributes");
    return sign_bytes(info, key, g_bytes_get_data(attributes, NULL), g_bytes_get_size(attributes), error);
}

static GBytes *message_to_der(PKCS7 *message, gboolean bare, GError **error) {
    unsigned char *der = NULL;
    int size = bare ? i2d_PKCS7_SIGNED(message->d.sign, &der) : i2d_PKCS7(message, &der);
    GBytes *bytes = crypto_take_der(der, size);
    if (!bytes)
        crypto_set_openssl_error(error, CRYPTO_ERROR_FAILED, "Cannot encode a PKCS#7 message");
    return bytes;
}

GBytes *cms_sign_detached(const KeySource *key, const Certificate *certificate, const void *content,
        gsize size, CmsFlags flags, GError **error) {
    if (!certificate_check_key(certificate, key, error))
        return NULL;
    PKCS7_SIGNER_INFO *info = NULL; /* belongs to MESSAGE */
    g_autoptr(PKCS7) message =
            signed_data_new(key, certificate, (flags & CMS_INCLUDE_CERTIFICATE) != 0, &info, error);
    if (!message)
        return NULL;
    if (PKCS7_content_new(message, NID_pkcs7_data) != 1 || PKCS7_set_detached(message, 1) != 1) {
        crypto_set_openssl_error(error, CRYPTO_ERROR_FAILED, "Cannot make a detached signature");
        return NULL;
    }
    gboolean is_signed =
            (flags & CMS_SIGNED_ATTRIBUTES) != 0
                    ? sign_attributes(info, key, OBJ_nid2obj(NID_pkcs7_data), content, size, error)
                    : sign_bytes(info, key, content, size, error);
    return is_signed ? message_to_der(message, (flags & CMS_BARE) != 0, error) : NULL;
}

GBytes *cms_sign_data(const KeySource *key, const Certificate *certificate, const void *content, gsize size,
        CmsFlags flags, GError **error) {
    if (!certificate_check_key(certificate, key, error))
        return NULL;
    PKCS7_SIGNER_INFO *info = NULL; /* belongs to MESSAGE */
    g_autoptr(PKCS7) message =
            signed_data_new(key, certificate, (flags & CMS_INCLUDE_CERTIFICATE) != 0, &info, error);
    if (!message)
        return NULL;
    if (size > G_MAXINT || PKCS7_content_new(message, NID_pkcs7_data) != 1 ||
            ASN1_OCTET_STRING_set(message->d.sign->contents->d.data, content, (int) size) != 1) {
        crypto_set_openssl_error(error, CRYPTO_ERROR_FAILED, "Cannot put data into a PKCS#7 message");
        return NULL;
    }
    return sign_bytes(info, key, content, size, error) ? message_to_der(message, FALSE, error) : NULL;
}

/* Finds what is inside the outermost element of DER. */
static gboolean der_get_inside(
        const guint8 *der, gsize size, const guint8 **ret_inside, gsize *ret_inside_size) {
    const unsigned char *cursor = der;
    long length = 0;
    int tag = 0, class = 0;
    if (size > G_MAXINT)
        return FALSE;
    int kind = ASN1_get_object(&cursor, &length, &tag, &class, (long) size);
    if ((kind & 0x80) != 0 || (kind & 1) != 0 || cursor + length != der + size)
        return FALSE;
    *ret_inside = cursor;
    *ret_inside_size = length;
    return TRUE;
}

/* Puts CONTENT, the DER of a SEQUENCE, into MESSAGE as its content of the type CONTENT_TYPE. */
static gboolean set_typed_content(
        PKCS7 *message, const ASN1_OBJECT *content_type, GBytes *content, GError **error) {
    gsize size = 0;
    const guint8 *data = g_bytes_get_data(content, &size);
    PKCS7 *inner = PKCS7_new();
    ASN1_STRING *sequence = ASN1_STRING_new();
    ASN1_TYPE *any = ASN1_TYPE_new();
    if (inner && sequence && any && ASN1_STRING_set(sequence, data, (int) size) == 1) {
        ASN1_TYPE_set(any, V_ASN1_SEQUENCE, g_steal_pointer(&sequence));
        inner->type = OBJ_dup(content_type);
        inner->d.other = g_steal_pointer(&any);
        if (inner->type && PKCS7_set_content(message, inner) == 1)
            return TRUE;
    }
    ASN1_STRING_free(sequence);
    ASN1_TYPE_free(any);
    PKCS7_free(inner);
    return crypto_set_openssl_error(error, CRYPTO_ERROR_FAILED, "Cannot put content into a PKCS#7 message");
}

GBytes *cms_sign_content(const KeySource *key, const Certificate *certificate, const char *content_type,
        GBytes *content, GError **error) {
    if (!certificate_check_key(certificate, key, error))
        return NULL;
    const guint8 *inside = NULL;
    gsize inside_size = 0;
    g_autoptr(ASN1_OBJECT) type = OBJ_txt2obj(content_type, 1);
    if (!type || !der_get_inside(g_bytes_get_data(content, NULL), g_bytes_get_size(content), &inside,
                         &inside_size)) {
        crypto_set_openssl_error(
                error, CRYPTO_ERROR_MALFORMED, "Cannot sign content of the type %s", content_type);
        return NULL;
    }
    PKCS7_SIGNER_INFO *info = NULL; /* belongs to MESSAGE */
    g_autoptr(PKCS7) message = signed_data_new(key, certificate, TRUE, &info, error);
    if (!message || !set_typed_content(message, type, content, error) ||
            !sign_attributes(info, key, type, inside, inside_size, error))
        return NULL;
    return message_to_der(message, FALSE, error);
}
