/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "format/erofs/writer/erofs-metadata.h"

#include <string.h>

#include "format/erofs/erofs-format.h"
#include "format/erofs/writer/erofs-index.h"

#define ROUND_UP(value, to) (((value) + (to) -1) / (to) * (to))
#define OPEN_BLOCKS 8

typedef struct {
    guint64 block;
    gsize used;
} OpenBlock;

typedef struct {
    const ErofsTree *tree;
    ErofsOutput *output;
    guint64 n_blocks;            /* of the inode area so far */
    OpenBlock open[OPEN_BLOCKS]; /* blocks with room for more inodes */
    guint8 *area;
} Metadata;

/* Sizes. */

static gboolean is_compressed(const ErofsInode *inode) {
    return inode->data.clusters || inode->data.fragment != EROFS_NO_FRAGMENT;
}

/* Whether the small inode can hold it: its time of modification is that of the superblock. */
static gboolean is_compact(const ErofsTree *tree, const ErofsInode *inode) {
    return inode->mtime == tree->build_time && inode->mtime_nsec == 0 && inode->uid <= G_MAXUINT16 &&
           inode->gid <= G_MAXUINT16 && inode->nlink <= G_MAXUINT16 && inode->size <= G_MAXUINT32;
}

static gsize inode_size(const ErofsTree *tree, const ErofsInode *inode) {
    return is_compact(tree, inode) ? sizeof(ErofsCompactInode) : sizeof(ErofsExtendedInode);
}

gsize erofs_inline_max(const ErofsInode *inode) {
    gsize head = sizeof(ErofsExtendedInode) + erofs_xattr_size(inode->xattrs);
    return head < EROFS_BLOCK_SIZE ? EROFS_BLOCK_SIZE - head : 0;
}

static guint64 count_logical(const GArray *clusters) {
    guint64 n = 0;
    for (guint i = 0; i < clusters->len; i++)
        n += g_array_index(clusters, ErofsCluster, i).logical;
    return n;
}

/* Offset of the map header of a compressed file from its inode. */
static gsize map_offset(const ErofsTree *tree, const ErofsInode *inode) {
    return ROUND_UP(inode_size(tree, inode) + erofs_xattr_size(inode->xattrs), 8);
}

/* Bytes of the inode and all that follows it. */
static gsize item_size(const ErofsTree *tree, const ErofsInode *inode) {
    if (!is_compressed(inode))
        return inode_size(tree, inode) + erofs_xattr_size(inode->xattrs) + inode->size -
               inode->data.body_size;
    gsize index = map_offset(tree, inode) + sizeof(ErofsMapHeader);
    if (inode->data.clusters)
        index += erofs_index_size(index, count_logical(inode->data.clusters));
    return index;
}

/* Places. */

/* Finds room for SIZE bytes within one block, or for whole blocks if it is more than that. */
static guint64 place(Metadata *metadata, gsize size) {
    size = ROUND_UP(size, EROFS_SLOT_SIZE);
    OpenBlock *fullest = metadata->open;
    for (OpenBlock *open = metadata->open; open < metadata->open + OPEN_BLOCKS; open++) {
        if (open->used + size <= EROFS_BLOCK_SIZE) {
            guint64 at = open->block * EROFS_BLOCK_SIZE + open->used;
            open->used += size;
            return at;
        }
        if (open->used > fullest->used)
            fullest = open;
    }
    guint64 first = metadata->n_blocks;
    metadata->n_blocks += ROUND_UP(size, EROFS_BLOCK_SIZE) / EROFS_BLOCK_SIZE;
    gsize used = (size - 1) % EROFS_BLOCK_SIZE + 1;
    if (used < fullest->used)
        *fullest = (OpenBlock){metadata->n_blocks - 1, used};
    return first * EROFS_BLOCK_SIZE;
}

static gboolean place_inode(Metadata *metadata, ErofsInode *inode, GError **error) {
    if (erofs_xattr_size(inode->xattrs) == G_MAXUINT32) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED,
                "/%s has more extended attributes than EROFS can store",
                inode->source_path ? inode->source_path : "(a directory)");
        return FALSE;
    }
    inode->nid = place(metadata, item_size(metadata->tree, inode)) / EROFS_SLOT_SIZE;
    return TRUE;
}

