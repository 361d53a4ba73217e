/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The superblock in front of a verity hash area. */
#include "format/verity/verity.h"

#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    g_autoptr(GError) error = NULL;
    VeritySuperblock superblock;
    gboolean good = verity_superblock_parse(data, size, &superblock, &error);
    g_assert_true(good == !error);
    if (!good)
        return 0;
    g_assert_cmpuint(superblock.salt_size, <=, sizeof superblock.salt);
    /* The size of the area does not overflow, so that it can be compared with that of the partition. */
    g_assert_cmpuint(verity_hash_area_size(superblock.data_blocks) / VERITY_BLOCK_SIZE, >,
            superblock.data_blocks / (VERITY_BLOCK_SIZE / VERITY_DIGEST_SIZE));
    return 0;
}
