/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "format/fat/fat-audit.h"

#include <string.h>

#include "format/fat/fat-boot-sectors.h"
#include "format/fat/fat-internal.h"

#define DEPTH_MAX 16
#define PROBLEMS_MAX 100
#define DIRECTORY_SIZE_MAX (2 * 1024 * 1024)
#define CHUNK (256 * 1024)

typedef struct {
    FatReader *reader;
    GPtrArray *problems, *files;
    guint8 *used; /* a byte for each cluster: whether a chain has it */
} Audit;

static void G_GNUC_PRINTF(2, 3) complain(Audit *audit, const char *format, ...) {
    if (audit->problems->len > PROBLEMS_MAX)
        return;
    va_list arguments;
    va_start(arguments, format);
    g_ptr_array_add(audit->problems, g_strdup_vprintf(format, arguments));
    va_end(arguments);
}

void fat_file_free(FatFile *file) {
    if (!file)
        return;
    g_free(file->path);
    fat_entry_free(file->entry);
    g_free(file);
}

static gboolean is_zero(const guint8 *data, gsize size) {
    return size == 0 || (data[0] == 0 && memcmp(data, data + 1, size - 1) == 0);
}

/* The whole entry, with the four bits that FAT32 reserves. */
static guint32 raw_entry(const FatReader *reader, guint32 cluster) {
    return reader->bits == 32 ? read_le32(reader->fat + (gsize) cluster * 4)
                              : fat_next_cluster(reader, cluster);
}

static guint32 end_of_chain(const FatReader *reader) {
    return reader->bits == 12 ? 0xff8 : reader->bits == 16 ? 0xfff8 : 0x0ffffff8;
}

/* Follows a chain and takes its clusters; an array of guint32, whatever is wrong with its end. */
static GArray *take_chain(Audit *audit, const char *path, guint32 cluster) {
    FatReader *reader = audit->reader;
    GArray *chain = g_array_new(FALSE, FALSE, sizeof cluster);
    for (; fat_is_cluster(reader, cluster); cluster = fat_next_cluster(reader, cluster)) {
        if (audit->used[cluster]) {
            complain(audit, "%s: cluster %u is in two chains, or in one twice", path, cluster);
            return chain;
        }
        audit->used[cluster] = 1;
        g_array_append_val(chain, cluster);
        if (raw_entry(reader, cluster) >> 28 != 0)
            complain(audit, "%s: cluster %u has reserved bits set", path, cluster);
    }
    if (chain->len > 0 && cluster < end_of_chain(reader))
        complain(audit, "%s: its chain of clusters leads to %#x, which is no cluster", path, cluster);
    return chain;
}

/* Names that firmware and Linux compare alike are of ASCII. */
static void check_long_name(Audit *audit, const char *path, const char *name) {
    gsize size = strlen(name);
    for (const guint8 *c = (const guint8 *) name; *c; c++)
        if (*c < 0x20 || *c >= 0x7f || strchr("\"*/:<>?\\|", *c)) {
            complain(audit, "%s: its name has characters that readers do not treat alike", path);
            return;
        }
    if (size == 0 || name[size - 1] == '.' || name[size - 1] == ' ' || name[0] == ' ')
        complain(audit, "%s: its name begins or ends with a space, or ends with a point", path);
}

static gboolean short_part_valid(const guint8 *part, gsize size) {
    gsize used = size;
    while (used > 0 && part[used - 1] == ' ')
        used--;
    for (gsize i = 0; i < used; i++)
        if (!g_ascii_isupper(part[i]) && !g_ascii_isdigit(part[i]) &&
                (part[i] == 0 || !strchr("!#$%&'()-@^_`{}~", part[i])))
            return FALSE;
    return TRUE;
}

/* A short name beside a long one is another name of the file: it must be the same, or one that was made up
 * ("PARTIC~1.EFI"), which nothing refers to. */
static void check_short_name(Audit *audit, const char *path, const guint8 *raw, const char *name,
        const char *short_name, gboolean has_long) {
    if (!short_part_valid(raw, 8) || !short_part_valid(raw + 8, 3) || raw[0] == ' ')
        complain(audit, "%s: its short name has characters that readers do not treat alike", path);
    if ((raw[12] & ~0x18) != 0)
        complain(audit, "%s: unknown flags about the case of its name", path);
    if (has_long && g_ascii_strcasecmp(name, short_name) != 0 && !memchr(raw, '~', 8))
        complain(audit, "%s: its short name is another one, %s", path, short_name);
}

