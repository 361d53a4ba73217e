/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "format/fat/fat-boot-sectors.h"

#include <string.h>

#include "base/hex.h"
#include "base/sha256.h"
#include "format/fat/fat-internal.h"

#define SECTOR 512
#define CHUNK (256 * 1024)
#define CLUSTER_SIZE_MAX (64 * 1024)

/* What mkfs.fat puts where BIOSes look for code: it prints that there is nothing to boot. */
static const char *const known_code[] = {
        "077944d0488ccce0f25a5449d0d903d7c24c6e5452d2a3103dc3ab02a419937a", /* FAT32 */
        "c0e43d7b254da6d399f18d63cf109ffd01a4251154952b479df6fac2c6849948", /* FAT12, FAT16 */
};

static void G_GNUC_PRINTF(2, 3) complain(GPtrArray *problems, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    g_ptr_array_add(problems, g_strdup_vprintf(format, arguments));
    va_end(arguments);
}

static gboolean is_zero(const guint8 *data, gsize size) {
    return size == 0 || (data[0] == 0 && memcmp(data, data + 1, size - 1) == 0);
}

/* Whether the bytes of the reserved sectors, or after the last cluster, are zero. */
static void check_zero(
        FatReader *reader, guint64 offset, guint64 size, const char *what, GPtrArray *problems) {
    g_autofree guint8 *data = g_malloc(CHUNK);
    for (guint64 done = 0; done < size; done += CHUNK) {
        g_autoptr(GError) error = NULL;
        gsize step = MIN(CHUNK, size - done);
        if (!fat_read_at(reader, offset + done, data, step, &error)) {
            complain(problems, "%s", error->message);
            return;
        }
        if (!is_zero(data, step)) {
            complain(problems, "bytes that are not zero %s", what);
            return;
        }
    }
}

static void check_code(const FatReader *reader, const guint8 *boot, GPtrArray *problems) {
    gsize start = reader->bits == 32 ? 90 : 62;
    guint8 digest[SHA256_SIZE];
    if (boot[0] != 0xeb && boot[0] != 0xe9)
        complain(problems, "the boot sector does not begin as one");
    if (is_zero(boot + start, 510 - start))
        return;
    sha256_buffer(boot + start, 510 - start, digest);
    g_autofree char *hex = hex_encode(digest, sizeof digest);
    for (gsize i = 0; i < G_N_ELEMENTS(known_code); i++)
        if (strcmp(hex, known_code[i]) == 0)
            return;
    complain(problems, "the boot sector has code that nobody knows");
}

/* Words that should mean nothing, but some readers go by them: U-Boot by the name of the type, others by
 * that of the system, behind which they look for another file system. */
static void check_words(const FatReader *reader, const guint8 *boot, GPtrArray *problems) {
    static const char *const others[] = {"NTFS    ", "EXFAT   ", "-FVE-FS-", "ReFS\0\0\0\0"};
    gsize extended = reader->bits == 32 ? 66 : 38;
    char type[9];
    g_snprintf(type, sizeof type, "FAT%-5d", reader->bits);
    if (boot[extended] != 0x29 || memcmp(boot + extended + 16, type, 8) != 0)
        complain(problems, "the boot sector does not name the type of the file system, FAT%d", reader->bits);
    for (gsize i = 0; i < G_N_ELEMENTS(others); i++)
        if (memcmp(boot + 3, others[i], 8) == 0)
            complain(problems, "the boot sector says that it is of another file system");
}

static void check_fields(const FatReader *reader, const guint8 *boot, GPtrArray *problems) {
    guint32 first = fat_next_cluster(reader, 0);
    guint32 ones = reader->bits == 12 ? 0xf00 : reader->bits == 16 ? 0xff00 : 0x0fffff00;
    if (boot[21] < 0xf8 && boot[21] != 0xf0)
        complain(problems, "an unknown kind of medium (%#x)", boot[21]);
    if (first != (ones | boot[21]))
        complain(problems, "allocation table and boot sector name different kinds of media");
    if (reader->n_tables > 2)
        complain(problems, "%u copies of the allocation table", reader->n_tables);
    if (reader->cluster_size > CLUSTER_SIZE_MAX)
        complain(problems, "clusters of %u bytes, more than all readers take", reader->cluster_size);
    if (reader->bits != 32)
        return;
    if (read_le16(boot + 40) != 0)
        complain(problems, "only one of the allocation tables is in use");
    if (read_le16(boot + 42) != 0)
        complain(problems, "an unknown version of FAT32");
    if (!is_zero(boot + 52, 12))
        complain(problems, "bytes that are not zero where the boot sector reserves them");
    if (!fat_is_cluster(reader, reader->root_cluster))
        complain(problems, "the root directory is at no cluster");
}

static gboolean is_information(const guint8 *sector) {
    return memcmp(sector, "RRaA", 4) == 0 && is_zero(sector + 4, 480) &&
           memcmp(sector + 484, "rrAa", 4) == 0 && is_zero(sector + 496, 14) && sector[510] == 0x55 &&
           sector[511] == 0xaa;
}

/* Linux notes in a byte of the first sector that the file system is mounted. */
static gboolean same_boot_sector(const guint8 *a, const guint8 *b) {
    return memcmp(a, b, 65) == 0 && memcmp(a + 66, b + 66, SECTOR - 66) == 0;
}

/* FAT32: sector 1 and the one after the copy of the boot sector count free clusters, all else is unused. */
static void check_reserved(FatReader *reader, const guint8 *boot, guint32 n, GPtrArray *problems) {
    guint32 information = read_le16(boot + 48), backup = read_le16(boot + 50);
    for (guint32 i = 1; i < n; i++) {
        g_autofree guint8 *sector = g_malloc(reader->sector_size);
        g_autoptr(GError) error = NULL;
        if (!fat_read_at(reader, (guint64) i * reader->sector_size, sector, reader->sector_size, &error)) {
            complain(problems, "%s", error->message);
            return;
        }
        gboolean sound = reader->bits != 32 || (i != information && i != backup)
                                 ? is_zero(sector, SECTOR) ||
                                           (reader->bits == 32 && backup != 0 && information != 0 &&
                                                   i == backup + information && is_information(sector))
                         : i == backup ? same_boot_sector(sector, boot)
                                       : is_information(sector);
        if (!sound && reader->bits == 32 && i == backup)
            complain(problems, "the copy of the boot sector is different");
        else if (!sound || !is_zero(sector + SECTOR, reader->sector_size - SECTOR))
            complain(problems, "unknown bytes in sector %u, in front of the allocation table", i);
    }
    if (reader->bits == 32 && (information != 1 || (backup != 0 && backup >= n)))
        complain(problems, "copies of the boot sector or counts of free clusters are at unusual places");
}

void fat_check_boot_sectors(FatReader *reader, GPtrArray *problems) {
    guint8 boot[SECTOR];
    g_autoptr(GError) error = NULL;
    if (!fat_read_at(reader, 0, boot, sizeof boot, &error)) {
        complain(problems, "%s", error->message);
        return;
    }
    check_code(reader, boot, problems);
    check_words(reader, boot, problems);
    check_fields(reader, boot, problems);
    check_reserved(reader, boot, read_le16(boot + 14), problems);
    check_zero(reader, SECTOR, reader->sector_size - SECTOR, "after the boot sector", problems);
    guint64 end = reader->data_offset + (guint64) reader->n_clusters * reader->cluster_size;
    check_zero(reader, end, reader->size - end, "after the last cluster", problems);
}