/* Directories. */

typedef struct {
    const char *name;
    const ErofsInode *inode;
} Dirent;

static gint compare_dirents(gconstpointer a, gconstpointer b) {
    return strcmp(((const Dirent *) a)->name, ((const Dirent *) b)->name);
}

/* All entries in their order, "." and ".." included. */
static GArray *directory_entries(const ErofsInode *directory) {
    GArray *entries = g_array_new(FALSE, FALSE, sizeof(Dirent));
    Dirent self = {".", directory}, parent = {"..", directory->parent};
    g_array_append_val(entries, self);
    g_array_append_val(entries, parent);
    GHashTableIter iter;
    gpointer name, inode;
    g_hash_table_iter_init(&iter, directory->entries);
    while (g_hash_table_iter_next(&iter, &name, &inode)) {
        Dirent entry = {name, inode};
        g_array_append_val(entries, entry);
    }
    g_array_sort(entries, compare_dirents);
    return entries;
}

/* Returns the end of the run of ENTRIES from FIRST on that fits a block, and the bytes it takes. */
static guint block_end(const GArray *entries, guint first, gsize *ret_used) {
    guint i = first;
    *ret_used = 0;
    for (; i < entries->len; i++) {
        gsize size = sizeof(ErofsDirent) + strlen(g_array_index(entries, Dirent, i).name);
        if (*ret_used + size > EROFS_BLOCK_SIZE)
            break;
        *ret_used += size;
    }
    return i;
}

/* A content that ends in a partial block: decides whether that follows the inode. */
static void place_tail(ErofsInode *inode) {
    gsize tail = inode->size % EROFS_BLOCK_SIZE;
    gboolean follows = tail > 0 && tail <= erofs_inline_max(inode);
    inode->data.body_size = follows ? inode->size - tail : inode->size;
    inode->data.n_blocks = ROUND_UP(inode->data.body_size, EROFS_BLOCK_SIZE) / EROFS_BLOCK_SIZE;
}

static void measure_directory(ErofsInode *directory) {
    g_autoptr(GArray) entries = directory_entries(directory);
    gsize used = 0;
    guint64 blocks = 0;
    for (guint first = 0; first < entries->len; blocks++)
        first = block_end(entries, first, &used);
    directory->size = (blocks - 1) * EROFS_BLOCK_SIZE + used;
    place_tail(directory);
}

static void write_directory_block(const GArray *entries, guint first, guint end, guint8 *out) {
    gsize name_offset = (end - first) * sizeof(ErofsDirent);
    for (guint i = first; i < end; i++) {
        const Dirent *entry = &g_array_index(entries, Dirent, i);
        ErofsDirent raw = {
                .nid = GUINT64_TO_LE(entry->inode->nid),
                .name_offset = GUINT16_TO_LE((guint16) name_offset),
                .file_type = erofs_type_of(entry->inode->mode),
        };
        memcpy(out + (i - first) * sizeof raw, &raw, sizeof raw);
        gsize length = strlen(entry->name);
        memcpy(out + name_offset, entry->name, length);
        name_offset += length;
    }
}

/* The content of a directory or symlink, padded to blocks. */
static guint8 *make_content(const ErofsInode *inode) {
    guint8 *content = g_malloc0(ROUND_UP(inode->size, EROFS_BLOCK_SIZE));
    if (inode->target) {
        memcpy(content, inode->target, inode->size);
        return content;
    }
    g_autoptr(GArray) entries = directory_entries(inode);
    guint8 *out = content;
    for (guint first = 0; first < entries->len; out += EROFS_BLOCK_SIZE) {
        gsize used;
        guint end = block_end(entries, first, &used);
        write_directory_block(entries, first, end, out);
        first = end;
    }
    return content;
}

/* Output. */

