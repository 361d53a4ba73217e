/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "inspect/disk/gpt-audit.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include "base/io.h"
#include "base/little-endian.h"
#include "format/cdrom/el-torito.h"

#define HEADER_SIZE 92
#define ENTRY_SIZE 128
#define N_ENTRIES 128
#define TABLE_SIZE (N_ENTRIES * ENTRY_SIZE)
#define CHUNK (1024 * 1024)

/* Attributes of entries that the Discoverable Partitions Specification knows: growing, read-only, no-auto.
 */
#define KNOWN_ATTRIBUTES                                                                                    \
    (G_GUINT64_CONSTANT(1) << 59 | G_GUINT64_CONSTANT(1) << 60 | G_GUINT64_CONSTANT(1) << 63)

typedef struct {
    int fd;
    guint64 size;
    guint64 sector; /* bytes */
    guint8 header[HEADER_SIZE];
    guint8 table[TABLE_SIZE];
    GPtrArray *problems;
} Gpt;

typedef struct {
    guint number;
    guint64 first, last; /* sectors */
} Extent;

static gboolean is_zero(const guint8 *data, gsize size) {
    return size == 0 || (data[0] == 0 && memcmp(data, data + 1, size - 1) == 0);
}

static void G_GNUC_PRINTF(2, 3) complain(Gpt *gpt, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    g_ptr_array_add(gpt->problems, g_strdup_vprintf(format, arguments));
    va_end(arguments);
}

static gboolean read_at(const Gpt *gpt, guint64 offset, void *buffer, gsize size) {
    return offset <= gpt->size && size <= gpt->size - offset &&
           pread_up_to(gpt->fd, buffer, size, offset) == (gssize) size;
}

/* A hole in the file from OFFSET on, whose content need not be read: where data begins again. */
static guint64 skip_hole(const Gpt *gpt, guint64 offset, guint64 end) {
    off_t data = lseek(gpt->fd, offset, SEEK_DATA);
    if (data < 0)
        return errno == ENXIO ? end : offset;
    return MIN((guint64) data, end);
}

static void check_zero(Gpt *gpt, guint64 start, guint64 end, const char *where) {
    g_autofree guint8 *data = g_malloc(CHUNK);
    for (guint64 at = skip_hole(gpt, start, end); at < end; at = skip_hole(gpt, at, end)) {
        gsize step = MIN(CHUNK, end - at);
        if (!read_at(gpt, at, data, step)) {
            complain(gpt, "cannot read %s", where);
            return;
        }
        if (!is_zero(data, step)) {
            gsize i = 0;
            while (data[i] == 0)
                i++;
            complain(gpt, "unknown bytes %s, at byte %" G_GUINT64_FORMAT, where, at + i);
            return;
        }
        at += step;
    }
}

/* UEFI specification, 5.2.3: one record over the whole disk, nothing else. */
static void check_mbr(Gpt *gpt) {
    static const guint8 start[8] = {0, 0, 2, 0, 0xee};
    guint8 mbr[512];
    guint64 sectors = gpt->size / gpt->sector;
    if (!read_at(gpt, 0, mbr, sizeof mbr)) {
        complain(gpt, "there is no protective MBR");
        return;
    }
    if (!is_zero(mbr, 446))
        complain(gpt, "the protective MBR has code or a signature, which a BIOS would start");
    if (memcmp(mbr + 446, start, 5) != 0 || read_le32(mbr + 454) != 1)
        complain(gpt, "the first record of the MBR is not the protective one");
    else if (read_le32(mbr + 458) != MIN(sectors - 1, G_MAXUINT32) && read_le32(mbr + 458) != G_MAXUINT32)
        complain(gpt, "the protective MBR does not cover the disk");
    if (!is_zero(mbr + 462, 48))
        complain(gpt, "the MBR has partitions of its own (a hybrid one)");
    if (mbr[510] != 0x55 || mbr[511] != 0xaa)
        complain(gpt, "the MBR lacks its signature");
    check_zero(gpt, 512, gpt->sector, "after the MBR");
}

static gboolean crc_matches(const guint8 *header) {
    guint8 copy[HEADER_SIZE];
    memcpy(copy, header, HEADER_SIZE);
    memset(copy + 16, 0, 4);
    return crc32(0, copy, HEADER_SIZE) == read_le32(header + 16);
}

static gboolean is_header(const guint8 *header) {
    return memcmp(header, "EFI PART", 8) == 0 && read_le32(header + 8) == 0x10000 &&
           read_le32(header + 12) == HEADER_SIZE;
}

