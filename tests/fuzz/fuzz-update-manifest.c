/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SHA256SUMS of a server. */
#include "update/source/manifest.h"

#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    g_autoptr(GError) error = NULL;
    g_autoptr(Manifest) manifest = manifest_parse(size > 0 ? (const char *) data : "", size, &error);

    g_assert_true((manifest != NULL) == (error == NULL));
    if (!manifest)
        return 0;
    const GPtrArray *names = manifest_get_names(manifest);
    for (guint i = 0; i < names->len; i++) {
        const char *name = names->pdata[i];
        g_assert_nonnull(manifest_find(manifest, name));
        g_assert_true(*name && *name != '.' && !strpbrk(name, "/\n"));
        g_assert_true(i == 0 || strcmp(names->pdata[i - 1], name) < 0);
    }
    gboolean now = manifest_check_freshness(manifest, G_GINT64_CONSTANT(1800000000), NULL);
    /* What is too old does not become fresh. */
    g_assert_true(now || !manifest_check_freshness(manifest, G_GINT64_CONSTANT(1900000000), NULL));
    return 0;
}
