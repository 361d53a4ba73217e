/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Deltas of volumes. */

#include <string.h>
#include <sys/stat.h>

#include "base/io.h"
#include "base/work-pool.h"
#include "delta/old-files.h"
#include "delta/volume-pieces.h"
#include "format/delta/delta-xz.h"
#include "format/erofs/writer/erofs-writer.h"
#include "format/verity/verity.h"

#define BLOCK VERITY_BLOCK_SIZE
/* Content of one member, unless the whole file has to be one. */
#define MEMBER_MAX (2u << 20)
/* What is looked at around the place in the old file. */
#define WINDOW (512u * 1024)
#define METADATA_WINDOW (2u << 20)

static gboolean fail(GError **error, const char *text) {
    g_set_error_literal(error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA, text);
    return FALSE;
}

/* ---- hash areas ---- */

typedef struct {
    guint8 *area;
    VeritySuperblock superblock;
    guint8 root_hash[VERITY_DIGEST_SIZE];
} Tree;

static void tree_clear(Tree *tree) {
    g_clear_pointer(&tree->area, g_free);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Tree, tree_clear)

static gboolean read_tree(const DeltaVolume *volume, Tree *ret, GError **error) {
    guint8 block[BLOCK];
    struct stat info, data;

    if (fstat(volume->tree, &info) < 0 || fstat(volume->data, &data) < 0 || info.st_size < (off_t) sizeof block)
        return fail(error, "the hash tree of the volume is too short");
    if (!pread_all(volume->tree, block, sizeof block, 0, error) ||
            !verity_superblock_parse(block, sizeof block, &ret->superblock, error))
        return FALSE;
    guint64 size = verity_hash_area_size(ret->superblock.data_blocks);
    if (size > (guint64) info.st_size || ret->superblock.data_blocks > (guint64) data.st_size / BLOCK)
        return fail(error, "the hash tree and the volume do not belong together");
    ret->area = g_malloc(size);
    return pread_all(volume->tree, ret->area, size, 0, error) &&
           verity_area_check(ret->area, size, &ret->superblock, ret->root_hash, error);
}

static guint leaf_hash(gconstpointer leaf) {
    guint hash;

    memcpy(&hash, leaf, sizeof hash);
    return hash;
}

static gboolean leaf_equal(gconstpointer a, gconstpointer b) {
    return memcmp(a, b, VERITY_DIGEST_SIZE) == 0;
}

/* A byte for each block of the new volume: 1 when the old one does not have it anywhere. NULL: salts differ. */
static guint8 *find_changed(const Tree *old, const Tree *new, guint64 *ret_changed, GError **error) {
    static const guint8 zeros[BLOCK];
    g_autoptr(GHashTable) known = g_hash_table_new(leaf_hash, leaf_equal);
    guint8 zero[VERITY_DIGEST_SIZE];
    const guint8 *leaves = verity_area_leaves(old->area, &old->superblock);

    if (old->superblock.salt_size != new->superblock.salt_size ||
            memcmp(old->superblock.salt, new->superblock.salt, new->superblock.salt_size) != 0) {
        fail(error, "the two versions have different salts; build both with the same Seed=");
        return NULL;
    }
    verity_digest_blocks(&new->superblock, zeros, 1, zero);
    g_hash_table_add(known, zero);
    for (guint64 i = 0; i < old->superblock.data_blocks; i++)
        g_hash_table_add(known, (gpointer) (leaves + i * VERITY_DIGEST_SIZE));
    guint8 *changed = g_malloc0(new->superblock.data_blocks + 1);
    leaves = verity_area_leaves(new->area, &new->superblock);
    for (guint64 i = 0; i < new->superblock.data_blocks; i++) {
        changed[i] = !g_hash_table_contains(known, leaves + i * VERITY_DIGEST_SIZE);
        *ret_changed += changed[i] ? BLOCK : 0;
    }
    return changed;
}

/* ---- files ---- */

/* A file that has parts to be made. */
typedef struct {
    WorkJob work;
    Maker *maker;
    char *path;
    ErofsNode node;
    GArray *parts;
    OldFile old; /* size 0: there is none */

    /* Of xz, after run_probe(). */
    gboolean is_xz;
    DeltaXz xz;
    guint64 content, old_content;
} Changed;

static void changed_free(gpointer data) {
    Changed *changed = data;

    g_free(changed->path);
    g_array_unref(changed->parts);
    g_free(changed);
}

static guint8 *read_inode(ErofsImage *image, guint64 nid, guint64 size) {
    g_autoptr(ErofsReader) reader = erofs_reader_new(image);
    g_autofree guint8 *bytes = g_malloc(MAX(size, 1));
    ErofsNode node;

    if (!erofs_reader_get(reader, nid, &node, NULL) || node.size != size ||
            !erofs_reader_read(reader, &node, 0, bytes, size, NULL, NULL))
        return NULL;
    return g_steal_pointer(&bytes);
}

