/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "crypto/cms/cms.h"

#include <openssl/asn1.h>
#include <openssl/err.h>
#include <openssl/objects.h>
#include <openssl/pkcs7.h>
#include <string.h>

#include "base/sha256.h"
#include "crypto/sources/openssl-error.h"

/* Reading and verifying; making is in cms.c. */

struct CmsMessage {
    PKCS7 *message;
    char *content_type;
    GBytes *content; /* DER, or NULL */
    GPtrArray *certificates;
    char *signer_name;
};

static PKCS7_SIGNER_INFO *first_signer(const CmsMessage *message) {
    return sk_PKCS7_SIGNER_INFO_value(message->message->d.sign->signer_info, 0);
}

/* Firmware writes a SignedData without the ContentInfo that names its type. */
static PKCS7 *read_bare(const unsigned char **cursor, long size) {
    PKCS7_SIGNED *sign = d2i_PKCS7_SIGNED(NULL, cursor, size);
    if (!sign)
        return NULL;
    PKCS7 *message = PKCS7_new();
    if (!message || PKCS7_set_type(message, NID_pkcs7_signed) != 1) {
        PKCS7_SIGNED_free(sign);
        PKCS7_free(message);
        return NULL;
    }
    PKCS7_SIGNED_free(message->d.sign);
    message->d.sign = sign;
    return message;
}

static PKCS7 *read_message(const guint8 *data, gsize size, gsize *ret_consumed) {
    ERR_clear_error();
    if (size == 0 || size > G_MAXINT)
        return NULL;
    const unsigned char *cursor = data;
    PKCS7 *message = d2i_PKCS7(NULL, &cursor, (long) size);
    if (!message) {
        ERR_clear_error();
        cursor = data;
        message = read_bare(&cursor, (long) size);
    }
    *ret_consumed = cursor - data;
    return message;
}

static gboolean is_zero(const guint8 *data, gsize size) {
    for (gsize i = 0; i < size; i++)
        if (data[i] != 0)
            return FALSE;
    return TRUE;
}

/* Everything that the accessors and cms_message_verify() rely on. */
static gboolean check_structure(PKCS7 *message, GError **error) {
    if (!PKCS7_type_is_signed(message) || !message->d.sign || !message->d.sign->contents ||
            !message->d.sign->contents->type) {
        g_set_error_literal(error, CRYPTO_ERROR, CRYPTO_ERROR_MALFORMED, "Not a PKCS#7 SignedData");
        return FALSE;
    }
    if (sk_PKCS7_SIGNER_INFO_num(message->d.sign->signer_info) < 1) {
        g_set_error_literal(error, CRYPTO_ERROR, CRYPTO_ERROR_MALFORMED, "A PKCS#7 message without signer");
        return FALSE;
    }
    return TRUE;
}

static GBytes *get_content(const PKCS7 *contents) {
    if (OBJ_obj2nid(contents->type) == NID_pkcs7_data) {
        const ASN1_OCTET_STRING *octets = contents->d.data;
        return octets ? g_bytes_new(ASN1_STRING_get0_data(octets), ASN1_STRING_length(octets)) : NULL;
    }
    /* Types that OpenSSL knows have structures of their own, none of which we sign or verify. */
    switch (OBJ_obj2nid(contents->type)) {
    case NID_pkcs7_signed:
    case NID_pkcs7_enveloped:
    case NID_pkcs7_signedAndEnveloped:
    case NID_pkcs7_digest:
    case NID_pkcs7_encrypted:
        return NULL;
    }
    const ASN1_TYPE *any = contents->d.other;
    if (!any || any->type != V_ASN1_SEQUENCE || !any->value.sequence)
        return NULL;
    const ASN1_STRING *sequence = any->value.sequence;
    return g_bytes_new(ASN1_STRING_get0_data(sequence), ASN1_STRING_length(sequence));
}

static GPtrArray *get_certificates(const PKCS7 *message) {
    GPtrArray *certificates = g_ptr_array_new_with_free_func((GDestroyNotify) certificate_unref);
    for (int i = 0; i < sk_X509_num(message->d.sign->cert); i++)
        g_ptr_array_add(certificates, certificate_new_from_x509(sk_X509_value(message->d.sign->cert, i)));
    return certificates;
}

