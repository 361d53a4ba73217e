/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "update/device/gpt-table.h"

#include <errno.h>
#include <linux/fs.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "base/errors.h"
#include "base/io.h"
#include "base/little-endian.h"
#include "update/transfer/error.h"

#define SIGNATURE "EFI PART"
#define HEADER_SIZE 92
#define ENTRY_SIZE 128
#define ENTRIES_MAX 1024
#define LABEL_UNITS 36
#define SECTOR_MAX 4096

enum {
    HEADER_CRC = 16,
    HEADER_MY_LBA = 24,
    HEADER_ALTERNATE_LBA = 32,
    HEADER_FIRST_USABLE = 40,
    HEADER_LAST_USABLE = 48,
    HEADER_ENTRIES_LBA = 72,
    HEADER_N_ENTRIES = 80,
    HEADER_ENTRY_SIZE = 84,
    HEADER_ENTRIES_CRC = 88,
};

enum {
    ENTRY_TYPE = 0,
    ENTRY_UUID = 16,
    ENTRY_FIRST = 32,
    ENTRY_LAST = 40,
    ENTRY_FLAGS = 48,
    ENTRY_LABEL = 56,
};

struct GptTable {
    guint64 sector;    /* bytes */
    guint64 n_sectors; /* of the disk */
    guint8 header[SECTOR_MAX];
    guint32 n_entries;
    guint8 *entries, *read; /* as they are to be, and as they were read */
    GPtrArray *partitions;
};

static void partition_free(gpointer data) {
    g_free(((GptPartition *) data)->label);
    g_free(data);
}

void gpt_table_free(GptTable *table) {
    if (!table)
        return;
    g_free(table->entries);
    g_free(table->read);
    g_ptr_array_unref(table->partitions);
    g_free(table);
}

static gboolean fail(GError **error, const char *what) {
    return update_fail(error, UPDATE_ERROR_DEVICE, "The partition table cannot be used: %s", what);
}

static void write_le64(guint8 *p, guint64 value) {
    write_le32(p, (guint32) value);
    write_le32(p + 4, (guint32) (value >> 32));
}

static guint32 checksum(const guint8 *data, gsize size) {
    return (guint32) crc32(crc32(0, NULL, 0), data, (uInt) size);
}

/* The three first fields of a UUID are little-endian on disks. */
static void swap_uuid(const guint8 *from, guint8 *to) {
    static const guint8 order[16] = {3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15};

    for (guint i = 0; i < 16; i++)
        to[i] = from[order[i]];
}

static gsize entries_size(const GptTable *table) {
    return (gsize) table->n_entries * ENTRY_SIZE;
}

static guint64 entries_sectors(const GptTable *table) {
    return (entries_size(table) + table->sector - 1) / table->sector;
}

/* ---- reading ---- */

/* Whether HEADER stands at sector LBA and agrees with itself. */
static gboolean is_header(const guint8 *header, guint64 sector, guint64 lba) {
    guint8 copy[SECTOR_MAX];
    guint32 size = read_le32(header + 12);

    if (memcmp(header, SIGNATURE, strlen(SIGNATURE)) != 0 || size < HEADER_SIZE || size > sector)
        return FALSE;
    memcpy(copy, header, size);
    memset(copy + HEADER_CRC, 0, 4);
    return checksum(copy, size) == read_le32(header + HEADER_CRC) && read_le64(header + HEADER_MY_LBA) == lba;
}

static gboolean find_size(int fd, guint64 *ret_size, guint64 *ret_sector, GError **error) {
    struct stat info;
    int sector = 0;

    *ret_sector = 0;
    if (fstat(fd, &info) < 0)
        return set_errno_error(error, errno, "Cannot look at the disk");
    *ret_size = (guint64) info.st_size;
    if (!S_ISBLK(info.st_mode))
        return TRUE;
    if (ioctl(fd, BLKGETSIZE64, ret_size) < 0 || ioctl(fd, BLKSSZGET, &sector) < 0)
        return set_errno_error(error, errno, "Cannot ask the disk for its size");
    *ret_sector = (guint64) sector;
    return TRUE;
}

