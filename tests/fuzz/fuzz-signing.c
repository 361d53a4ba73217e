/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What comes back from where images are signed: signing.json, and the archive of answers. */
#include <stdint.h>
#include <string.h>

#include "signing/request-archive.h"
#include "signing/request-directory.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    g_autoptr(GError) error = NULL;
    g_autoptr(GError) problem = NULL;
    g_autofree char *text = g_strndup((const char *) data, size);
    g_autoptr(SigningDirectory) directory = signing_directory_parse("/nowhere", text, strlen(text), &error);
    g_autoptr(GHashTable) answers = request_archive_parse_answers(data, size, &problem);

    g_assert_true(!directory == !!error);
    g_assert_true(!answers == !!problem);
    if (directory) {
        g_assert_true(!strchr(directory->image, '/') && directory->round > 0);
        for (char **name = directory->files; *name; name++)
            g_assert_true(**name && !strchr(*name, '/') && **name != '.');
    }
    return 0;
}