static void check_fields(Audit *audit, const char *path, const guint8 *raw, const FatEntry *entry) {
    if ((raw[11] & ~(0x01 | 0x20 | ATTRIBUTE_DIRECTORY)) != 0)
        complain(audit, "%s: unusual attributes (%#x), which some readers skip", path, raw[11]);
    if (audit->reader->bits != 32 && read_le16(raw + 20) != 0)
        complain(audit, "%s: a cluster number of 32 bits", path);
    if (entry->is_directory && read_le32(raw + 28) != 0)
        complain(audit, "%s: a directory with a size", path);
    if (!entry->is_directory && (entry->size == 0) != (entry->cluster == 0))
        complain(audit, "%s: clusters and size contradict each other", path);
    if (entry->cluster != 0 && !fat_is_cluster(audit->reader, entry->cluster))
        complain(audit, "%s: begins at cluster %u, which does not exist", path, entry->cluster);
}

/* The rest of the last sector: Linux and mtools fill it with zeros. What follows in the cluster may be the
 * remains of another file. */
static void check_slack(Audit *audit, const char *path, const FatEntry *entry, guint32 last) {
    FatReader *reader = audit->reader;
    guint32 in_cluster = entry->size % reader->cluster_size, in_sector = entry->size % 512;
    guint8 rest[512];
    if (in_sector == 0)
        return;
    guint64 offset = reader->data_offset + (guint64) (last - 2) * reader->cluster_size + in_cluster;
    g_autoptr(GError) error = NULL;
    if (!fat_read_at(reader, offset, rest, 512 - in_sector, &error))
        complain(audit, "%s: %s", path, error->message);
    else if (!is_zero(rest, 512 - in_sector))
        complain(audit, "%s: bytes after its end", path);
}

static void check_file(Audit *audit, const char *path, const FatEntry *entry) {
    g_autoptr(GArray) chain = take_chain(audit, path, entry->cluster);
    guint64 wanted = ((guint64) entry->size + audit->reader->cluster_size - 1) / audit->reader->cluster_size;
    if (chain->len != wanted)
        complain(audit, "%s: has %u clusters, its size says %" G_GUINT64_FORMAT, path, chain->len, wanted);
    else if (wanted > 0)
        check_slack(audit, path, entry, g_array_index(chain, guint32, chain->len - 1));
}

static void audit_directory(Audit *audit, const char *path, guint32 cluster, guint32 parent, guint depth);

/* One directory while it is read. */
typedef struct {
    const char *path;
    guint32 cluster, parent; /* 0: the root directory */
    guint depth;
    GHashTable *names; /* long and short ones, in lower case */
    gboolean has_label;
    FatLongName long_name;
    gboolean pending; /* parts of a long name came that belong to the next entry */
} Directory;

static void add_name(Audit *audit, Directory *directory, const char *path, const char *name) {
    if (!g_hash_table_add(directory->names, g_ascii_strdown(name, -1)))
        complain(audit, "%s: there are two entries of the name %s", path, name);
}

static void check_label(Audit *audit, Directory *directory, const guint8 *raw) {
    const char *where = *directory->path ? directory->path : "/";
    if (directory->depth > 0 || directory->has_label || directory->pending)
        complain(audit, "%s: a volume label out of place", where);
    if ((raw[11] & ~0x20) != ATTRIBUTE_VOLUME || read_le16(raw + 20) != 0 || read_le16(raw + 26) != 0 ||
            read_le32(raw + 28) != 0)
        complain(audit, "%s: an entry that is a volume label for some readers only", where);
    directory->has_label = TRUE;
}

/* "." and ".." are the first two entries of all directories but the root. */
static void check_dots(Audit *audit, Directory *directory, const guint8 *raw, gsize index) {
    static const char *const names[] = {".          ", "..         "};
    guint32 cluster = (guint32) read_le16(raw + 20) << 16 | read_le16(raw + 26);
    guint32 wanted = index == 0 ? directory->cluster : directory->parent;
    if (memcmp(raw, names[index], 11) != 0 || (raw[11] & ~0x20) != ATTRIBUTE_DIRECTORY ||
            cluster != wanted || read_le32(raw + 28) != 0)
        complain(audit, "%s: does not begin with itself and its parent", directory->path);
}

