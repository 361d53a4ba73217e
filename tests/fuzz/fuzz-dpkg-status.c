/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* dpkg's list of installed packages, which a maintainer script can write as it likes. */
#include <stdint.h>
#include <string.h>

#include "distro/driver/types.h"
#include "distro/apt/dpkg-status.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    g_autofree char *text = g_strndup((const char *) data, size);
    g_autoptr(GPtrArray) packages = dpkg_status_parse(text);

    for (guint i = 0; i < packages->len; i++) {
        const DistroInstalled *package = packages->pdata[i];
        g_assert_true(package->name && package->version && package->architecture && package->source);
        g_assert_true(
                i == 0 || strcmp(((DistroInstalled *) packages->pdata[i - 1])->name, package->name) <= 0);
    }
    return 0;
}