/* Both copies of the header; where each is, and where the other, are the only differences. */
static gboolean check_headers(Gpt *gpt) {
    guint8 backup[HEADER_SIZE];
    guint64 last = gpt->size / gpt->sector - 1;
    if (!read_at(gpt, gpt->sector, gpt->header, HEADER_SIZE) || !is_header(gpt->header) ||
            !crc_matches(gpt->header)) {
        complain(gpt, "the first GPT header is damaged");
        return FALSE;
    }
    check_zero(gpt, gpt->sector + HEADER_SIZE, 2 * gpt->sector, "after the first GPT header");
    if (read_le32(gpt->header + 20) != 0 || read_le64(gpt->header + 24) != 1 ||
            read_le64(gpt->header + 72) != 2 || read_le32(gpt->header + 80) != N_ENTRIES ||
            read_le32(gpt->header + 84) != ENTRY_SIZE)
        complain(gpt, "the first GPT header is of an unusual form");
    if (read_le64(gpt->header + 32) != last)
        complain(gpt, "the second GPT header is not at the end of the disk");
    if (!read_at(gpt, last * gpt->sector, backup, HEADER_SIZE) || !is_header(backup) ||
            !crc_matches(backup)) {
        complain(gpt, "the second GPT header is damaged or missing");
        return TRUE;
    }
    check_zero(gpt, last * gpt->sector + HEADER_SIZE, gpt->size, "after the second GPT header");
    guint64 table = read_le64(backup + 72);
    if (read_le64(backup + 24) != last || read_le64(backup + 32) != 1 ||
            memcmp(backup + 20, gpt->header + 20, 4) != 0 ||
            memcmp(backup + 40, gpt->header + 40, 32) != 0 ||
            memcmp(backup + 80, gpt->header + 80, 12) != 0 || table != last - TABLE_SIZE / gpt->sector)
        complain(gpt, "the two GPT headers differ");
    return TRUE;
}

static void check_tables(Gpt *gpt) {
    guint64 last = gpt->size / gpt->sector - 1;
    g_autofree guint8 *backup = g_malloc(TABLE_SIZE);
    if (!read_at(gpt, 2 * gpt->sector, gpt->table, TABLE_SIZE) ||
            crc32(0, gpt->table, TABLE_SIZE) != read_le32(gpt->header + 88))
        complain(gpt, "the first partition table is damaged");
    if (!read_at(gpt, last * gpt->sector - TABLE_SIZE, backup, TABLE_SIZE) ||
            memcmp(gpt->table, backup, TABLE_SIZE) != 0)
        complain(gpt, "the two partition tables differ");
}

static void check_name(Gpt *gpt, const guint8 *entry, guint number) {
    gboolean ended = FALSE;
    for (guint i = 56; i < ENTRY_SIZE; i += 2) {
        gunichar2 c = read_le16(entry + i);
        if (ended && c != 0) {
            complain(gpt, "partition %u has bytes after its name", number);
            return;
        }
        if (c != 0 && (c < 0x20 || c == 0x7f || (c >= 0xd800 && c < 0xe000))) {
            complain(gpt, "the name of partition %u is no text", number);
            return;
        }
        ended = ended || c == 0;
    }
}

static void check_entry(Gpt *gpt, guint i, GArray *extents) {
    const guint8 *entry = gpt->table + i * ENTRY_SIZE;
    Extent extent = {i + 1, read_le64(entry + 32), read_le64(entry + 40)};
    if (is_zero(entry, 16)) {
        if (!is_zero(entry, ENTRY_SIZE))
            complain(gpt, "entry %u of the table is of no type but not empty", i + 1);
        return;
    }
    if (extent.first > extent.last || extent.first < read_le64(gpt->header + 40) ||
            extent.last > read_le64(gpt->header + 48)) {
        complain(gpt, "partition %u is outside of the disk's usable range", i + 1);
        return;
    }
    if ((read_le64(entry + 48) & ~KNOWN_ATTRIBUTES) != 0)
        complain(gpt, "partition %u has unknown attributes", i + 1);
    if (is_zero(entry + 16, 16))
        complain(gpt, "partition %u has no UUID", i + 1);
    for (guint j = 0; j < i; j++)
        if (!is_zero(gpt->table + j * ENTRY_SIZE, 16) &&
                memcmp(gpt->table + j * ENTRY_SIZE + 16, entry + 16, 16) == 0)
            complain(gpt, "partitions %u and %u have the same UUID", j + 1, i + 1);
    check_name(gpt, entry, i + 1);
    g_array_append_val(extents, extent);
}

static int compare_extents(gconstpointer a, gconstpointer b) {
    const Extent *x = a, *y = b;
    return x->first < y->first ? -1 : x->first > y->first;
}

/* The boot catalog that ElTorito= makes: only for that of the first partition, with nothing in it besides.
 */
