/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A hash area that was fetched alone, and the signature of its root hash. */
#include "update/device/trust.h"

#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    g_autoptr(GError) error = NULL;
    g_auto(TrustSignature) signature = {.signature = NULL};
    guint8 root_hash[VERITY_DIGEST_SIZE];
    VeritySuperblock superblock;

    if (verity_area_check(data, size, &superblock, root_hash, &error)) {
        const guint8 *leaves = verity_area_leaves(data, &superblock);
        g_assert_true(leaves > data && leaves + superblock.data_blocks * VERITY_DIGEST_SIZE <= data + size);
    } else
        g_assert_nonnull(error);
    g_clear_error(&error);
    gboolean good = trust_signature_parse(data, size, &signature, &error);
    g_assert_true(good == (error == NULL) && good == (signature.signature != NULL));
    return 0;
}
