/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* OpenPGP key rings and signatures: the first half of the input is a key ring, and all of it a signature by that. */
#include "update/source/keyring.h"

#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    g_autoptr(GError) error = NULL;
    g_autoptr(GBytes) signature = g_bytes_new(data, size);
    g_autoptr(Keyring) keyring = keyring_parse(data, size, &error);

    g_assert_true((keyring != NULL) == (error == NULL));
    if (!keyring)
        return 0;
    g_assert_cmpuint(keyring_get_size(keyring), >, 0);
    /* Nobody signed these bytes. */
    g_assert_false(keyring_verify(keyring, signature, "another", 7, 1800000000, NULL, NULL));
    return 0;
}
