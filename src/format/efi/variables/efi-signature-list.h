/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* EFI_SIGNATURE_LIST (UEFI specification, "Signature Database"): what PK, KEK and db contain. */

#include <glib.h>

#include "crypto/certificates/certificate.h"

/* A GUID as it is stored: the first three fields little-endian. */
typedef struct {
    guint8 bytes[16];
} EfiGuid;

extern const EfiGuid EFI_CERT_X509_GUID;
extern const EfiGuid EFI_CERT_SHA256_GUID;

/* The owner that our signature lists name. */
extern const EfiGuid PARTICLEOS_SIGNATURE_OWNER_GUID;

gboolean efi_guid_equal(const EfiGuid *a, const EfiGuid *b);

/* "a5c059a1-94e4-4aa7-87b5-ab155c2bf072"; owned by the caller. */
char *efi_guid_to_string(const EfiGuid *guid);

/* One list per certificate (lists hold entries of one size), one after the other. CERTIFICATES is an array
 * of Certificate with at least one element. */
GBytes *efi_signature_list_build(GPtrArray *certificates, const EfiGuid *owner);

/* One list with the N SHA-256 digests that are in a row at DIGESTS, in their order. */
GBytes *efi_signature_list_build_sha256(const guint8 *digests, gsize n, const EfiGuid *owner);

/* One entry of a list. */
typedef struct {
    EfiGuid type; /* EFI_CERT_X509_GUID: DATA is a DER certificate; EFI_CERT_SHA256_GUID: a digest */
    EfiGuid owner;
    GBytes *data;
} EfiSignature;

void efi_signature_free(EfiSignature *signature);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(EfiSignature, efi_signature_free)

/* Reads lists that follow each other and fill SIZE bytes; an array of EfiSignature. */
GPtrArray *efi_signature_list_parse(const void *data, gsize size, GError **error);

/* The X.509 certificates among SIGNATURES (from efi_signature_list_parse()); an array of Certificate. */
GPtrArray *efi_signature_list_get_certificates(GPtrArray *signatures, GError **error);
