/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What apt and dpkg print: the list of what would be fetched, and what they say while they work, in which
 * maintainer scripts have a say too. */
#include <stdint.h>
#include <string.h>

#include "distro/apt/output.h"
#include "distro/apt/uris.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_uris(const char *text) {
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) packages = apt_uris_parse(text, &error);

    g_assert_true(!packages == !!error);
    for (guint i = 0; packages && i < packages->len; i++) {
        const DistroPackage *package = packages->pdata[i];
        /* They become names in the package cache. */
        g_assert_true(*package->file && !strchr(package->file, '/') && package->file[0] != '.');
        g_assert_true(strlen(package->digest) == strlen("SHA256:") + 64);
    }
}

static void on_progress(guint done, guint total, const char *what, gpointer data) {
    g_assert_true(done <= total && what);
}

static void check_output(const char *text) {
    g_autoptr(AptOutput) output = apt_output_new(on_progress, NULL, 4);
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);

    for (char **line = lines; *line; line++)
        apt_output_line(*line, output);
    g_assert_nonnull(apt_output_reason(output));
    g_assert_nonnull(apt_output_advice(output, ""));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    g_autofree char *text = g_strndup((const char *) data, size);

    check_uris(text);
    check_output(text);
    return 0;
}
