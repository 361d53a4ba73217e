/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* FAT file systems: every directory and file of a few levels. */
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "format/fat/fat-reader.h"

#define DEPTH_MAX 3
#define ENTRIES_MAX 16
#define FILE_SIZE_TRIED (1024 * 1024)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void visit(FatReader *reader, const char *path, int depth) {
    g_autoptr(GPtrArray) entries = fat_reader_list(reader, path, NULL);
    for (guint i = 0; entries && i < MIN(entries->len, ENTRIES_MAX); i++) {
        const FatEntry *entry = entries->pdata[i];
        g_autofree char *below = g_strdup_printf("%s/%s", path, entry->name);
        if (entry->is_directory && depth < DEPTH_MAX)
            visit(reader, below, depth + 1);
        if (entry->is_directory || entry->size > FILE_SIZE_TRIED)
            continue;
        g_autoptr(GBytes) content = fat_reader_read(reader, entry, NULL);
        g_assert_true(!content || g_bytes_get_size(content) == entry->size);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    AUTO_FD fd = memfd_create("fat", MFD_CLOEXEC);
    if (fd < 0 || write(fd, data, size) != (ssize_t) size)
        return 0;
    g_autoptr(FatReader) reader = fat_reader_new(fd, 0, size, NULL);
    if (reader)
        visit(reader, "", 0);
    return 0;
}
