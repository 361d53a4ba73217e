/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pipeline/integrity/ipe-policy.h"

int LLVMFuzzerTestOneInput(const guint8 *data, gsize size);

int LLVMFuzzerTestOneInput(const guint8 *data, gsize size) {
    g_autoptr(GError) error = NULL;
    gboolean good = ipe_policy_check("policy", (const char *) data, size, "particleos", &error);

    g_assert_true(good == !error);
    return 0;
}
