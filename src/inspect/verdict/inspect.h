/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Reads a discoverable disk image back and judges every link of its chain of trust, offline and without
 * privileges: firmware keys, boot loader, UKIs with their profiles and expected PCRs, verity root hashes and
 * their signatures, file systems, checksums. */

#include <glib.h>

#include "crypto/certificates/certificate.h"
#include "inspect/verdict/report.h"

typedef struct {
    /* The certificate by which everything must be signed, or NULL: then signatures only have to be valid and
     * consistent with each other. */
    const Certificate *certificate;
    /* Whose key the expected PCRs must be signed by, or NULL: CERTIFICATE. */
    const Certificate *pcr_certificate;
    /* By which root hashes must be signed, or NULL: CERTIFICATE. Firmware may trust it as well. */
    const Certificate *root_hash_certificate;
    /* Of Certificate, or NULL: others that firmware may trust and PCR policies may be signed by, as long as old and new
     * keys are in use. */
    GPtrArray *others;
    /* Files of the ESP that the caller knows: path in lower case ("efi/tool.bin") to SHA-256 in hexadecimal
     * (both char *), or NULL. */
    GHashTable *known_files;
    guint threads; /* for hashing; 0: all processors */
} InspectOptions;

/* Inspects the image PATH: a disk, an extension, or a UKI or addon by itself. Returns NULL with ERROR set
 * only when it cannot be read at all; whatever is wrong with it is in the report, whose root is the image.
 */
InspectNode *inspect_image(const char *path, const InspectOptions *options, GError **error);
