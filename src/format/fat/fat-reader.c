/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "format/fat/fat-reader.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/errors.h"
#include "base/io.h"
#include "crypto/sources/error.h"
#include "format/fat/fat-internal.h"

#define BOOT_SECTOR_SIZE 512
#define DIRECTORY_SIZE_MAX (2 * 1024 * 1024) /* 65536 entries, the limit of the format */
#define READ_MAX (4u * 1024 * 1024)
#define FILE_SIZE_MAX (1024u * 1024 * 1024) /* more than any firmware would load */

static gboolean set_malformed(GError **error, const char *what) {
    g_set_error(error, CRYPTO_ERROR, CRYPTO_ERROR_MALFORMED, "Damaged FAT file system: %s", what);
    return FALSE;
}

/* Reads SIZE bytes from byte OFFSET of the file system on. */
gboolean fat_read_at(FatReader *reader, guint64 offset, void *buffer, gsize size, GError **error) {
    if (offset > reader->size || size > reader->size - offset)
        return set_malformed(error, "something is outside of it");
    gssize n = pread_up_to(reader->fd, buffer, size, reader->offset + offset);
    if (n < 0)
        return set_errno_error(error, errno, "Cannot read a FAT file system");
    if (n == (gssize) size)
        return TRUE;
    g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_IO, "Cannot read a FAT file system: the file is too short");
    return FALSE;
}

/* Firmware (EDK2), Linux and mtools take a file system without a 16-bit size of its tables for FAT32 and
 * tell FAT12 from FAT16 by the number of clusters; the specification goes by that number alone, and readers
 * differ by two about the limits. What they would not read alike is refused. A FAT32 file system with few
 * clusters has no root directory for those who take it for another type. */
static gboolean decide_type(FatReader *reader, const guint8 *boot, guint64 n_clusters, GError **error) {
    gboolean small_table = read_le16(boot + 22) != 0, has_root = read_le16(boot + 17) != 0;
    if (small_table != has_root)
        return set_malformed(error, "readers differ on its type: FAT32 by one field, not by another");
    if (read_le16(boot + 19) != 0 && read_le32(boot + 32) != 0)
        return set_malformed(error, "it has two sizes");
    if (!small_table) {
        reader->bits = 32;
        return TRUE;
    }
    if (n_clusters >= 65525 - 16)
        return set_malformed(error, "readers differ on its type: FAT16 or FAT32");
    if (n_clusters >= 4085 - 2 && n_clusters < 4085 + 4)
        return set_malformed(error, "readers differ on its type: FAT12 or FAT16");
    reader->bits = n_clusters < 4085 ? 12 : 16;
    return TRUE;
}

/* Works out the geometry from the boot sector. RET_FAT_OFFSET says where the allocation table is. */
static gboolean parse_boot_sector(
        FatReader *reader, const guint8 *boot, guint64 *ret_fat_offset, GError **error) {
    guint32 sector = read_le16(boot + 11), per_cluster = boot[13], reserved = read_le16(boot + 14);
    guint32 n_fats = boot[16], root_entries = read_le16(boot + 17);
    guint64 sectors = read_le16(boot + 19) ? read_le16(boot + 19) : read_le32(boot + 32);
    guint64 fat_sectors = read_le16(boot + 22) ? read_le16(boot + 22) : read_le32(boot + 36);
    if (boot[510] != 0x55 || boot[511] != 0xaa)
        return set_malformed(error, "no boot sector");
    if (sector < 512 || sector > 4096 || (sector & (sector - 1)) != 0 || per_cluster == 0 ||
            (per_cluster & (per_cluster - 1)) != 0 || n_fats == 0 || reserved == 0 || fat_sectors == 0)
        return set_malformed(error, "impossible geometry");

    guint64 root_sectors = ((guint64) root_entries * ENTRY_SIZE + sector - 1) / sector;
    guint64 data_sector = reserved + n_fats * fat_sectors + root_sectors;
    if (sectors * sector > reader->size || data_sector >= sectors)
        return set_malformed(error, "it is larger than its partition");
    guint64 n_clusters = (sectors - data_sector) / per_cluster;
    if (!decide_type(reader, boot, n_clusters, error))
        return FALSE;
    reader->sector_size = sector;
    reader->n_tables = n_fats;
    reader->table_size = fat_sectors * sector;
    reader->total_size = sectors * sector;
    reader->cluster_size = sector * per_cluster;
    reader->data_offset = data_sector * sector;
    reader->root_offset = (reserved + n_fats * fat_sectors) * sector;
    reader->root_size = root_entries * ENTRY_SIZE;
    reader->root_cluster = reader->bits == 32 ? read_le32(boot + 44) : 0;

    /* Clusters without an entry in the allocation table do not exist. */
    guint64 n_entries = fat_sectors * sector * 8 / reader->bits;
    if (n_entries < 3 || n_clusters > G_MAXUINT32 - 16)
        return set_malformed(error, "impossible geometry");
    if (n_clusters > n_entries - 2)
        return set_malformed(error, "its allocation table is too small");
    reader->n_clusters = (guint32) n_clusters;
    reader->fat_size = ((gsize) reader->n_clusters + 2) * reader->bits / 8 + 2;
    reader->fat_size = MIN(reader->fat_size, fat_sectors * sector);
    *ret_fat_offset = reader->table_offset = (guint64) reserved * sector;
    return TRUE;
}

