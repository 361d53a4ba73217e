/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Feeds every file of the directories on the command line to a fuzz target, and every prefix of small ones.
 */
#include <glib.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static gboolean replay(const char *path) {
    g_autofree char *content = NULL;
    gsize length;
    if (!g_file_get_contents(path, &content, &length, NULL))
        return FALSE;
    for (gsize n = length > 4096 ? length : 0; n <= length; n++) {
        /* A copy of exactly this size, so that a sanitizer sees what is read behind it. */
        g_autofree uint8_t *exact = g_memdup2(content, MAX(n, 1));
        LLVMFuzzerTestOneInput(exact, n);
    }
    return TRUE;
}

/* Speaks TAP: one result for the corpus, whose files are named when a target ends the program. */
int main(int argc, char **argv) {
    guint files = 0;
    for (int i = 1; i < argc; i++) {
        g_autoptr(GDir) directory = g_dir_open(argv[i], 0, NULL);
        for (const char *name; directory && (name = g_dir_read_name(directory));) {
            g_autofree char *path = g_build_filename(argv[i], name, NULL);
            printf("# %s\n", name);
            fflush(stdout);
            files += replay(path);
        }
    }
    printf("%s 1 - %u inputs of the corpus\n1..1\n", files > 0 ? "ok" : "not ok", files);
    return files > 0 ? 0 : 1;
}
