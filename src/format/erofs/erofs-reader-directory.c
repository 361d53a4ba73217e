/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Directories: blocks, each of which starts with its entries, followed by their names. */
#include <string.h>
#include <sys/stat.h>

#include "format/erofs/erofs-reader-internal.h"
#include "format/erofs/erofs-reader-tree.h"

struct ErofsDirectory {
    ErofsReader *reader;
    ErofsNode node;
    guint64 offset; /* of the block in the directory */
    guint8 *block;
    gsize length;
    guint i; /* next entry in the block */
    guint n;
    gboolean has_name;
    char name[EROFS_NAME_MAX + 1]; /* the latest, "." and ".." among them */
    guint64 parent;
    gboolean has_parent;
    ErofsEntry entry;
};

ErofsDirectory *erofs_directory_new(ErofsReader *reader, const ErofsNode *node, GError **error) {
    if (!S_ISDIR(node->mode)) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_NOT_DIRECTORY,
                "EROFS, inode %" G_GUINT64_FORMAT ": it is no directory", node->nid);
        return NULL;
    }
    ErofsDirectory *directory = g_new0(ErofsDirectory, 1);
    directory->reader = reader;
    directory->node = *node;
    directory->block = g_malloc(MIN(reader->image->info.block_size, MAX(node->size, 1)));
    return directory;
}

void erofs_directory_free(ErofsDirectory *directory) {
    g_free(directory->block);
    g_free(directory);
}

static gboolean damaged(const ErofsDirectory *directory, GError **error, const char *what) {
    return erofs_damaged_content(
            error, directory->node.nid, directory->offset + directory->i * sizeof(ErofsDirent), "%s", what);
}

static ErofsDirent get_dirent(const ErofsDirectory *directory, guint i) {
    ErofsDirent dirent;
    memcpy(&dirent, directory->block + i * sizeof dirent, sizeof dirent);
    return dirent;
}

/* Reads the block at OFFSET, which is less than the size. */
static gboolean load_block(ErofsDirectory *directory, guint64 offset, GError **error) {
    guint32 block_size = directory->reader->image->info.block_size;
    directory->offset = offset;
    directory->i = directory->n = 0;
    if (!erofs_reader_read(directory->reader, &directory->node, offset, directory->block, block_size,
                &directory->length, error))
        return FALSE;
    if (directory->length < sizeof(ErofsDirent))
        return damaged(directory, error, "too short for an entry of a directory");
    gsize names = GUINT16_FROM_LE(get_dirent(directory, 0).name_offset);
    if (names == 0 || names % sizeof(ErofsDirent) != 0 || names >= directory->length)
        return damaged(directory, error, "names of entries at an impossible place");
    directory->n = names / sizeof(ErofsDirent);
    return TRUE;
}

/* Takes the name of the next entry of the block. */
static gboolean take_name(ErofsDirectory *directory, GError **error) {
    gsize start = GUINT16_FROM_LE(get_dirent(directory, directory->i).name_offset), end = directory->length;
    gboolean last = directory->i + 1 == directory->n;
    if (!last)
        end = GUINT16_FROM_LE(get_dirent(directory, directory->i + 1).name_offset);
    if (start < directory->n * sizeof(ErofsDirent) || end > directory->length || end <= start)
        return damaged(directory, error, "a name outside of its block, or none");
    const char *bytes = (const char *) directory->block + start;
    /* Zeros may follow the last one. */
    gsize size = last ? strnlen(bytes, end - start) : end - start;
    if (size == 0 || size > EROFS_NAME_MAX || memchr(bytes, 0, size) || memchr(bytes, '/', size))
        return damaged(directory, error, "an impossible name");
    char name[EROFS_NAME_MAX + 1];
    memcpy(name, bytes, size);
    name[size] = 0;
    if (directory->has_name && strcmp(directory->name, name) >= 0)
        return damaged(directory, error, "names are not sorted");
    directory->has_name = TRUE;
    memcpy(directory->name, name, size + 1);
    return TRUE;
}