FatReader *fat_reader_new(int fd, guint64 offset, guint64 size, GError **error) {
    g_autoptr(FatReader) reader = g_new0(FatReader, 1);
    reader->fd = fd;
    reader->offset = offset;
    reader->size = size;
    guint8 boot[BOOT_SECTOR_SIZE];
    guint64 fat_offset = 0;
    if (!fat_read_at(reader, 0, boot, sizeof boot, error) ||
            !parse_boot_sector(reader, boot, &fat_offset, error))
        return NULL;
    reader->fat = g_malloc(reader->fat_size);
    if (!fat_read_at(reader, fat_offset, reader->fat, reader->fat_size, error))
        return NULL;
    return g_steal_pointer(&reader);
}

void fat_reader_free(FatReader *reader) {
    if (!reader)
        return;
    g_free(reader->fat);
    g_free(reader);
}

int fat_reader_get_bits(const FatReader *reader) {
    return reader->bits;
}

void fat_entry_free(FatEntry *entry) {
    if (!entry)
        return;
    g_free(entry->name);
    g_free(entry);
}

gboolean fat_is_cluster(const FatReader *reader, guint32 cluster) {
    return cluster >= 2 && cluster - 2 < reader->n_clusters;
}

/* The cluster after CLUSTER; a number that is none ends the chain. */
guint32 fat_next_cluster(const FatReader *reader, guint32 cluster) {
    gsize position = (gsize) cluster * reader->bits / 8;
    if (position + (reader->bits == 32 ? 4 : 2) > reader->fat_size)
        return 0;
    switch (reader->bits) {
    case 12: {
        guint16 pair = read_le16(reader->fat + position);
        return cluster % 2 ? pair >> 4 : pair & 0xfff;
    }
    case 16:
        return read_le16(reader->fat + position);
    default:
        return read_le32(reader->fat + position) & 0x0fffffff;
    }
}

/* How many clusters from CLUSTER on follow each other in the chain as they do on the disk, as far as SIZE
 * bytes want them: they are read at once. */
static guint32 count_adjacent(const FatReader *reader, guint32 cluster, gsize size) {
    guint32 n = 1;
    while ((guint64) n * reader->cluster_size < MIN(size, READ_MAX) &&
            fat_next_cluster(reader, cluster + n - 1) == cluster + n && fat_is_cluster(reader, cluster + n))
        n++;
    return n;
}

/* Follows a chain until SIZE bytes are read or, with a SIZE of 0, to its end, but not beyond LIMIT. */
static GByteArray *read_chain(FatReader *reader, guint32 cluster, gsize size, gsize limit, GError **error) {
    g_autoptr(GByteArray) content = g_byte_array_new();
    while (fat_is_cluster(reader, cluster) && (size == 0 || content->len < size)) {
        if (content->len > limit) {
            set_malformed(error, "a chain of clusters without end");
            return NULL;
        }
        guint old = content->len;
        guint32 n = count_adjacent(reader, cluster, size > 0 ? size - old : reader->cluster_size);
        g_byte_array_set_size(content, old + n * reader->cluster_size);
        guint64 offset = reader->data_offset + (guint64) (cluster - 2) * reader->cluster_size;
        if (!fat_read_at(reader, offset, content->data + old, (gsize) n * reader->cluster_size, error))
            return NULL;
        cluster = fat_next_cluster(reader, cluster + n - 1);
    }
    return g_steal_pointer(&content);
}