static guint8 *unpack(ErofsImage *image, guint64 nid, guint64 size, guint8 **ret_packed, guint64 *ret_content) {
    g_autofree guint8 *packed = size <= DELTA_OBJECT_MAX ? read_inode(image, nid, size) : NULL;
    gsize n = 0;
    guint8 *content =
            packed && delta_is_xz(packed, size) ? delta_xz_unpack(packed, size, DELTA_UNIT_MAX / 2, &n, NULL) : NULL;

    *ret_content = n;
    if (ret_packed)
        *ret_packed = g_steal_pointer(&packed);
    return content;
}

static void run_probe(WorkJob *work, gpointer data) {
    Changed *changed = (Changed *) work;
    g_autofree guint8 *packed = NULL;
    g_autofree guint8 *content = unpack(
            changed->maker->target.old_image, changed->node.nid, changed->node.size, &packed, &changed->content);
    g_autofree guint8 *old = content && changed->old.size > 0 ? unpack(changed->maker->old.old_image, changed->old.nid,
                                                                        changed->old.size, NULL, &changed->old_content)
                                                              : NULL;

    changed->is_xz = old && changed->content > 0 &&
                     delta_xz_probe(packed, changed->node.size, content, changed->content, &changed->xz);
}

static gboolean may_be_xz(const Changed *changed) {
    return !changed->maker->options.no_xz && changed->old.size > 0 && g_str_has_suffix(changed->path, ".xz") &&
           changed->node.size <= DELTA_OBJECT_MAX;
}

static void probe_all(Maker *maker, GPtrArray *files) {
    g_autoptr(WorkPool) pool = work_pool_new(maker->options.threads, NULL, NULL, NULL);

    for (guint i = 0; i < files->len; i++) {
        Changed *changed = files->pdata[i];
        changed->work.run = run_probe;
        if (may_be_xz(changed))
            work_pool_submit(pool, &changed->work);
    }
    for (guint i = 0; i < files->len; i++)
        if (may_be_xz(files->pdata[i]))
            work_pool_wait(pool, &((Changed *) files->pdata[i])->work);
}

static void add_xz(Maker *maker, const Changed *changed) {
    DeltaReference content = {DELTA_OLD_INODE, DELTA_XZ, changed->node.nid, 0, 0, changed->content};
    DeltaReference old = {DELTA_OLD_INODE, DELTA_XZ, changed->old.nid, 0, 0, changed->old_content};
    MakerMember *member = maker_add_member(maker, &content, &old);

    member->is_xz = TRUE;
    member->xz = changed->xz;
    for (guint i = 0; i < changed->parts->len; i++) {
        const FilePart *part = &g_array_index(changed->parts, FilePart, i);
        maker_place(maker, member, part->offset, part->piece, part->at, part->length);
    }
}

/* Parts FIRST to END (not included) are one stretch of the file. */
static void add_stretch(Maker *maker, const Changed *changed, guint first, guint end) {
    const FilePart *parts = (const FilePart *) changed->parts->data;
    guint64 from = parts[first].offset, to = parts[end - 1].offset + parts[end - 1].length;
    DeltaReference content = {DELTA_OLD_INODE, DELTA_AS_IT_IS, changed->node.nid, 0, from, to - from};
    guint64 old_from = MIN(from > WINDOW ? from - WINDOW : 0, changed->old.size);
    guint64 old_to = MIN(to + WINDOW, changed->old.size);
    DeltaReference old = {DELTA_OLD_INODE, DELTA_AS_IT_IS, changed->old.nid, 0, old_from, old_to - old_from};
    MakerMember *member = maker_add_member(maker, &content, &old);

    for (guint i = first; i < end; i++)
        maker_place(maker, member, parts[i].offset - from, parts[i].piece, parts[i].at, parts[i].length);
}

static void add_as_it_is(Maker *maker, const Changed *changed) {
    const FilePart *parts = (const FilePart *) changed->parts->data;
    guint first = 0;

    for (guint i = 1; i <= changed->parts->len; i++) {
        gboolean goes_on = i < changed->parts->len && parts[i].offset == parts[i - 1].offset + parts[i - 1].length &&
                           parts[i].offset + parts[i].length - parts[first].offset <= MEMBER_MAX;
        if (goes_on)
            continue;
        add_stretch(maker, changed, first, i);
        first = i;
    }
}

/* All files with parts to be made, in the order of their paths. RET_END: byte after the last of all files. */
static GPtrArray *find_files(Maker *maker, VolumePieces *pieces, ErofsReader *reader, const OldFiles *old, GError **error) {
    g_autoptr(GPtrArray) files = g_ptr_array_new_with_free_func(changed_free);
    g_autoptr(GError) failure = NULL;
    ErofsNode root, node;
    const char *path;

    if (!erofs_reader_lookup(reader, "", &root, error))
        return NULL;
    g_autoptr(ErofsWalk) walk = erofs_walk_new(reader, &root);
    while ((path = erofs_walk_next(walk, &node, &failure))) {
        g_autoptr(GArray) parts = S_ISREG(node.mode) ? volume_pieces_take(pieces, reader, &node, error) : NULL;
        if (S_ISREG(node.mode) && !parts)
            return NULL;
        if (!parts || parts->len == 0)
            continue;
        Changed *changed = g_new0(Changed, 1);
        const OldFile *like = old_files_find(old, path, node.size);
        *changed = (Changed){.maker = maker, .path = g_strdup(path), .node = node, .parts = g_steal_pointer(&parts)};
        if (like)
            changed->old = *like;
        g_ptr_array_add(files, changed);
    }
    if (!failure)
        return g_steal_pointer(&files);
    g_propagate_error(error, g_steal_pointer(&failure));
    return NULL;
}