static char *describe_signer(const PKCS7_SIGNER_INFO *info) {
    const PKCS7_ISSUER_AND_SERIAL *id = info->issuer_and_serial;
    if (!id || !id->issuer || !id->serial)
        return g_strdup("(unnamed)");
    g_autoptr(BIO) bio = BIO_new(BIO_s_mem());
    char *text = NULL;
    if (!bio || X509_NAME_print_ex(bio, id->issuer, 0, XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB) < 0 ||
            BIO_puts(bio, ", serial ") <= 0 || i2a_ASN1_INTEGER(bio, id->serial) < 0)
        return g_strdup("(unreadable name)");
    long size = BIO_get_mem_data(bio, &text);
    g_autofree char *raw = g_strndup(text, size);
    return g_utf8_make_valid(raw, -1);
}

CmsMessage *cms_message_parse(const void *data, gsize size, gboolean allow_padding, GError **error) {
    gsize consumed = 0;
    g_autoptr(PKCS7) pkcs7 = read_message(data, size, &consumed);
    if (!pkcs7) {
        crypto_set_openssl_error(error, CRYPTO_ERROR_MALFORMED, "Not a PKCS#7 message in DER");
        return NULL;
    }
    if (!check_structure(pkcs7, error))
        return NULL;
    if (consumed < size && !(allow_padding && is_zero((const guint8 *) data + consumed, size - consumed))) {
        g_set_error(error, CRYPTO_ERROR, CRYPTO_ERROR_MALFORMED,
                "%" G_GSIZE_FORMAT " bytes after the PKCS#7 message", size - consumed);
        return NULL;
    }

    char type[128];
    if (OBJ_obj2txt(type, sizeof type, pkcs7->d.sign->contents->type, 1) <= 0)
        type[0] = '\0';
    CmsMessage *message = g_new0(CmsMessage, 1);
    message->content_type = g_strdup(type);
    message->content = get_content(pkcs7->d.sign->contents);
    message->certificates = get_certificates(pkcs7);
    message->message = g_steal_pointer(&pkcs7);
    message->signer_name = describe_signer(first_signer(message));
    return message;
}

void cms_message_free(CmsMessage *message) {
    if (!message)
        return;
    PKCS7_free(message->message);
    g_free(message->content_type);
    g_bytes_unref(message->content);
    g_ptr_array_unref(message->certificates);
    g_free(message->signer_name);
    g_free(message);
}

const char *cms_message_get_content_type(const CmsMessage *message) {
    return message->content_type;
}

GBytes *cms_message_get_content(const CmsMessage *message) {
    return message->content;
}

GPtrArray *cms_message_get_certificates(const CmsMessage *message) {
    return message->certificates;
}

const char *cms_message_get_signer_name(const CmsMessage *message) {
    return message->signer_name;
}

static gboolean certificate_matches_signer(const Certificate *certificate, const PKCS7_SIGNER_INFO *info) {
    X509 *x509 = certificate_peek(certificate);
    const PKCS7_ISSUER_AND_SERIAL *id = info->issuer_and_serial;
    return id && id->issuer && id->serial && X509_NAME_cmp(X509_get_issuer_name(x509), id->issuer) == 0 &&
           ASN1_INTEGER_cmp(X509_get0_serialNumber(x509), id->serial) == 0;
}

gboolean cms_message_is_by(const CmsMessage *message, const Certificate *certificate) {
    return certificate_matches_signer(certificate, first_signer(message));
}

gboolean cms_message_is_pending(const CmsMessage *message) {
    const ASN1_OCTET_STRING *signature = first_signer(message)->enc_digest;
    return signature && ASN1_STRING_length(signature) > 0 &&
           is_zero(ASN1_STRING_get0_data(signature), ASN1_STRING_length(signature));
}

static Certificate *find_signer(const PKCS7_SIGNER_INFO *info, GPtrArray *certificates) {
    for (guint i = 0; certificates && i < certificates->len; i++)
        if (certificate_matches_signer(certificates->pdata[i], info))
            return certificates->pdata[i];
    return NULL;
}

