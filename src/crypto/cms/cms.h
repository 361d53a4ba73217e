/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* PKCS#7 / CMS SignedData (RFC 2315, RFC 5652) in the shapes that kernel and firmware read: one signer,
 * SHA-256, never a signing time, so that RSA signatures are reproducible. */

#include <glib.h>

#include "crypto/certificates/certificate.h"
#include "crypto/sources/key-source.h"

typedef enum {
    /* The signer's certificate is part of the message. */
    CMS_INCLUDE_CERTIFICATE = 1 << 0,
    /* Signed attributes contentType and messageDigest instead of a signature over the content itself. */
    CMS_SIGNED_ATTRIBUTES = 1 << 1,
    /* A bare SignedData, without the ContentInfo around it, as authenticated UEFI variables want it. */
    CMS_BARE = 1 << 2,
} CmsFlags;

/* A detached signature over SIZE bytes at CONTENT, in DER. With FLAGS 0 it is what the kernel takes for the
 * root hash of dm-verity (content: the root hash in lower-case hexadecimal). */
GBytes *cms_sign_detached(const KeySource *key, const Certificate *certificate, const void *content,
        gsize size, CmsFlags flags, GError **error);

/* A signature over SIZE bytes at CONTENT with these inside as plain data (without signed attributes), in
 * DER: what the kernel takes as a policy of IPE. Of FLAGS only CMS_INCLUDE_CERTIFICATE has a meaning. */
GBytes *cms_sign_data(const KeySource *key, const Certificate *certificate, const void *content, gsize size,
        CmsFlags flags, GError **error);

/* A signature with its content inside: CONTENT is the DER of a SEQUENCE of the type CONTENT_TYPE (an object
 * identifier in dotted form). As in Authenticode, the digest covers the inside of that SEQUENCE. Signer's
 * certificate and signed attributes are always there. */
GBytes *cms_sign_content(const KeySource *key, const Certificate *certificate, const char *content_type,
        GBytes *content, GError **error);

/* A SignedData that was read. */
typedef struct CmsMessage CmsMessage;

/* Reads a SignedData in DER, with or without ContentInfo around it. Zero bytes after it are padding and
 * accepted when ALLOW_PADDING. */
CmsMessage *cms_message_parse(const void *data, gsize size, gboolean allow_padding, GError **error);
void cms_message_free(CmsMessage *message);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CmsMessage, cms_message_free)

/* The content type in dotted form; owned by the message. */
const char *cms_message_get_content_type(const CmsMessage *message);

/* The DER of the content, or NULL when the signature is detached; owned by the message. */
GBytes *cms_message_get_content(const CmsMessage *message);

/* The certificates inside, an array of Certificate; owned by the message. */
GPtrArray *cms_message_get_certificates(const CmsMessage *message);

/* "issuer, serial" of the (first) signer, as the message names it; owned by the message. */
const char *cms_message_get_signer_name(const CmsMessage *message);

/* Whether the (first) signature is nothing but zeros: room for one that is made elsewhere. */
gboolean cms_message_is_pending(const CmsMessage *message);

/* Whether the (first) signer is the one that CERTIFICATE is of. */
gboolean cms_message_is_by(const CmsMessage *message, const Certificate *certificate);

/* Checks the signature of the first signer over CONTENT (NULL: over the content inside). The signer's
 * certificate is looked for in CANDIDATES (an array of Certificate, may be NULL), then among those inside
 * the message; whether it is to be trusted is for the caller to decide by looking at RET_SIGNER (may be
 * NULL; a new reference). */
gboolean cms_message_verify(const CmsMessage *message, const void *content, gsize size,
        GPtrArray *candidates, Certificate **ret_signer, GError **error) G_GNUC_WARN_UNUSED_RESULT;
