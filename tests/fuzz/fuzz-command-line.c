/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Kernel command lines and image policies. */
#include <stdint.h>
#include <string.h>

#include "inspect/command-line.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    g_autofree char *text = g_strndup((const char *) data, size);
    g_autofree char *hash = command_line_get(text, "usrhash");
    g_autofree char *policy = command_line_get(text, "systemd.image_policy");
    g_assert_true(!hash || strlen(hash) <= size);
    command_line_dissects(text, "usr");
    image_policy_wants_signed(text, "usr");
    if (policy)
        image_policy_wants_signed(policy, "root");
    return 0;
}