guint8 fat_short_name_checksum(const guint8 *name) {
    guint8 sum = 0;
    for (guint i = 0; i < 11; i++)
        sum = (guint8) ((sum >> 1 | sum << 7) + name[i]);
    return sum;
}

void fat_long_name_add(FatLongName *name, const guint8 *entry) {
    static const guint8 positions[LONG_NAME_CHARACTERS] = {1, 3, 5, 7, 9, 14, 16, 18, 20, 22, 24, 28, 30};
    guint part = entry[0] & 0x3f;
    if ((entry[0] & 0x40) != 0) {
        memset(name, 0, sizeof *name);
        name->valid = part >= 1 && part <= LONG_NAME_PARTS_MAX;
        name->checksum = entry[13];
        name->expected = part;
    }
    if (!name->valid || part != name->expected || entry[13] != name->checksum) {
        name->valid = FALSE;
        return;
    }
    name->expected = part - 1;
    for (guint i = 0; i < LONG_NAME_CHARACTERS; i++) {
        gunichar2 c = read_le16(entry + positions[i]);
        name->characters[(part - 1) * LONG_NAME_CHARACTERS + i] = c == 0xffff ? 0 : c;
    }
}

/* "NAME.EXT" of an entry; two bits say that name or extension are meant in lower case. */
static char *short_name(const guint8 *entry) {
    GString *name = g_string_new(NULL);
    for (guint i = 0; i < 11; i++) {
        if (i == 8 && entry[8] != ' ')
            g_string_append_c(name, '.');
        gboolean lower = (entry[12] & (i < 8 ? 0x08 : 0x10)) != 0;
        char c = (char) (i == 0 && entry[0] == 0x05 ? 0xe5 : entry[i]);
        if (c != ' ')
            g_string_append_c(name, lower ? g_ascii_tolower(c) : c);
    }
    g_autofree char *raw = g_string_free(name, FALSE);
    return g_utf8_make_valid(raw, -1);
}

char *fat_entry_name(const guint8 *entry, const FatLongName *long_name) {
    if (long_name->valid && long_name->expected == 0 &&
            long_name->checksum == fat_short_name_checksum(entry)) {
        char *name = g_utf16_to_utf8(long_name->characters, -1, NULL, NULL, NULL);
        if (name && *name)
            return name;
        g_free(name);
    }
    return short_name(entry);
}

static int compare_entries(gconstpointer a, gconstpointer b) {
    const FatEntry *x = *(FatEntry *const *) a, *y = *(FatEntry *const *) b;
    return strcmp(x->name, y->name);
}

static GPtrArray *parse_directory(const FatReader *reader, const guint8 *data, gsize size) {
    GPtrArray *entries = g_ptr_array_new_with_free_func((GDestroyNotify) fat_entry_free);
    FatLongName long_name = {0};
    for (gsize i = 0; i + ENTRY_SIZE <= size && data[i] != 0; i += ENTRY_SIZE) {
        const guint8 *raw = data + i;
        if (raw[0] != 0xe5 && (raw[11] & 0x3f) == ATTRIBUTE_LONG_NAME) {
            fat_long_name_add(&long_name, raw);
            continue;
        }
        if (raw[0] != 0xe5 && raw[0] != '.' && (raw[11] & ATTRIBUTE_VOLUME) == 0) {
            FatEntry *entry = g_new0(FatEntry, 1);
            entry->name = fat_entry_name(raw, &long_name);
            entry->is_directory = (raw[11] & ATTRIBUTE_DIRECTORY) != 0;
            entry->size = entry->is_directory ? 0 : read_le32(raw + 28);
            guint32 high = reader->bits == 32 ? read_le16(raw + 20) : 0;
            entry->cluster = high << 16 | read_le16(raw + 26);
            g_ptr_array_add(entries, entry);
        }
        memset(&long_name, 0, sizeof long_name);
    }
    g_ptr_array_sort(entries, compare_entries);
    return entries;
}