static void visit_entry(Audit *audit, Directory *directory, const guint8 *raw) {
    FatLongName none = {0};
    g_autofree char *short_name = fat_entry_name(raw, &none);
    g_autofree char *name = fat_entry_name(raw, &directory->long_name);
    g_autofree char *path =
            *directory->path ? g_strconcat(directory->path, "/", name, NULL) : g_strdup(name);
    gboolean has_long = directory->pending && directory->long_name.valid &&
                        directory->long_name.expected == 0 &&
                        directory->long_name.checksum == fat_short_name_checksum(raw);
    if (directory->pending && !has_long)
        complain(audit, "%s: has a long name that belongs to another entry", path);
    check_long_name(audit, path, name);
    check_short_name(audit, path, raw, name, short_name, has_long);
    add_name(audit, directory, path, name);
    if (g_ascii_strcasecmp(name, short_name) != 0)
        add_name(audit, directory, path, short_name);

    FatEntry *entry = g_new0(FatEntry, 1);
    entry->name = g_steal_pointer(&name);
    entry->is_directory = (raw[11] & ATTRIBUTE_DIRECTORY) != 0;
    entry->size = entry->is_directory ? 0 : read_le32(raw + 28);
    entry->cluster =
            (audit->reader->bits == 32 ? (guint32) read_le16(raw + 20) << 16 : 0) | read_le16(raw + 26);
    check_fields(audit, path, raw, entry);
    FatFile *file = g_new0(FatFile, 1);
    file->path = g_strdup(path);
    file->entry = entry;
    g_ptr_array_add(audit->files, file);
    if (entry->is_directory)
        audit_directory(audit, path, entry->cluster, directory->cluster, directory->depth + 1);
    else
        check_file(audit, path, entry);
}

static void visit_long_name(Audit *audit, Directory *directory, const guint8 *raw) {
    guint part = raw[0] & 0x3f, was_expected = directory->long_name.expected;
    gboolean first = (raw[0] & 0x40) != 0;
    if (raw[11] != ATTRIBUTE_LONG_NAME || raw[12] != 0 || read_le16(raw + 26) != 0 || (raw[0] & 0x80) != 0 ||
            part == 0 || first == (directory->pending && was_expected != 0) ||
            (!first && part != was_expected))
        complain(audit, "%s: a long name that is damaged", *directory->path ? directory->path : "/");
    fat_long_name_add(&directory->long_name, raw);
    directory->pending = TRUE;
}

static void visit_raw(Audit *audit, Directory *directory, const guint8 *raw, gsize index) {
    const char *where = *directory->path ? directory->path : "/";
    if (directory->depth > 0 && index < 2) {
        check_dots(audit, directory, raw, index);
        return;
    }
    if (raw[0] != 0xe5 && (raw[11] & 0x3f) == ATTRIBUTE_LONG_NAME) {
        visit_long_name(audit, directory, raw);
        return;
    }
    if (raw[0] == 0xe5 && directory->pending)
        complain(audit, "%s: a long name without an entry", where);
    else if (raw[0] == 0x05 || raw[0] == '.')
        complain(audit, "%s: an entry whose first byte is special, which readers do not treat alike", where);
    else if (raw[0] != 0xe5 && (raw[11] & ATTRIBUTE_VOLUME) != 0)
        check_label(audit, directory, raw);
    else if (raw[0] != 0xe5)
        visit_entry(audit, directory, raw);
    memset(&directory->long_name, 0, sizeof directory->long_name);
    directory->pending = FALSE;
}

static void visit_content(Audit *audit, Directory *directory, const guint8 *data, gsize size) {
    gsize at = 0;
    const char *where = *directory->path ? directory->path : "/";
    for (; at + ENTRY_SIZE <= size && data[at] != 0; at += ENTRY_SIZE)
        visit_raw(audit, directory, data + at, at / ENTRY_SIZE);
    if (directory->depth > 0 && at < 2 * ENTRY_SIZE)
        complain(audit, "%s: does not begin with itself and its parent", where);
    if (directory->pending)
        complain(audit, "%s: a long name without an entry", where);
    if (!is_zero(data + at, size - at))
        complain(audit, "%s: entries after the end of the directory", where);
}