static gboolean is_boot_record(Gpt *gpt, guint64 first) {
    guint8 magic[6];
    return first >= EL_TORITO_END && read_at(gpt, 16 * 2048, magic, sizeof magic) &&
           memcmp(magic, "\1CD001", 6) == 0;
}

static void check_gaps(Gpt *gpt, GArray *extents) {
    guint64 end = 2 * gpt->sector + TABLE_SIZE, last = gpt->size / gpt->sector * gpt->sector;
    if (read_le64(gpt->header + 40) * gpt->sector < end ||
            read_le64(gpt->header + 48) > (last - TABLE_SIZE) / gpt->sector - 2)
        complain(gpt, "the usable range reaches into the partition tables");
    for (guint i = 0; i < extents->len; i++) {
        const Extent *extent = &g_array_index(extents, Extent, i);
        guint64 first = extent->first * gpt->sector;
        if (first < end)
            complain(gpt, "partition %u overlaps another one", extent->number);
        else if (i == 0 && is_boot_record(gpt, first))
            complain(gpt, "an ISO 9660 volume in front of the partitions, which readers take for the disk");
        else
            check_zero(gpt, end, first, i == 0 ? "in front of the first partition" : "between partitions");
        end = MAX(end, (extent->last + 1) * gpt->sector);
    }
    if (last >= gpt->sector + TABLE_SIZE && end <= last - gpt->sector - TABLE_SIZE)
        check_zero(gpt, end, last - gpt->sector - TABLE_SIZE, "after the last partition");
}

static guint64 find_sector_size(const Gpt *gpt, gboolean *ret_both) {
    static const guint64 sizes[] = {512, 4096};
    guint64 found = 0;
    for (gsize i = 0; i < G_N_ELEMENTS(sizes); i++) {
        guint8 magic[8];
        if (!read_at(gpt, sizes[i], magic, sizeof magic) || memcmp(magic, "EFI PART", 8) != 0)
            continue;
        *ret_both = found != 0;
        found = found ? found : sizes[i];
    }
    return found;
}

/* The header at OFFSET, if there is one. RET_OTHER says at which sector the other one is. */
static gboolean header_is_small(int fd, guint64 offset, guint64 *ret_other) {
    guint8 header[HEADER_SIZE];
    *ret_other = 0;
    if (pread(fd, header, sizeof header, offset) != sizeof header || memcmp(header, "EFI PART", 8) != 0)
        return TRUE;
    *ret_other = read_le64(header + 32);
    return (guint64) read_le32(header + 80) * read_le32(header + 84) <= CHUNK;
}

gboolean inspect_gpt_is_small(int fd, guint64 size) {
    static const guint64 sectors[] = {512, 4096};
    for (gsize i = 0; i < G_N_ELEMENTS(sectors); i++) {
        guint64 sector = sectors[i], other, ignored;
        if (size < 2 * sector)
            continue;
        if (!header_is_small(fd, sector, &other) ||
                !header_is_small(fd, size / sector * sector - sector, &ignored) ||
                (other < size / sector && !header_is_small(fd, other * sector, &ignored)))
            return FALSE;
    }
    return TRUE;
}

gboolean inspect_gpt_exists(int fd) {
    char magic[8];
    return (pread(fd, magic, sizeof magic, 512) == sizeof magic && memcmp(magic, "EFI PART", 8) == 0) ||
           (pread(fd, magic, sizeof magic, 4096) == sizeof magic && memcmp(magic, "EFI PART", 8) == 0);
}

void inspect_gpt_audit(int fd, guint64 size, GPtrArray *problems) {
    g_autofree Gpt *gpt = g_new0(Gpt, 1);
    gpt->fd = fd;
    gpt->size = size;
    gpt->problems = problems;
    gboolean both = FALSE;
    gpt->sector = find_sector_size(gpt, &both);
    if (gpt->sector == 0) {
        complain(gpt, "the first GPT header is missing");
        return;
    }
    if (both)
        complain(gpt, "it has two partition tables, for sectors of 512 and of 4096 bytes");
    if (size % gpt->sector != 0 || size < 6 * gpt->sector + 2 * TABLE_SIZE) {
        complain(gpt, "the disk is too small, or ends within a sector");
        return;
    }
    check_mbr(gpt);
    if (!check_headers(gpt))
        return;
    check_tables(gpt);
    g_autoptr(GArray) extents = g_array_new(FALSE, FALSE, sizeof(Extent));
    for (guint i = 0; i < N_ENTRIES; i++)
        check_entry(gpt, i, extents);
    g_array_sort(extents, compare_extents);
    check_gaps(gpt, extents);
}