static gboolean append(ErofsOutput *output, const guint8 *data, gsize n_blocks, GError **error) {
    if (n_blocks == 0)
        return TRUE;
    if (!erofs_output_write(output, output->next_block, data, n_blocks, NULL, error))
        return FALSE;
    if (output->verity)
        verity_tree_update(output->verity, output->next_block, data, n_blocks);
    output->next_block += n_blocks;
    return TRUE;
}

/* Writes the blocks of directories and symlinks and keeps what follows their inodes. */
static gboolean write_contents(Metadata *metadata, GPtrArray *inodes, GError **error) {
    for (guint i = 0; i < inodes->len; i++) {
        ErofsInode *inode = inodes->pdata[i];
        if (!inode->entries && !inode->target)
            continue;
        g_autofree guint8 *content = make_content(inode);
        if (inode->data.n_blocks > 0)
            inode->data.first_block = metadata->output->next_block;
        if (!append(metadata->output, content, inode->data.n_blocks, error))
            return FALSE;
        gsize tail = inode->size - inode->data.body_size;
        if (tail > 0)
            inode->data.inline_tail = g_memdup2(content + inode->data.body_size, tail);
    }
    return TRUE;
}

static guint32 inode_where(const ErofsInode *inode) {
    if (S_ISCHR(inode->mode) || S_ISBLK(inode->mode))
        return inode->rdev;
    return is_compressed(inode) ? inode->data.n_blocks : inode->data.first_block;
}

static void write_core(const ErofsTree *tree, const ErofsInode *inode, guint8 *out) {
    ErofsLayout layout = is_compressed(inode)                  ? EROFS_LAYOUT_COMPRESSED
                         : inode->data.body_size < inode->size ? EROFS_LAYOUT_INLINE
                                                               : EROFS_LAYOUT_PLAIN;
    gboolean compact = is_compact(tree, inode);
    guint16 format = layout << EROFS_FORMAT_LAYOUT_SHIFT | (compact ? 0 : EROFS_FORMAT_EXTENDED);
    guint32 xattr_size = erofs_xattr_size(inode->xattrs);
    guint16 xattr_count = xattr_size > 0 ? (xattr_size - sizeof(ErofsXattrHeader)) / 4 + 1 : 0;

    if (compact) {
        ErofsCompactInode raw = {
                .format = GUINT16_TO_LE(format),
                .xattr_count = GUINT16_TO_LE(xattr_count),
                .mode = GUINT16_TO_LE((guint16) inode->mode),
                .nlink = GUINT16_TO_LE((guint16) inode->nlink),
                .size = GUINT32_TO_LE((guint32) inode->size),
                .where = GUINT32_TO_LE(inode_where(inode)),
                .ino = GUINT32_TO_LE(inode->ino),
                .uid = GUINT16_TO_LE((guint16) inode->uid),
                .gid = GUINT16_TO_LE((guint16) inode->gid),
        };
        memcpy(out, &raw, sizeof raw);
        return;
    }
    ErofsExtendedInode raw = {
            .format = GUINT16_TO_LE(format),
            .xattr_count = GUINT16_TO_LE(xattr_count),
            .mode = GUINT16_TO_LE((guint16) inode->mode),
            .size = GUINT64_TO_LE(inode->size),
            .where = GUINT32_TO_LE(inode_where(inode)),
            .ino = GUINT32_TO_LE(inode->ino),
            .uid = GUINT32_TO_LE(inode->uid),
            .gid = GUINT32_TO_LE(inode->gid),
            .mtime = GINT64_TO_LE(inode->mtime),
            .mtime_nsec = GUINT32_TO_LE(inode->mtime_nsec),
            .nlink = GUINT32_TO_LE(inode->nlink),
    };
    memcpy(out, &raw, sizeof raw);
}

