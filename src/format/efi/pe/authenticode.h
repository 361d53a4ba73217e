/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Authenticode signatures of PE images ("Windows Authenticode Portable Executable Signature Format", UEFI
 * specification section "UEFI Image Validation"), with SHA-256. Same image, key and certificate give the
 * same bytes (RSA). Readers are pure functions over buffers and check every bound. */

#include <glib.h>

#include "base/sha256.h"
#include "crypto/certificates/certificate.h"
#include "crypto/cms/cms.h"
#include "crypto/sources/key-source.h"

typedef enum {
    AUTHENTICODE_REPLACE, /* the new signature is the only one */
    AUTHENTICODE_APPEND,  /* signatures that are already there stay in front */
} AuthenticodeMode;

/* The digest that a signature covers. IMAGE may be signed or not; an unsigned image whose size is no
 * multiple of 8 is digested as if zeros followed, as it will be once signed. */
gboolean authenticode_digest(
        const void *image, gsize size, guint8 ret_digest[static SHA256_SIZE], GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* IMAGE with a signature by KEY: padded to 8 bytes, signature attached, PE checksum set. */
GBytes *authenticode_sign(GBytes *image, const KeySource *key, const Certificate *certificate,
        AuthenticodeMode mode, GError **error);

/* Reads the image INPUT_FD (from its beginning) and writes the signed one to OUTPUT_FD (at its position). */
gboolean authenticode_sign_fd(int input_fd, int output_fd, const KeySource *key,
        const Certificate *certificate, AuthenticodeMode mode, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* IMAGE with a signature by KEY instead of the one by CERTIFICATE that is pending (cms_message_is_pending()). Nothing
 * moves: both are of one size. NULL without ERROR set when none is pending. */
GBytes *authenticode_complete(
        GBytes *image, const KeySource *key, const Certificate *certificate, GError **error);

/* IMAGE without any signature, PE checksum set. */
GBytes *authenticode_strip(GBytes *image, GError **error);

/* One signature of an image. */
typedef struct {
    CmsMessage *message;
    guint8 digest[SHA256_SIZE]; /* what the signature says that the image's digest is */
} AuthenticodeSignature;

void authenticode_signature_free(AuthenticodeSignature *signature);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AuthenticodeSignature, authenticode_signature_free)

/* The SHA-256 signatures of IMAGE, an array of AuthenticodeSignature; empty when it is not signed. Fails
 * when the certificate table is damaged. */
GPtrArray *authenticode_parse(const void *image, gsize size, GError **error);

/* Checks that one signature of IMAGE is valid and covers it; with PINNED, that it is by this certificate.
 * RET_SIGNER (may be NULL) receives a new reference to the signer's certificate. */
gboolean authenticode_verify(
        const void *image, gsize size, const Certificate *pinned, Certificate **ret_signer, GError **error) G_GNUC_WARN_UNUSED_RESULT;