/* The next entry, "." and ".." among them. RET_END: there is none. */
static gboolean next_raw(ErofsDirectory *directory, gboolean *ret_end, GError **error) {
    *ret_end = FALSE;
    if (directory->i == directory->n) {
        guint64 next = directory->length > 0 ? directory->offset + directory->length : 0;
        if (next >= directory->node.size) {
            *ret_end = TRUE;
            return TRUE;
        }
        if (!load_block(directory, next, error))
            return FALSE;
    }
    if (!take_name(directory, error))
        return FALSE;
    ErofsDirent dirent = get_dirent(directory, directory->i);
    directory->entry = (ErofsEntry){
            .name = directory->name,
            .nid = GUINT64_FROM_LE(dirent.nid),
            .type = dirent.file_type,
    };
    if (dirent.file_type < EROFS_TYPE_REGULAR || dirent.file_type > EROFS_TYPE_SYMLINK)
        return damaged(directory, error, "an entry of an unknown type");
    directory->i++;
    return TRUE;
}

const ErofsEntry *erofs_directory_next(ErofsDirectory *directory, GError **error) {
    for (;;) {
        gboolean end;
        if (!next_raw(directory, &end, error) || end)
            return NULL;
        const ErofsEntry *entry = &directory->entry;
        gboolean self = g_str_equal(entry->name, "."), parent = g_str_equal(entry->name, "..");
        if (!self && !parent)
            return entry;
        if (entry->type != EROFS_TYPE_DIRECTORY || (self && entry->nid != directory->node.nid)) {
            damaged(directory, error, "\".\" or \"..\" is something else");
            return NULL;
        }
        if (parent) {
            directory->parent = entry->nid;
            directory->has_parent = TRUE;
        }
    }
}

gboolean erofs_directory_get_parent(const ErofsDirectory *directory, guint64 *ret_nid) {
    *ret_nid = directory->parent;
    return directory->has_parent;
}

/* Paths. */

/* Loads the last block whose first name is not behind NAME. */
static gboolean find_block(ErofsDirectory *directory, const char *name, GError **error) {
    guint64 low = 0, block_bits = directory->reader->image->block_bits;
    guint64 high = (directory->node.size - 1) >> block_bits;
    while (low < high) {
        guint64 middle = low + (high - low + 1) / 2;
        directory->has_name = FALSE;
        if (!load_block(directory, middle << block_bits, error) || !take_name(directory, error))
            return FALSE;
        if (strcmp(directory->name, name) <= 0)
            low = middle;
        else
            high = middle - 1;
    }
    directory->has_name = FALSE;
    return load_block(directory, low << block_bits, error);
}

/* RET_NID: of NAME in the directory NODE. G_IO_ERROR_NOT_FOUND if there is none. */
static gboolean find_name(
        ErofsReader *reader, const ErofsNode *node, const char *name, guint64 *ret_nid, GError **error) {
    g_autoptr(ErofsDirectory) directory = erofs_directory_new(reader, node, error);
    if (!directory || (node->size > 0 && !find_block(directory, name, error)))
        return FALSE;
    while (directory->i < directory->n) {
        gboolean end;
        if (!next_raw(directory, &end, error))
            return FALSE;
        int order = strcmp(directory->name, name);
        if (order == 0 && !g_str_equal(name, ".") && !g_str_equal(name, "..")) {
            *ret_nid = directory->entry.nid;
            return TRUE;
        }
        if (order > 0)
            break;
    }
    g_set_error(error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND,
            "EROFS, inode %" G_GUINT64_FORMAT ": there is no %s", node->nid, name);
    return FALSE;
}

gboolean erofs_reader_lookup(ErofsReader *reader, const char *path, ErofsNode *ret, GError **error) {
    if (!erofs_reader_get(reader, reader->image->info.root_nid, ret, error))
        return FALSE;
    g_auto(GStrv) names = g_strsplit(path, "/", -1);
    for (guint i = 0; names[i]; i++) {
        guint64 nid;
        if (!*names[i])
            continue;
        if (!find_name(reader, ret, names[i], &nid, error) || !erofs_reader_get(reader, nid, ret, error)) {
            g_prefix_error(error, "/%s: ", path + strspn(path, "/"));
            return FALSE;
        }
    }
    return TRUE;
}
