/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The JSON of .pcrsig: what was read can be written and read again. */
#include "format/efi/uki/pcr.h"

#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) policies = pcr_policies_parse((const char *) data, size, &error);
    g_assert_true(!policies == !!error);
    if (!policies)
        return 0;
    g_autofree char *json = pcr_policies_to_json(policies);
    g_autoptr(GPtrArray) again = pcr_policies_parse(json, -1, &error);
    g_assert_no_error(error);
    g_autofree char *same = pcr_policies_to_json(again);
    g_assert_cmpstr(json, ==, same);
    return 0;
}
