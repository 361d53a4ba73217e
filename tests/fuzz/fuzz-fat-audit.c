/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* FAT file systems that somebody changed: where nothing is wrong, listing and reading finds what the audit
 * found. */
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "edits.h"
#include "format/fat/fat-audit.h"

#define SECTOR 512
#define SIZE (96 * SECTOR)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void make_entry(guint8 *at, const char *name, guint8 attributes, guint8 cluster, guint16 size) {
    memcpy(at, name, 11);
    at[11] = attributes;
    at[26] = cluster;
    at[28] = (guint8) size;
    at[29] = (guint8) (size >> 8);
}

static void make_boot_sector(guint8 *image, gboolean fat32) {
    static const guint8 boot[] = {0xeb, 0x58, 0x90, 'm', 'k', 'f', 's', '.', 'f', 'a', 't', 0, 2, 1, 1, 0, 2,
            16, 0, 96, 0, 0xf8, 1, 0};
    memcpy(image, boot, sizeof boot);
    memcpy(image + 510, "\x55\xaa", 2);
    image[fat32 ? 66 : 38] = 0x29;
    memcpy(image + (fat32 ? 82 : 54), fat32 ? "FAT32   " : "FAT12   ", 8);
    if (!fat32)
        return;
    image[14] = 8;
    memset(image + 17, 0, 4);
    image[22] = 0;
    image[32] = 96;
    image[36] = 1;
    image[44] = 2;
    image[48] = 1;
    image[50] = 6;
    memcpy(image + SECTOR, "RRaA", 4);
    memcpy(image + SECTOR + 484, "rrAa\xff\xff\xff\xff\xff\xff\xff\xff", 12);
    memcpy(image + SECTOR + 510, "\x55\xaa", 2);
    memcpy(image + 6 * SECTOR, image, SECTOR);
}

/* Root (FAT32: cluster 2), a directory in cluster 3, in it one in cluster 4 with a file of two clusters. */
static void make_fat(guint8 *image, gboolean fat32) {
    static const guint16 next[] = {0xff8, 0xfff, 0xfff, 0xfff, 0xfff, 6, 0xfff};
    gsize table = fat32 ? 8 * SECTOR : SECTOR, data = table + 2 * SECTOR + (fat32 ? 0 : SECTOR);
    memset(image, 0, SIZE);
    make_boot_sector(image, fat32);
    for (guint copy = 0; copy < 2; copy++, table += SECTOR)
        for (guint i = 0; i < G_N_ELEMENTS(next); i++) {
            guint16 value = !fat32 && i == 2 ? 0 : next[i];
            guint8 *at = image + table + (fat32 ? i * 4 : i * 3 / 2);
            at[0] = (guint8) (fat32 || i % 2 == 0 ? value : at[0] | value << 4);
            at[1] = (guint8) (fat32 || i % 2 == 0 ? value >> 8 : value >> 4);
            if (fat32 && value >= 0xff0)
                memcpy(at + 1, "\xff\xff\x0f", 3);
        }
    guint8 *root = image + data - (fat32 ? 0 : SECTOR), *first = image + data + SECTOR,
           *second = first + SECTOR;
    make_entry(root, "EFI        ", 0x10, 3, 0);
    make_entry(first, ".          ", 0x10, 3, 0);
    make_entry(first + 32, "..         ", 0x10, 0, 0);
    make_entry(first + 64, "BOOT       ", 0x10, 4, 0);
    make_entry(second, ".          ", 0x10, 4, 0);
    make_entry(second + 32, "..         ", 0x10, 3, 0);
    memcpy(second + 64,
            "\x41l\0o\0n\0g\0.\0\x0f\0\x53"
            "e\0f\0i\0\0\0\xff\xff\xff\xff\0\0\xff\xff\xff\xff",
            32);
    make_entry(second + 96, "LONG    EFI", 0x20, 5, 700);
}

static guint count(FatReader *reader, const char *path) {
    g_autoptr(GPtrArray) entries = fat_reader_list(reader, path, NULL);
    guint n = 0;
    g_assert_nonnull(entries);
    for (guint i = 0; i < entries->len; i++) {
        const FatEntry *entry = entries->pdata[i];
        g_autofree char *below = *path ? g_strconcat(path, "/", entry->name, NULL) : g_strdup(entry->name);
        n += entry->is_directory ? 1 + count(reader, below) : 1;
    }
    return n;
}

static void compare(FatReader *reader, GPtrArray *files) {
    for (guint i = 0; i < files->len; i++) {
        const FatFile *file = files->pdata[i];
        g_autoptr(FatEntry) entry = fat_reader_find(reader, file->path, NULL);
        g_assert_true(entry && entry->cluster == file->entry->cluster && entry->size == file->entry->size &&
                      entry->is_directory == file->entry->is_directory);
        if (entry->is_directory)
            continue;
        g_autoptr(GBytes) content = fat_reader_read(reader, entry, NULL);
        g_assert_true(content && g_bytes_get_size(content) == entry->size);
    }
    g_assert_cmpuint(count(reader, ""), ==, files->len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static guint8 image[SIZE];
    gboolean fat32 = size > 0 && data[0] % 2 != 0;
    AUTO_FD fd = memfd_create("fat", MFD_CLOEXEC);
    make_fat(image, fat32);
    if (size > 0)
        apply_edits(image, SIZE, 32, data + 1, size - 1);
    if (fd < 0 || write(fd, image, SIZE) != SIZE)
        return 0;
    g_autoptr(FatReader) reader = fat_reader_new(fd, 0, SIZE, NULL);
    if (!reader)
        return 0;
    g_autoptr(GPtrArray) problems = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GPtrArray) files = fat_reader_audit(reader, problems);
    g_assert_true(size > 0 || (problems->len == 0 && files->len == 3));
    if (problems->len == 0)
        compare(reader, files);
    return 0;
}