static GPtrArray *list_root(FatReader *reader, GError **error) {
    if (reader->bits != 32) {
        g_autofree guint8 *data = g_malloc(reader->root_size + 1);
        if (!fat_read_at(reader, reader->root_offset, data, reader->root_size, error))
            return NULL;
        return parse_directory(reader, data, reader->root_size);
    }
    g_autoptr(GByteArray) data = read_chain(reader, reader->root_cluster, 0, DIRECTORY_SIZE_MAX, error);
    return data ? parse_directory(reader, data->data, data->len) : NULL;
}

static GPtrArray *list_entry(FatReader *reader, const FatEntry *entry, GError **error) {
    if (!entry->is_directory)
        return g_ptr_array_new_with_free_func((GDestroyNotify) fat_entry_free);
    g_autoptr(GByteArray) data = read_chain(reader, entry->cluster, 0, DIRECTORY_SIZE_MAX, error);
    return data ? parse_directory(reader, data->data, data->len) : NULL;
}

static FatEntry *steal_by_name(GPtrArray *entries, const char *name) {
    for (guint i = 0; i < entries->len; i++) {
        FatEntry *entry = entries->pdata[i];
        if (g_ascii_strcasecmp(entry->name, name) == 0)
            return g_ptr_array_steal_index(entries, i);
    }
    return NULL;
}

FatEntry *fat_reader_find(FatReader *reader, const char *path, GError **error) {
    g_auto(GStrv) parts = g_strsplit(path, "/", -1);
    g_autoptr(FatEntry) entry = NULL;
    for (char **part = parts; *part; part++) {
        if (**part == '\0')
            continue;
        g_autoptr(GPtrArray) entries = entry ? list_entry(reader, entry, error) : list_root(reader, error);
        g_clear_pointer(&entry, fat_entry_free);
        entry = entries ? steal_by_name(entries, *part) : NULL;
        if (!entry)
            return NULL;
    }
    return g_steal_pointer(&entry);
}

GPtrArray *fat_reader_list(FatReader *reader, const char *path, GError **error) {
    if (path[strspn(path, "/")] == '\0')
        return list_root(reader, error);
    g_autoptr(GError) local = NULL;
    g_autoptr(FatEntry) entry = fat_reader_find(reader, path, &local);
    if (local) {
        g_propagate_error(error, g_steal_pointer(&local));
        return NULL;
    }
    return entry ? list_entry(reader, entry, error)
                 : g_ptr_array_new_with_free_func((GDestroyNotify) fat_entry_free);
}

GBytes *fat_reader_read(FatReader *reader, const FatEntry *entry, GError **error) {
    if (entry->size > FILE_SIZE_MAX) {
        g_set_error(error, CRYPTO_ERROR, CRYPTO_ERROR_UNSUPPORTED, "%s is larger than 1 GiB", entry->name);
        return NULL;
    }
    if (entry->size == 0)
        return g_bytes_new(NULL, 0);
    g_autoptr(GByteArray) content = read_chain(reader, entry->cluster, entry->size, entry->size, error);
    if (!content) {
        g_prefix_error(error, "Cannot read %s: ", entry->name);
        return NULL;
    }
    if (content->len < entry->size) {
        set_malformed(error, "a file is shorter than its directory entry says");
        g_prefix_error(error, "Cannot read %s: ", entry->name);
        return NULL;
    }
    g_byte_array_set_size(content, entry->size);
    return g_byte_array_free_to_bytes(g_steal_pointer(&content));
}

GArray *fat_reader_get_ranges(FatReader *reader, const FatEntry *entry, GError **error) {
    g_autoptr(GArray) ranges = g_array_new(FALSE, FALSE, sizeof(FatRange));
    guint64 left = entry->size;
    guint32 cluster = entry->cluster;

    while (left > 0 && fat_is_cluster(reader, cluster)) {
        guint32 n = count_adjacent(reader, cluster, MIN(left, READ_MAX));
        guint64 size = MIN(left, (guint64) n * reader->cluster_size);
        FatRange range = {
                reader->offset + reader->data_offset + (guint64) (cluster - 2) * reader->cluster_size, size};
        g_array_append_val(ranges, range);
        left -= size;
        cluster = fat_next_cluster(reader, cluster + n - 1);
    }
    if (left == 0)
        return g_steal_pointer(&ranges);
    set_malformed(error, "a file is shorter than its directory entry says");
    g_prefix_error(error, "Cannot read %s: ", entry->name);
    return NULL;
}