static void write_map(const ErofsTree *tree, const ErofsInode *inode, guint8 *out) {
    gsize offset = map_offset(tree, inode);
    if (!inode->data.clusters) {
        guint64 whole = GUINT64_TO_LE(inode->data.fragment | EROFS_MAP_WHOLE_FRAGMENT);
        memcpy(out + offset, &whole, sizeof whole);
        return;
    }
    guint16 advise = EROFS_ADVISE_COMPACT_2B | EROFS_ADVISE_BIG_CLUSTER_1 | EROFS_ADVISE_BIG_CLUSTER_2;
    ErofsMapHeader header = {.algorithms = EROFS_ALGORITHM_ZSTD};
    if (inode->data.fragment != EROFS_NO_FRAGMENT) {
        advise |= EROFS_ADVISE_FRAGMENT;
        header.fragment_offset = GUINT32_TO_LE((guint32) inode->data.fragment);
    }
    header.advise = GUINT16_TO_LE(advise);
    memcpy(out + offset, &header, sizeof header);
    offset += sizeof header;
    erofs_index_write(offset, inode->data.clusters, inode->data.first_block, out + offset);
}

static void write_inode(Metadata *metadata, const ErofsInode *inode) {
    const ErofsTree *tree = metadata->tree;
    guint8 *out = metadata->area + inode->nid * EROFS_SLOT_SIZE;
    gsize size = inode_size(tree, inode);
    write_core(tree, inode, out);
    erofs_xattr_write(inode->xattrs, out + size);
    if (is_compressed(inode))
        write_map(tree, inode, out);
    else if (inode->data.inline_tail)
        memcpy(out + size + erofs_xattr_size(inode->xattrs), inode->data.inline_tail,
                inode->size - inode->data.body_size);
}

static gboolean place_all(Metadata *metadata, GPtrArray *inodes, ErofsInode *packed, GError **error) {
    /* No inode has number 0, which some programs take for "deleted". The first, the root, gets a small one.
     */
    metadata->n_blocks = 1;
    metadata->open[0] = (OpenBlock){0, 2 * EROFS_SLOT_SIZE};
    for (guint i = 1; i < OPEN_BLOCKS; i++)
        metadata->open[i] = (OpenBlock){0, EROFS_BLOCK_SIZE};

    for (guint i = 0; i < inodes->len; i++) {
        ErofsInode *inode = inodes->pdata[i];
        if (inode->entries)
            measure_directory(inode);
        else if (inode->target)
            place_tail(inode);
        if (!place_inode(metadata, inode, error))
            return FALSE;
    }
    return packed->size == 0 || place_inode(metadata, packed, error);
}

static gboolean write_all(Metadata *metadata, GPtrArray *inodes, ErofsInode *packed,
        const GByteArray *shared_xattrs, ErofsMetadata *ret, GError **error) {
    ErofsOutput *output = metadata->output;
    if (!write_contents(metadata, inodes, error))
        return FALSE;
    for (guint i = 0; i < inodes->len; i++)
        write_inode(metadata, inodes->pdata[i]);
    if (packed->size > 0)
        write_inode(metadata, packed);
    ret->meta_block = output->next_block;
    if (!append(output, metadata->area, metadata->n_blocks, error))
        return FALSE;

    ret->xattr_block = shared_xattrs->len > 0 ? output->next_block : 0;
    gsize xattr_blocks = ROUND_UP(shared_xattrs->len, EROFS_BLOCK_SIZE) / EROFS_BLOCK_SIZE;
    g_autofree guint8 *xattrs = g_malloc0(xattr_blocks * EROFS_BLOCK_SIZE);
    if (shared_xattrs->len > 0)
        memcpy(xattrs, shared_xattrs->data, shared_xattrs->len);
    return append(output, xattrs, xattr_blocks, error);
}

gboolean erofs_metadata_write(ErofsOutput *output, const ErofsTree *tree, GPtrArray *inodes,
        ErofsInode *packed, const GByteArray *shared_xattrs, ErofsMetadata *ret, GError **error) {
    Metadata metadata = {.tree = tree, .output = output};
    *ret = (ErofsMetadata){0};
    if (!place_all(&metadata, inodes, packed, error))
        return FALSE;
    g_autofree guint8 *area = g_malloc0(metadata.n_blocks * EROFS_BLOCK_SIZE);
    metadata.area = area;
    ret->root_nid = tree->root->nid;
    ret->packed_nid = packed->size > 0 ? packed->nid : 0;
    return write_all(&metadata, inodes, packed, shared_xattrs, ret, error);
}
