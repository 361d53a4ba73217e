/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Writes EROFS file systems (Linux 6.10 and later with zstd, 5.4 and later without compression).
 *
 * Block size is 4096. File data comes first, in the order of paths, then directories and inodes, so that the
 * data of a file is read, compressed, hashed for verity and written once. The same input gives the same
 * bytes, whatever the number of threads.
 *
 * With compression, files are cut into clusters of a fixed input size, each of which is compressed on its
 * own and starts at a block: an unchanged file gives unchanged blocks, wherever they end up. Small files and
 * tails of files are collected in clusters of the file system's packed inode ("fragments"); where such a
 * cluster ends depends on the paths of the files in it, so that a change only affects the clusters near it.
 * Files with the same content share it.
 */

#include <gio/gio.h>
#include <sys/stat.h>

#include "format/verity/verity.h"
#include "packs/pack-store.h"

typedef enum ErofsCompression {
    EROFS_COMPRESSION_NONE,
    EROFS_COMPRESSION_ZSTD,
} ErofsCompression;

#define EROFS_BLOCK_SIZE 4096
#define EROFS_CLUSTER_SIZE_DEFAULT (64 * 1024)
#define EROFS_CLUSTER_SIZE_MAX (1024 * 1024)

typedef struct ErofsOptions {
    ErofsCompression compression;
    int level;             /* of zstd, 1 to 22; 0 means the default */
    guint32 cluster_size;  /* bytes of input, a power of two from 8 KiB to 1 MiB; 0 means the default */
    guint8 uuid[16];       /* in textual byte order */
    const char *label;     /* at most 15 bytes; may be NULL */
    gint64 build_time;     /* seconds since the epoch, in the superblock and of directories made up */
    gint64 clamp_mtime;    /* later times of modification become this one; negative: none do */
    guint threads;         /* 0: one for each processor */
    guint64 output_offset; /* where in the output the file system starts */
    guint64 max_size;      /* of the file system; 0: no limit. More is G_IO_ERROR_NO_SPACE */
    /* Asked now and then, in one thread; TRUE: stop, G_IO_ERROR_CANCELLED. May be NULL. */
    gboolean (*cancelled)(gconstpointer data);
    gconstpointer cancelled_data;
    /* Clusters that an earlier file system had are taken from there, new ones are left there: with zstd and verity. MAKER
     * names the program that compresses, because another one may do it otherwise. May be NULL; borrowed. */
    PackStore *store;
    const char *maker;
    VerityTree *verity;          /* gets the digest of every block; may be NULL; must outlive the writer */
} ErofsOptions;

typedef struct ErofsWriter ErofsWriter;

/*
 * Whether to copy what is at PATH (from the root of the tree, no leading slash). What a directory that is
 * not copied contains is not copied either, and its filter is not asked.
 */
typedef gboolean (*ErofsFilter)(const char *path, const struct stat *st, gpointer data);

/*
 * A writer to OUTPUT_FD (borrowed, a regular file or block device; written with pwrite). Everything in
 * OPTIONS is copied except the verity tree, the store and the name of the maker. NULL and an error if an option makes no sense.
 */
ErofsWriter *erofs_writer_new(int output_fd, const ErofsOptions *options, GError **error);
void erofs_writer_free(ErofsWriter *writer);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ErofsWriter, erofs_writer_free)

/*
 * Adds SOURCE_PATH of the tree ROOT_FD (a directory; duplicated) as TARGET_PATH ("" or "/" is the root).
 * A directory's contents are merged with what was added there before: directories take the attributes of the
 * latest, anything else is replaced. Missing parents of TARGET_PATH are made (0755, root). Symlinks are
 * never followed, neither in SOURCE_PATH nor below it. FILTER may be NULL. Only metadata is read now; file
 * contents are read by erofs_writer_finish() and must not change until then.
 */
gboolean erofs_writer_add_tree(ErofsWriter *writer, int root_fd, const char *source_path,
        const char *target_path, ErofsFilter filter, gpointer data, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/*
 * Makes a directory, or changes one that is there. MTIME in seconds, negative: the build time.
 * Missing parents are made.
 */
gboolean erofs_writer_add_directory(ErofsWriter *writer, const char *path, mode_t mode, uid_t uid, gid_t gid,
        gint64 mtime, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Makes a symlink, replacing what is there unless that is a directory. */
gboolean erofs_writer_add_symlink(ErofsWriter *writer, const char *path, const char *target, uid_t uid,
        gid_t gid, gint64 mtime, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/*
 * Sets an extended attribute of the root directory. Call it after what is added to the root, whose
 * attributes replace all earlier ones.
 */
gboolean erofs_writer_set_root_xattr(ErofsWriter *writer, const char *name, GBytes *value, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/*
 * The value of the extended attribute security.selinux of what is at PATH (absolute, in the file system that is written)
 * with MODE; NULL: it stays as it is. Owned by the caller.
 */
typedef gboolean (*ErofsLabel)(const char *path, mode_t mode, GBytes **ret, gpointer data, GError **error);

/*
 * Labels all that was added so far. A file with several names gets the label of the first, by the order of bytes.
 */
gboolean erofs_writer_label(ErofsWriter *writer, ErofsLabel label, gpointer data, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/*
 * Reads the contents of all files and writes the file system. Call once. RET_SIZE: its size in bytes, a
 * multiple of 4096; behind it, the output may have got some zeros within MAX_SIZE. If it fails, what was
 * written to the output so far is useless.
 */
gboolean erofs_writer_finish(ErofsWriter *writer, guint64 *ret_size, GError **error) G_GNUC_WARN_UNUSED_RESULT;