static GByteArray *read_directory(Audit *audit, const char *path, guint32 cluster) {
    FatReader *reader = audit->reader;
    g_autoptr(GArray) chain = take_chain(audit, path, cluster);
    GByteArray *content = g_byte_array_new();
    if (chain->len == 0)
        complain(audit, "%s: a directory without clusters", path);
    if ((guint64) chain->len * reader->cluster_size > DIRECTORY_SIZE_MAX) {
        complain(audit, "%s: more entries than the format allows", path);
        return content;
    }
    for (guint i = 0; i < chain->len; i++) {
        g_autoptr(GError) error = NULL;
        guint64 offset = (guint64) (g_array_index(chain, guint32, i) - 2) * reader->cluster_size;
        g_byte_array_set_size(content, content->len + reader->cluster_size);
        if (!fat_read_at(reader, reader->data_offset + offset,
                    content->data + content->len - reader->cluster_size, reader->cluster_size, &error)) {
            complain(audit, "%s: %s", path, error->message);
            g_byte_array_set_size(content, content->len - reader->cluster_size);
            break;
        }
    }
    return content;
}

static void audit_directory(Audit *audit, const char *path, guint32 cluster, guint32 parent, guint depth) {
    if (depth > DEPTH_MAX) {
        complain(audit, "%s: too many directories in each other", path);
        return;
    }
    g_autoptr(GHashTable) names = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    Directory directory = {
            .path = path,
            .cluster = cluster,
            .parent = depth <= 1 ? 0 : parent,
            .depth = depth,
            .names = names,
    };
    g_autoptr(GByteArray) content = NULL;
    FatReader *reader = audit->reader;
    if (depth > 0 || reader->bits == 32)
        content = read_directory(audit, *path ? path : "/", cluster);
    else {
        g_autoptr(GError) error = NULL;
        content = g_byte_array_new();
        g_byte_array_set_size(content, reader->root_size);
        if (!fat_read_at(reader, reader->root_offset, content->data, reader->root_size, &error))
            complain(audit, "/: %s", error->message);
    }
    visit_content(audit, &directory, content->data, content->len);
}

/* What the table says of clusters that no file has. */
static void check_unused(Audit *audit) {
    FatReader *reader = audit->reader;
    guint lost = 0, bad = 0;
    for (guint32 cluster = 2; fat_is_cluster(reader, cluster); cluster++) {
        guint32 entry = audit->used[cluster] ? 0 : raw_entry(reader, cluster);
        if (entry == 0)
            continue;
        if (entry == end_of_chain(reader) - 1)
            bad++;
        else
            lost++;
    }
    if (lost > 0)
        complain(audit, "%u clusters are taken but belong to no file (fsck.fat frees them)", lost);
    if (bad > 0)
        complain(audit, "%u clusters are marked as bad", bad);
}

/* The copies of the table must be the same, and its rest zero. */
static void check_tables(Audit *audit) {
    FatReader *reader = audit->reader;
    g_autofree guint8 *first = g_malloc(CHUNK), *other = g_malloc(CHUNK);
    g_autoptr(GError) error = NULL;
    guint64 entries = ((guint64) reader->n_clusters + 2) * reader->bits;
    guint64 end = (entries + 7) / 8;
    gboolean rest = FALSE, differ = FALSE;
    for (guint64 done = 0; done < reader->table_size; done += CHUNK) {
        gsize size = MIN(CHUNK, reader->table_size - done);
        if (!fat_read_at(reader, reader->table_offset + done, first, size, &error))
            break;
        gsize skip = done >= end ? 0 : MIN(end - done, size);
        rest = rest || !is_zero(first + skip, size - skip);
        for (guint32 i = 1; i < reader->n_tables; i++) {
            if (!fat_read_at(
                        reader, reader->table_offset + i * reader->table_size + done, other, size, &error))
                break;
            differ = differ || memcmp(first, other, size) != 0;
        }
    }
    if (error)
        complain(audit, "%s", error->message);
    if (differ)
        complain(audit, "the copies of the allocation table differ");
    if (rest)
        complain(audit, "bytes after the end of the allocation table");
}

GPtrArray *fat_reader_audit(FatReader *reader, GPtrArray *problems) {
    Audit audit = {
            .reader = reader,
            .problems = problems,
            .files = g_ptr_array_new_with_free_func((GDestroyNotify) fat_file_free),
            .used = g_malloc0((gsize) reader->n_clusters + 2),
    };
    fat_check_boot_sectors(reader, problems);
    check_tables(&audit);
    audit_directory(&audit, "", reader->root_cluster, 0, 0);
    check_unused(&audit);
    g_free(audit.used);
    return audit.files;
}
