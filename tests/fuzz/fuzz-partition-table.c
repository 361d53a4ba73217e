/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* GPT disks: a table without fault is one in which libfdisk sees the same as its bytes say. */
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>
#include <zlib.h>

#include "base/cleanup.h"
#include "edits.h"
#include "inspect/disk/gpt-audit.h"
#include "inspect/disk/partitions.h"

#define SECTOR 512
#define SECTORS 192
#define DISK_SIZE (SECTORS * SECTOR)
#define TABLE_SIZE (128 * 128)
#define FIRST_USABLE 34
#define LAST_USABLE (SECTORS - 34)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void put(guint8 *at, guint64 value, gsize width) {
    for (gsize i = 0; i < width; i++)
        at[i] = (guint8) (value >> (8 * i));
}

static guint64 get(const guint8 *at) {
    guint64 value = 0;
    for (gsize i = 8; i > 0; i--)
        value = value << 8 | at[i - 1];
    return value;
}

static void make_header(guint8 *disk, guint64 here, guint64 other, guint64 table) {
    guint8 *header = disk + here * SECTOR;
    memcpy(header, "EFI PART\0\0\1\0\x5c\0\0", 16);
    put(header + 24, here, 8);
    put(header + 32, other, 8);
    put(header + 40, FIRST_USABLE, 8);
    put(header + 48, LAST_USABLE, 8);
    memset(header + 56, 0x42, 16);
    put(header + 72, table, 8);
    put(header + 80, 128, 4);
    put(header + 84, 128, 4);
    guint8 *entry = disk + table * SECTOR;
    for (guint i = 0; i < 2; i++, entry += 128) {
        memset(entry, 0x11 + (int) i, 32);
        put(entry + 32, i == 0 ? 40 : 80, 8);
        put(entry + 40, i == 0 ? 79 : 150, 8);
        entry[56] = 'x';
    }
}

static void make_disk(guint8 *disk) {
    memset(disk, 0, DISK_SIZE);
    memcpy(disk + 446, "\0\0\2\0\xee\xff\xff\xff\1\0\0", 12);
    put(disk + 458, SECTORS - 1, 4);
    memcpy(disk + 510, "\x55\xaa", 2);
    make_header(disk, 1, SECTORS - 1, 2);
    make_header(disk, SECTORS - 1, 1, SECTORS - 33);
}

static void repair_checksums(guint8 *disk) {
    static const guint64 places[][2] = {{1, 2}, {SECTORS - 1, SECTORS - 33}};
    for (gsize i = 0; i < G_N_ELEMENTS(places); i++) {
        guint8 *header = disk + places[i][0] * SECTOR;
        put(header + 88, crc32(0, disk + places[i][1] * SECTOR, TABLE_SIZE), 4);
        put(header + 16, 0, 4);
        put(header + 16, crc32(0, header, 92), 4);
    }
}

static void compare(const guint8 *disk, GPtrArray *partitions) {
    guint n = 0;
    for (const guint8 *entry = disk + 2 * SECTOR; entry < disk + 2 * SECTOR + TABLE_SIZE; entry += 128) {
        if (get(entry) == 0 && get(entry + 8) == 0)
            continue;
        n++;
        gboolean found = FALSE;
        for (guint i = 0; i < partitions->len; i++) {
            const InspectPartition *partition = partitions->pdata[i];
            found = found || (partition->offset == get(entry + 32) * SECTOR &&
                                     partition->size == (get(entry + 40) - get(entry + 32) + 1) * SECTOR);
        }
        g_assert_true(found);
    }
    g_assert_cmpuint(n, ==, partitions->len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static guint8 disk[DISK_SIZE];
    g_autoptr(GPtrArray) problems = g_ptr_array_new_with_free_func(g_free), seen = NULL;
    AUTO_FD fd = memfd_create("disk", MFD_CLOEXEC);
    make_disk(disk);
    if (size > 0 && fd >= 0) {
        apply_edits(disk, sizeof disk, 32, data + 1, size - 1);
        if (data[0] % 4 != 0)
            repair_checksums(disk);
    }
    if (fd < 0 || write(fd, disk, sizeof disk) != (ssize_t) sizeof disk)
        return 0;
    inspect_gpt_audit(fd, sizeof disk, problems);
    g_autofree char *path = g_strdup_printf("/proc/self/fd/%d", fd);
    g_autoptr(GPtrArray) partitions = inspect_partitions_read(path, &seen, NULL);
    if (problems->len > 0)
        return 0;
    g_assert_nonnull(partitions);
    compare(disk, partitions);
    return 0;
}
