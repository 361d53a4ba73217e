/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Everything that carries signatures: PE images, UEFI variables and signature lists, verity signature
 * partitions, CMS, certificates. Which parser gets the bytes does not matter; each gets them all. */
#include <stdint.h>

#include "base/errors.h"
#include "base/sha256.h"
#include "crypto/certificates/certificate.h"
#include "crypto/cms/cms.h"
#include "crypto/sources/key-source.h"
#include "format/efi/pe/authenticode.h"
#include "format/efi/variables/efi-authenticated-variable.h"
#include "format/verity/signature/verity-signature.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void try_pe(const uint8_t *data, size_t size) {
    guint8 digest[SHA256_SIZE];
    gboolean good = authenticode_digest(data, size, digest, NULL);
    g_autoptr(Certificate) signer = NULL;
    g_autoptr(GPtrArray) signatures = authenticode_parse(data, size, NULL);
    if (authenticode_verify(data, size, NULL, &signer, NULL))
        g_assert_true(good && signatures && signatures->len > 0 && signer);
    g_autoptr(GBytes) image = g_bytes_new(data, size);
    g_autoptr(GBytes) stripped = authenticode_strip(image, NULL);
    if (stripped)
        ignore_failure(authenticode_digest(g_bytes_get_data(stripped, NULL), g_bytes_get_size(stripped), digest, NULL));
}

static void try_variable(const uint8_t *data, size_t size) {
    g_autoptr(EfiAuthenticatedVariable) variable = efi_authenticated_variable_parse(data, size, NULL);
    if (variable)
        ignore_failure(efi_authenticated_variable_verify(variable, "db", EFI_UPDATE_REPLACE, NULL, NULL));
    g_autoptr(GPtrArray) signatures =
            variable ? efi_signature_list_parse(g_bytes_get_data(variable->payload, NULL),
                               g_bytes_get_size(variable->payload), NULL)
                     : efi_signature_list_parse(data, size, NULL);
    g_autoptr(GPtrArray) certificates =
            signatures ? efi_signature_list_get_certificates(signatures, NULL) : NULL;
    g_assert_true(!certificates || certificates->len <= signatures->len);
}

static void try_verity_signature(const uint8_t *data, size_t size) {
    g_autoptr(VeritySignature) signature = verity_signature_parse(data, size, NULL);
    if (signature)
        ignore_failure(verity_signature_verify(signature, NULL, NULL, NULL));
}

static void try_crypto(const uint8_t *data, size_t size) {
    g_autoptr(CmsMessage) message = cms_message_parse(data, size, TRUE, NULL);
    if (message)
        ignore_failure(cms_message_verify(message, NULL, 0, NULL, NULL, NULL));
    g_autoptr(Certificate) certificate = certificate_new(data, size, NULL);
    if (certificate)
        certificate_is_self_signed(certificate);
    g_autoptr(GBytes) bytes = g_bytes_new(data, size);
    g_autoptr(GBytes) public_key = public_key_to_der(bytes, NULL);
    g_assert_true(!public_key || g_bytes_get_size(public_key) > 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    try_pe(data, size);
    try_variable(data, size);
    try_verity_signature(data, size);
    try_crypto(data, size);
    return 0;
}