/* The header, and with it how large a sector is: a file does not say. */
static gboolean read_header(GptTable *table, int fd, GError **error) {
    static const guint64 sectors[] = {512, 4096};
    guint64 size, known;

    if (!find_size(fd, &size, &known, error))
        return FALSE;
    for (guint i = 0; i < G_N_ELEMENTS(sectors); i++) {
        if (known != 0 && known != sectors[i])
            continue;
        table->sector = sectors[i];
        table->n_sectors = size / sectors[i];
        if (pread_up_to(fd, table->header, table->sector, table->sector) == (gssize) table->sector &&
                is_header(table->header, table->sector, 1))
            return TRUE;
    }
    return fail(error, "there is no GPT, or its first header is damaged");
}

static gboolean read_entries(GptTable *table, int fd, GError **error) {
    guint64 lba = read_le64(table->header + HEADER_ENTRIES_LBA);

    table->n_entries = read_le32(table->header + HEADER_N_ENTRIES);
    if (read_le32(table->header + HEADER_ENTRY_SIZE) != ENTRY_SIZE || table->n_entries == 0 ||
            table->n_entries > ENTRIES_MAX)
        return fail(error, "its entries have an unusual size or number");
    if (lba < 2 || lba >= table->n_sectors || entries_sectors(table) > table->n_sectors - lba ||
            lba + entries_sectors(table) > read_le64(table->header + HEADER_FIRST_USABLE))
        return fail(error, "its entries lie where they must not");
    table->entries = g_malloc(entries_size(table));
    if (!pread_all(fd, table->entries, entries_size(table), lba * table->sector, error))
        return FALSE;
    if (checksum(table->entries, entries_size(table)) != read_le32(table->header + HEADER_ENTRIES_CRC))
        return fail(error, "the check sum of its entries is wrong");
    table->read = g_memdup2(table->entries, entries_size(table));
    return TRUE;
}

static char *read_label(const guint8 *entry) {
    gunichar2 units[LABEL_UNITS];
    glong n = 0;

    for (; n < LABEL_UNITS; n++) {
        units[n] = read_le16(entry + ENTRY_LABEL + 2 * n);
        if (units[n] == 0)
            break;
    }
    char *label = g_utf16_to_utf8(units, n, NULL, NULL, NULL);
    return label ? label : g_strdup("");
}

static gboolean read_partition(GptTable *table, guint number, GError **error) {
    const guint8 *entry = table->entries + (gsize) number * ENTRY_SIZE;
    guint64 first = read_le64(entry + ENTRY_FIRST), last = read_le64(entry + ENTRY_LAST);
    GptPartition *partition;
    Uuid type;

    swap_uuid(entry + ENTRY_TYPE, type.bytes);
    if (uuid_is_null(&type))
        return TRUE;
    if (first < read_le64(table->header + HEADER_FIRST_USABLE) || last < first || last >= table->n_sectors)
        return fail(error, "a partition lies outside of the disk");
    partition = g_new0(GptPartition, 1);
    partition->number = number;
    partition->type = type;
    swap_uuid(entry + ENTRY_UUID, partition->uuid.bytes);
    partition->offset = first * table->sector;
    partition->size = (last - first + 1) * table->sector;
    partition->flags = read_le64(entry + ENTRY_FLAGS);
    partition->label = read_label(entry);
    g_ptr_array_add(table->partitions, partition);
    return TRUE;
}

GptTable *gpt_table_read(int fd, GError **error) {
    g_autoptr(GptTable) table = g_new0(GptTable, 1);

    table->partitions = g_ptr_array_new_with_free_func(partition_free);
    if (!read_header(table, fd, error) || !read_entries(table, fd, error))
        return NULL;
    for (guint i = 0; i < table->n_entries; i++)
        if (!read_partition(table, i, error))
            return NULL;
    return g_steal_pointer(&table);
}

const GPtrArray *gpt_table_get_partitions(const GptTable *table) {
    return table->partitions;
}

