/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Release files of repositories, and what archives of snapshots answer. */
#include <stdint.h>
#include <string.h>

#include "distro/apt/release-file.h"
#include "distro/snapshot.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const Distribution distributions[] = {DISTRIBUTION_DEBIAN, DISTRIBUTION_UBUNTU,
            DISTRIBUTION_FEDORA, DISTRIBUTION_CENTOS, DISTRIBUTION_ARCH, DISTRIBUTION_OPENSUSE};
    g_autofree char *text = g_strndup((const char *) data, size);
    g_auto(ReleaseFile) release = {};

    release_file_parse(text, &release);
    g_assert_true(release.date >= -1 && release.valid_until >= -1);
    g_assert_true(release.valid_until < 0 || release.valid_until_text);
    for (gsize i = 0; i < G_N_ELEMENTS(distributions); i++) {
        g_autoptr(GError) error = NULL;
        g_autofree char *name = snapshot_parse_answer(distributions[i], "rawhide", text, &error);
        g_assert_true(!name == !!error);
        g_assert_true(!name || (*name && !strchr(name, '\n') && !strstr(name, "..")));
    }
    return 0;
}