/* ---- everything else ---- */

/* Where inodes and directories begin: behind what files have. */
static guint64 find_metadata(const ErofsImage *image, ErofsReader *reader, guint64 size) {
    ErofsNode root, node;
    guint64 lowest = size;
    g_autoptr(ErofsWalk) walk = NULL;

    if (!erofs_reader_lookup(reader, "", &root, NULL))
        return 0;
    walk = erofs_walk_new(reader, &root);
    while (erofs_walk_next(walk, &node, NULL))
        lowest = MIN(lowest, node.attributes);
    return lowest;
}

/* Blocks that no file has, as they are, against what the old volume has there. */
static void add_rest(Maker *maker, const guint8 *changed, guint64 n_blocks, guint64 metadata, guint64 old_metadata) {
    guint64 old_size = maker->old.old_size;

    for (guint64 i = 0; i < n_blocks; i++) {
        guint64 first = i;
        while (i < n_blocks && changed[i] == 1 && (i - first) * BLOCK < EROFS_CLUSTER_SIZE_MAX)
            i++;
        if (i == first)
            continue;
        guint64 from = first * BLOCK, size = (i - first) * BLOCK;
        guint64 like = from >= metadata ? from - metadata + old_metadata : from;
        guint64 old_from = MIN(like > METADATA_WINDOW ? like - METADATA_WINDOW : 0, old_size);
        guint64 old_to = MIN(like + size + METADATA_WINDOW, old_size);
        DeltaReference content = {DELTA_OLD_BYTES, DELTA_AS_IT_IS, from, 0, 0, size};
        DeltaReference old = {DELTA_OLD_BYTES, DELTA_AS_IT_IS, old_from, 0, 0, old_to - old_from};
        DeltaPiece piece = {.kind = DELTA_PIECE_RAW, .offset = from, .stored = size, .content = size};
        MakerMember *member = maker_add_member(maker, &content, &old);
        maker_place(maker, member, 0, maker_add_piece(maker, &piece), 0, size);
        i--;
    }
}

static gboolean plan(Maker *maker, guint8 *changed, guint64 n_blocks, GError **error) {
    g_autoptr(ErofsReader) reader = erofs_reader_new(maker->target.old_image);
    g_autoptr(ErofsReader) old_reader = erofs_reader_new(maker->old.old_image);
    g_autoptr(OldFiles) old = old_files_new(old_reader, error);
    g_autoptr(VolumePieces) pieces = old ? volume_pieces_new(maker, reader, changed, n_blocks, error) : NULL;
    g_autoptr(GPtrArray) files = pieces ? find_files(maker, pieces, reader, old, error) : NULL;

    if (!files)
        return FALSE;
    probe_all(maker, files);
    for (guint i = 0; i < files->len; i++) {
        const Changed *file = files->pdata[i];
        (file->is_xz ? add_xz : add_as_it_is)(maker, file);
    }
    add_rest(maker, changed, n_blocks, find_metadata(maker->target.old_image, reader, maker->target.old_size),
            find_metadata(maker->old.old_image, old_reader, maker->old.old_size));
    return TRUE;
}

gboolean delta_make_volume(const DeltaVolume *old, const DeltaVolume *new, const DeltaOptions *options, int out,
        DeltaSummary *ret, GError **error) {
    g_auto(Tree) old_tree = {.area = NULL}, new_tree = {.area = NULL};
    g_autoptr(Maker) maker = maker_new(DELTA_VOLUME, options);

    if (!read_tree(old, &old_tree, error) || !read_tree(new, &new_tree, error))
        return FALSE;
    guint64 n_blocks = new_tree.superblock.data_blocks;
    maker->old = (DeltaSources){.old_fd = old->data, .old_size = old_tree.superblock.data_blocks * BLOCK};
    maker->target = (DeltaSources){.old_fd = new->data, .old_size = n_blocks * BLOCK};
    maker->old.old_image = erofs_image_new_fd(old->data, 0, maker->old.old_size, error);
    if (!maker->old.old_image)
        return FALSE;
    maker->target.old_image = erofs_image_new_fd(new->data, 0, maker->target.old_size, error);
    if (!maker->target.old_image)
        return FALSE;
    memcpy(maker->delta->old_id, old_tree.root_hash, DELTA_ID_SIZE);
    memcpy(maker->delta->new_id, new_tree.root_hash, DELTA_ID_SIZE);
    maker->delta->new_size = n_blocks * BLOCK;
    g_autofree guint8 *changed = find_changed(&old_tree, &new_tree, &maker->changed, error);
    return changed && plan(maker, changed, n_blocks, error) && maker_write(maker, out, ret, error);
}