gboolean gpt_table_set(GptTable *table, guint number, const Uuid *type, const Uuid *uuid, guint64 flags,
        const char *label, GError **error) {
    g_return_val_if_fail(number < table->n_entries, FALSE);
    guint8 *entry = table->entries + (gsize) number * ENTRY_SIZE;
    glong n = 0;
    g_autofree gunichar2 *units = g_utf8_to_utf16(label, -1, NULL, &n, NULL);

    if (!units || n > LABEL_UNITS)
        return update_fail(error, UPDATE_ERROR_CONFIGURATION,
                "The label \"%s\" is too long: a partition's has up to %d characters", label, LABEL_UNITS);
    swap_uuid(type->bytes, entry + ENTRY_TYPE);
    swap_uuid(uuid->bytes, entry + ENTRY_UUID);
    write_le64(entry + ENTRY_FLAGS, flags);
    memset(entry + ENTRY_LABEL, 0, ENTRY_SIZE - ENTRY_LABEL);
    for (glong i = 0; i < n; i++)
        write_le16(entry + ENTRY_LABEL + 2 * i, units[i]);
    return TRUE;
}

/* ---- writing ---- */

static gboolean flush(int fd, GError **error) {
    return fsync(fd) == 0 || set_errno_error(error, errno, "Cannot flush the disk");
}

static gboolean put_entries(const GptTable *table, int fd, guint64 lba, GError **error) {
    return pwrite_all(fd, table->entries, entries_size(table), lba * table->sector, error) && flush(fd, error);
}

/* Writes the header for sector LBA, with the other one at ALTERNATE and entries at ENTRIES. */
static gboolean put_header(
        const GptTable *table, int fd, guint64 lba, guint64 alternate, guint64 entries, GError **error) {
    guint8 header[SECTOR_MAX];
    guint32 size = read_le32(table->header + 12);

    memcpy(header, table->header, table->sector);
    write_le64(header + HEADER_MY_LBA, lba);
    write_le64(header + HEADER_ALTERNATE_LBA, alternate);
    write_le64(header + HEADER_ENTRIES_LBA, entries);
    write_le32(header + HEADER_ENTRIES_CRC, checksum(table->entries, entries_size(table)));
    write_le32(header + HEADER_CRC, 0);
    write_le32(header + HEADER_CRC, checksum(header, size));
    return pwrite_all(fd, header, table->sector, lba * table->sector, error) && flush(fd, error);
}

/* The second table has its place in front of its header; FALSE without an error: a partition or nothing is there. */
static gboolean put_second(const GptTable *table, int fd, guint64 lba, GError **error) {
    guint64 n = entries_sectors(table);

    if (lba >= table->n_sectors || lba < n || lba - n <= read_le64(table->header + HEADER_LAST_USABLE))
        return fail(error, "its copy at the end of the disk has no place");
    return put_entries(table, fd, lba - n, error) && put_header(table, fd, lba, 1, lba - n, error);
}

static gboolean overlaps(guint64 a, guint64 b, guint64 n) {
    return a < b + n && b < a + n;
}

static gboolean put_first(const GptTable *table, int fd, guint64 alternate, GError **error) {
    guint64 n = entries_sectors(table), home = 2, other = home + n;
    guint64 current = read_le64(table->header + HEADER_ENTRIES_LBA);
    gboolean room = other + n <= read_le64(table->header + HEADER_FIRST_USABLE);

    /* Where an update was interrupted between the switches, the header leads to the other place already. */
    if (room && overlaps(current, home, n) && !overlaps(current, other, n) &&
            (!put_entries(table, fd, other, error) || !put_header(table, fd, 1, alternate, other, error)))
        return FALSE;
    return put_entries(table, fd, home, error) && put_header(table, fd, 1, alternate, home, error);
}

gboolean gpt_table_write(GptTable *table, int fd, GError **error) {
    g_autoptr(GptTable) now = gpt_table_read(fd, error);
    guint64 alternate = read_le64(table->header + HEADER_ALTERNATE_LBA);

    if (!now)
        return FALSE;
    if (memcmp(now->header, table->header, table->sector) != 0 || now->n_entries != table->n_entries ||
            memcmp(now->read, table->read, entries_size(table)) != 0)
        return update_fail(error, UPDATE_ERROR_BUSY, "Somebody else changed the partition table meanwhile");
    return put_second(table, fd, alternate, error) && put_first(table, fd, alternate, error);
}
