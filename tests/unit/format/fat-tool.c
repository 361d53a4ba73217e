/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What our reader finds in FAT file systems, for tests/integration/test-fat-readers to compare with others:
 * for each IMAGE a line "= IMAGE", then "D PATH" and "F SIZE SHA256 PATH" for what is in it, or "! PROBLEM"
 * where it is refused. */
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/hex.h"
#include "base/sha256.h"
#include "format/fat/fat-audit.h"

static void print_file(FatReader *reader, const FatFile *file) {
    guint8 digest[SHA256_SIZE];
    gsize size = 0;
    if (file->entry->is_directory) {
        printf("D %s\n", file->path);
        return;
    }
    g_autoptr(GError) error = NULL;
    g_autoptr(GBytes) content = fat_reader_read(reader, file->entry, &error);
    if (!content) {
        printf("! %s\n", error->message);
        return;
    }
    const void *data = g_bytes_get_data(content, &size);
    sha256_buffer(data, size, digest);
    g_autofree char *hex = hex_encode(digest, sizeof digest);
    printf("F %" G_GSIZE_FORMAT " %s %s\n", size, hex, file->path);
}

static void print_image(const char *path) {
    g_autoptr(GError) error = NULL;
    AUTO_FD fd = open(path, O_RDONLY | O_CLOEXEC);
    off_t size = fd >= 0 ? lseek(fd, 0, SEEK_END) : 0;
    g_autoptr(FatReader) reader = fat_reader_new(fd, 0, size, &error);
    printf("= %s\n", path);
    if (!reader) {
        printf("! %s\n", error->message);
        return;
    }
    g_autoptr(GPtrArray) problems = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GPtrArray) files = fat_reader_audit(reader, problems);
    for (guint i = 0; i < problems->len; i++)
        printf("! %s\n", (const char *) problems->pdata[i]);
    for (guint i = 0; problems->len == 0 && i < files->len; i++)
        print_file(reader, files->pdata[i]);
}

int main(int argc, char *argv[]) {
    for (int i = 1; i < argc; i++)
        print_image(argv[i]);
    return 0;
}