/* The bytes that the digest covers: for types other than data, the inside of the content's SEQUENCE. */
static gboolean get_signed_bytes(
        const CmsMessage *message, const guint8 **content, gsize *size, GError **error) {
    if (*content)
        return TRUE;
    if (!message->content) {
        g_set_error_literal(error, CRYPTO_ERROR, CRYPTO_ERROR_MALFORMED, "The signature has no content");
        return FALSE;
    }
    const guint8 *data = g_bytes_get_data(message->content, size);
    *content = data;
    if (OBJ_obj2nid(message->message->d.sign->contents->type) == NID_pkcs7_data)
        return TRUE;

    const unsigned char *cursor = data;
    long length = 0;
    int tag = 0, class = 0;
    int kind = ASN1_get_object(&cursor, &length, &tag, &class, (long) *size);
    if ((kind & 0x80) != 0 || (kind & 1) != 0) {
        ERR_clear_error();
        g_set_error_literal(error, CRYPTO_ERROR, CRYPTO_ERROR_MALFORMED, "The signed content is damaged");
        return FALSE;
    }
    *content = cursor;
    *size = length;
    return TRUE;
}

/* RFC 2315, 9.2: with signed attributes, contentType is one of them and names the type of the content. */
static gboolean check_content_type(const CmsMessage *message, PKCS7_SIGNER_INFO *info, GError **error) {
    if (sk_X509_ATTRIBUTE_num(info->auth_attr) <= 0)
        return TRUE;
    const ASN1_TYPE *type = PKCS7_get_signed_attribute(info, NID_pkcs9_contentType);
    if (type && type->type == V_ASN1_OBJECT &&
            OBJ_cmp(type->value.object, message->message->d.sign->contents->type) == 0)
        return TRUE;
    g_set_error_literal(error, CRYPTO_ERROR, CRYPTO_ERROR_MALFORMED,
            "The signed attributes name another type of content");
    return FALSE;
}

/* A signature that is apart from its content says so: plain data, and none inside. */
static gboolean check_detached(const CmsMessage *message, GError **error) {
    const PKCS7 *contents = message->message->d.sign->contents;
    if (OBJ_obj2nid(contents->type) == NID_pkcs7_data &&
            (!contents->d.data || ASN1_STRING_length(contents->d.data) == 0))
        return TRUE;
    g_set_error_literal(error, CRYPTO_ERROR, CRYPTO_ERROR_MALFORMED,
            "The signature is not a detached one of plain data");
    return FALSE;
}

static gboolean has_no_parameters(const X509_ALGOR *algorithm) {
    return !algorithm->parameter || algorithm->parameter->type == V_ASN1_NULL;
}

/* Whether ALGORITHM is that of signatures over the digest DIGEST_NID by the key of SIGNER: either says it as
 * a whole (sha256WithRSAEncryption), or the kind of the key alone (rsaEncryption). */
static gboolean fits_key(const X509_ALGOR *algorithm, int digest_nid, const Certificate *signer) {
    int nid = OBJ_obj2nid(algorithm->algorithm), digest = NID_undef, kind = nid;
    const EVP_PKEY *key = X509_get0_pubkey(certificate_peek(signer));
    if (OBJ_find_sigid_algs(nid, &digest, &kind) == 1 && digest != NID_undef && digest != digest_nid)
        return FALSE;
    return key && nid != NID_undef && EVP_PKEY_base_id(key) == EVP_PKEY_type(kind) &&
           has_no_parameters(algorithm);
}

static gboolean announces_digest(const PKCS7_SIGNED *sign, const PKCS7_SIGNER_INFO *info) {
    for (int i = 0; i < sk_X509_ALGOR_num(sign->md_algs); i++) {
        const X509_ALGOR *algorithm = sk_X509_ALGOR_value(sign->md_algs, i);
        if (OBJ_cmp(algorithm->algorithm, info->digest_alg->algorithm) == 0)
            return has_no_parameters(algorithm);
    }
    return FALSE;
}

/* Certificates may be left out; where there are some, the signer's is one of them and as we know it. */
static gboolean brings_certificate(
        const CmsMessage *message, const PKCS7_SIGNER_INFO *info, const Certificate *signer) {
    GPtrArray *certificates = message->certificates;
    gboolean found = FALSE;
    for (guint i = 0; i < certificates->len; i++) {
        if (!certificate_matches_signer(certificates->pdata[i], info))
            continue;
        if (!certificate_equal(certificates->pdata[i], signer))
            return FALSE;
        found = TRUE;
    }
    return found || certificates->len == 0;
}

/* What OpenSSL does not look at and others do: versions, algorithms that are named twice, a copy of the
 * signer's certificate. A message in which they are wrong is valid here and refused by firmware or kernel.
 */
static gboolean check_unsigned_fields(const CmsMessage *message, const PKCS7_SIGNER_INFO *info,
        const Certificate *signer, GError **error) {
    const PKCS7_SIGNED *sign = message->message->d.sign;
    long version = ASN1_INTEGER_get(sign->version);
    const char *what = NULL;

    if ((version != 1 && version != 3) || ASN1_INTEGER_get(info->version) != 1)
        what = "a version that does not exist";
    else if (!info->digest_alg || !has_no_parameters(info->digest_alg) || !info->digest_enc_alg ||
             !fits_key(info->digest_enc_alg, OBJ_obj2nid(info->digest_alg->algorithm), signer))
        what = "an algorithm that is not that of its key";
    else if (!announces_digest(sign, info))
        what = "another digest than it announces";
    else if (!brings_certificate(message, info, signer))
        what = "certificates that are not its signer's";
    if (!what)
        return TRUE;
    g_set_error(error, CRYPTO_ERROR, CRYPTO_ERROR_MALFORMED, "The signature of %s has %s",
            certificate_get_subject(signer), what);
    return FALSE;
}

/* Lets OpenSSL compare digest and attributes and check the signature. */
static gboolean verify_signer(const CmsMessage *message, PKCS7_SIGNER_INFO *info, const guint8 *content,
        gsize size, const Certificate *signer, GError **error) {
    int digest_nid = OBJ_obj2nid(info->digest_alg ? info->digest_alg->algorithm : NULL);
    const EVP_MD *md = EVP_get_digestbynid(digest_nid);
    if (!md || EVP_MD_get_size(md) < SHA256_SIZE) {
        g_set_error(error, CRYPTO_ERROR, CRYPTO_ERROR_UNSUPPORTED, "The signature uses the digest %s",
                digest_nid == NID_undef ? "(unknown)" : OBJ_nid2sn(digest_nid));
        return FALSE;
    }
    g_autoptr(BIO) bio = BIO_new(BIO_f_md());
    BIO *sink = BIO_new(BIO_s_null());
    if (!bio || !sink || BIO_set_md(bio, md) != 1)
        return crypto_set_openssl_error(error, CRYPTO_ERROR_FAILED, "Cannot start a digest");
    BIO_push(bio, sink);
    for (gsize done = 0; done < size;) {
        int n = BIO_write(bio, content + done, (int) MIN(size - done, (gsize) G_MAXINT));
        if (n <= 0)
            return crypto_set_openssl_error(error, CRYPTO_ERROR_FAILED, "Cannot compute a digest");
        done += n;
    }
    if (PKCS7_signatureVerify(bio, message->message, info, certificate_peek(signer)) == 1)
        return TRUE;
    return crypto_set_openssl_error(error, CRYPTO_ERROR_MISMATCH, "The signature of %s is not valid",
            certificate_get_subject(signer));
}

gboolean cms_message_verify(const CmsMessage *message, const void *content, gsize size,
        GPtrArray *candidates, Certificate **ret_signer, GError **error) {
    PKCS7_SIGNER_INFO *info = first_signer(message);
    Certificate *signer = find_signer(info, candidates);
    if (!signer)
        signer = find_signer(info, message->certificates);
    if (!signer) {
        g_set_error(error, CRYPTO_ERROR, CRYPTO_ERROR_MISSING,
                "The certificate of the signer (%s) is not known", message->signer_name);
        return FALSE;
    }
    const guint8 *bytes = content;
    ERR_clear_error();
    if ((content && !check_detached(message, error)) || !get_signed_bytes(message, &bytes, &size, error) ||
            !check_content_type(message, info, error) ||
            !check_unsigned_fields(message, info, signer, error) ||
            !verify_signer(message, info, bytes, size, signer, error))
        return FALSE;
    if (ret_signer)
        *ret_signer = certificate_ref(signer);
    return TRUE;
}
