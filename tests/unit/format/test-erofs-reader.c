/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "format/erofs/erofs-reader.h"
#include "format/erofs/writer/erofs-writer.h"
#include "sample-tree.h"
#include "tree-tool.h"

#define MKFS "usr/bin/mkfs.erofs"
#define FSCK "usr/bin/fsck.erofs"

static char *scratch; /* everything is in here */
static char *sample;  /* the tree that is stored again and again; not changed */

static char *scratch_path(const char *name) {
    return g_build_filename(scratch, name, NULL);
}

/* Images. */

typedef struct {
    int fd;
    ErofsImage *image;
} Opened;

static Opened open_image(const char *path, guint64 offset) {
    g_autoptr(GError) error = NULL;
    Opened opened = {.fd = open(path, O_RDONLY | O_CLOEXEC)};
    struct stat st;
    g_assert_cmpint(fstat(opened.fd, &st), ==, 0);
    opened.image = erofs_image_new_fd(opened.fd, offset, st.st_size - offset, &error);
    if (!opened.image)
        g_error("%s: %s", path, error->message);
    return opened;
}

static void opened_clear(Opened *opened) {
    erofs_image_free(opened->image);
    close(opened->fd);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Opened, opened_clear)

static char *write_image(const char *name, ErofsCompression compression, guint32 cluster, guint64 offset) {
    g_autoptr(GError) error = NULL;
    char *path = scratch_path(name);
    AUTO_FD fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    AUTO_FD root = open(sample, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    ErofsOptions options = {
            .compression = compression,
            .level = 1,
            .cluster_size = cluster,
            .build_time = 1700000000,
            .clamp_mtime = -1,
            .threads = 2,
            .label = "sample",
            .output_offset = offset,
    };
    g_autoptr(ErofsWriter) writer = erofs_writer_new(fd, &options, &error);
    guint64 size;
    if (!writer || !erofs_writer_add_tree(writer, root, "", "", NULL, NULL, &error) ||
            !erofs_writer_finish(writer, &size, &error))
        g_error("%s", error->message);
    g_assert_cmpint(ftruncate(fd, offset + size), ==, 0);
    return path;
}

/* An image of the sample by mkfs.erofs of the test tree. OPTIONS: separated by spaces. */
static char *make_image(const char *options) {
    char *path = scratch_path("mkfs");
    g_unlink(path);
    g_autoptr(GPtrArray) argv = g_ptr_array_new_with_free_func(g_free);
    g_auto(GStrv) words = g_strsplit(options, " ", -1);
    g_ptr_array_add(argv, g_strdup("--quiet"));
    for (guint i = 0; words[i]; i++)
        if (*words[i]) {
            g_auto(GStrv) parts = g_strsplit(words[i], "SCRATCH", -1);
            g_ptr_array_add(argv, g_strjoinv(scratch, parts));
        }
    g_ptr_array_add(argv, g_strdup(path));
    g_ptr_array_add(argv, g_strdup(sample));
    g_ptr_array_add(argv, NULL);
    g_free(tree_tool_run(MKFS, (const char *const *) argv->pdata, FALSE));
    return path;
}

/* Comparison with a tree on disk. */

typedef struct {
    ErofsReader *reader;
    gboolean times;
    gboolean links;
    gboolean attributes;
} Comparison;

typedef struct {
    const char *path;
    int fd;
    guint64 at;
} ContentCheck;

static gboolean compare_piece(gpointer data, const void *bytes, guint64 size, GError **error) {
    ContentCheck *check = data;
    static guint8 expected[65536], zeros[65536];
    for (guint64 done = 0; done < size;) {
        gsize n = MIN(size - done, sizeof expected);
        g_assert_true(pread_all(check->fd, expected, n, check->at, NULL));
        if (memcmp(expected, bytes ? (const guint8 *) bytes + done : zeros, n) != 0)
            g_error("%s: content differs after byte %" G_GUINT64_FORMAT, check->path, check->at);
        done += n;
        check->at += n;
    }
    return TRUE;
}

static void compare_content(const Comparison *comparison, const char *path, const ErofsNode *node) {
    g_autoptr(GError) error = NULL;
    AUTO_FD fd = open(path, O_RDONLY | O_CLOEXEC);
    ContentCheck check = {.path = path, .fd = fd};
    if (!erofs_reader_stream(comparison->reader, node, compare_piece, &check, &error))
        g_error("%s: %s", path, error->message);
    g_assert_cmpuint(check.at, ==, node->size);
}

static void compare_attributes(const Comparison *comparison, const char *path, const ErofsNode *node) {
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) attributes = erofs_reader_attributes(comparison->reader, node, &error);
    if (!attributes)
        g_error("%s: %s", path, error->message);
    char names[16384], value[65536];
    ssize_t size = llistxattr(path, names, sizeof names);
    guint found = 0, others = 0;
    for (ssize_t at = 0; at < size; at += strlen(names + at) + 1) {
        if (strstr(names + at, ".overlay."))
            continue;
        ssize_t n = lgetxattr(path, names + at, value, sizeof value);
        for (guint i = 0; i < attributes->len; i++) {
            const ErofsAttribute *attribute = attributes->pdata[i];
            if (!g_str_equal(attribute->name, names + at))
                continue;
            g_assert_cmpmem(
                    value, n, g_bytes_get_data(attribute->value, NULL), g_bytes_get_size(attribute->value));
            found++;
        }
        others++;
    }
    g_assert_cmpuint(found, ==, others);
    for (guint i = 0; i < attributes->len; i++)
        if (strstr(((ErofsAttribute *) attributes->pdata[i])->name, ".overlay."))
            found++;
    g_assert_cmpuint(found, ==, attributes->len);
}

static void compare_node(const Comparison *comparison, const char *path, const ErofsNode *node) {
    struct stat st;
    if (lstat(path, &st) < 0)
        g_error("%s: %s", path, g_strerror(errno));
    g_assert_cmpuint(node->mode, ==, st.st_mode);
    g_assert_cmpuint(node->uid, ==, st.st_uid);
    g_assert_cmpuint(node->gid, ==, st.st_gid);
    if (comparison->links)
        g_assert_cmpuint(node->nlink, ==, st.st_nlink);
    if (comparison->times) {
        g_assert_cmpint(node->mtime, ==, st.st_mtim.tv_sec);
        g_assert_cmpint(node->mtime_nsec, ==, st.st_mtim.tv_nsec);
    }
    if (S_ISCHR(node->mode) || S_ISBLK(node->mode)) {
        g_assert_cmpuint(node->device_major, ==, major(st.st_rdev));
        g_assert_cmpuint(node->device_minor, ==, minor(st.st_rdev));
    }
    if (comparison->attributes)
        compare_attributes(comparison, path, node);
    if (S_ISREG(node->mode)) {
        g_assert_cmpuint(node->size, ==, st.st_size);
        compare_content(comparison, path, node);
    } else if (S_ISLNK(node->mode)) {
        char target[4096] = "";
        g_assert_cmpint(readlink(path, target, sizeof target - 1), ==, node->size);
        g_autofree char *read = erofs_reader_readlink(comparison->reader, node, NULL);
        g_assert_cmpstr(read, ==, target);
    }
}

/* Counts what is below PATH, itself included. */
static guint count_tree(const char *path) {
    struct stat st;
    g_assert_cmpint(lstat(path, &st), ==, 0);
    guint n = 1;
    if (!S_ISDIR(st.st_mode))
        return n;
    g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
    for (const char *name; (name = g_dir_read_name(dir));) {
        g_autofree char *below = g_build_filename(path, name, NULL);
        n += count_tree(below);
    }
    return n;
}

/* EXACT: also times and numbers of links, which fsck.erofs does not restore. */
static void compare_image(
        const char *image_path, guint64 offset, const char *tree, gboolean exact, gboolean attributes) {
    g_auto(Opened) opened = open_image(image_path, offset);
    g_autoptr(ErofsReader) reader = erofs_reader_new(opened.image);
    Comparison comparison = {.reader = reader, .times = exact, .links = exact, .attributes = attributes};
    g_autoptr(GError) error = NULL;
    ErofsNode node;
    g_assert_true(erofs_reader_lookup(reader, "/", &node, &error));
    g_autoptr(ErofsWalk) walk = erofs_walk_new(reader, &node);
    guint n = 0;
    for (const char *path; (path = erofs_walk_next(walk, &node, &error)); n++) {
        g_autofree char *full = g_build_filename(tree, path, NULL);
        compare_node(&comparison, full, &node);
    }
    if (error)
        g_error("%s: %s", image_path, error->message);
    g_assert_cmpuint(n, ==, count_tree(tree));
}

/* What our writer makes. */

static void test_writer(void) {
    static const guint32 clusters[] = {0, 8192, 65536, 1048576};
    for (gsize i = 0; i < G_N_ELEMENTS(clusters); i++) {
        guint64 offset = i == 1 ? 12345 : 0;
        g_autofree char *image = write_image("written",
                clusters[i] ? EROFS_COMPRESSION_ZSTD : EROFS_COMPRESSION_NONE, clusters[i], offset);
        compare_image(image, offset, sample, TRUE, TRUE);
    }
}

/* What mkfs.erofs makes. */

/* The first N_QUICK are tried always, the others with PARTICLEOS_TEST_LONG. */
#define N_QUICK 7
static const char *const mkfs_options[] = {
        "-x1 -b1024 --chunksize=65536 --xattr-prefix=user.num -Exattr-name-filter",
        "-zlz4 -C65536 -Efragments,dedupe --zD=1 --xattr-prefix=user.every --xattr-prefix=trusted.some",
        "-zlz4 -C65536 -Eztailpacking,dedupe",
        "-zlz4 -Elegacy-compress",
        "-zlzma,level=0,dictsize=65536 -C131072 -Eztailpacking,dedupe",
        "-zlibdeflate,1 -C65536 -Efragments,dedupe",
        "-zzstd,1 -C131072 -Eall-fragments,dedupe",
        "",
        "-Enoinline_data -b2048",
        "-b512 -Eforce-inode-extended",
        "-Eforce-chunk-indexes --chunksize=4096",
        "-Eforce-inode-blockmap --chunksize=8192",
        "-zlz4",
        "-zlz4hc -C1048576",
        "-zlz4 -Eztailpacking",
        "-zlz4 -C65536 -Efragments,ztailpacking",
        "-zlz4hc -C16384 -Eall-fragments,dedupe",
        "-zlz4 -b1024 -C16384 -Efragments",
        "-zlz4 --max-extent-bytes=65536",
        "-zlz4 -C65536 -Efragdedupe=inode,dedupe",
        "-zlzma,1 -C65536",
        "-zlzma,1 -C1048576 -Eall-fragments",
        "-zdeflate,1 -C65536 -Eztailpacking",
        "-zzstd,1 -C65536 -Eztailpacking",
        "-zzstd,level=3,dictsize=32768 -C32768 -Ededupe",
};

static void test_mkfs(gconstpointer data) {
    if (!tree_tool_need(MKFS))
        return;
    const char *options = data;
    g_autofree char *image = make_image(options);
    compare_image(image, 0, sample, TRUE, TRUE);
}

/* Other readers of the same images. */

static int run(const char *const *argv) {
    g_autoptr(GError) error = NULL;
    g_autofree char *errors = NULL;
    int status;
    g_assert_true(g_spawn_sync(
            NULL, (char **) argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL, &errors, &status, &error));
    return g_spawn_check_wait_status(status, NULL) ? 0 : 1;
}

static void check_mount(const char *image) {
    if (geteuid() != 0) {
        g_test_skip("mounting a file system takes root");
        return;
    }
    g_autofree char *path = scratch_path("mount");
    g_mkdir(path, 0700);
    const char *argv[] = {"mount", "-t", "erofs", "-o", "loop,ro", image, path, NULL};
    if (run(argv) != 0) {
        g_test_skip("this kernel has no erofs, or not with this compression, or no loop devices");
        return;
    }
    compare_image(image, 0, path, TRUE, TRUE);
    g_assert_cmpint(umount(path), ==, 0);
}

static void test_kernel_written(void) {
    g_autofree char *image = write_image("written", EROFS_COMPRESSION_ZSTD, 65536, 0);
    check_mount(image);
}

static void test_kernel_mkfs(void) {
    if (!tree_tool_need(MKFS))
        return;
    g_autofree char *image = make_image("-zlz4 -C65536 -Efragments,dedupe");
    check_mount(image);
}

static void test_fsck(void) {
    if (!tree_tool_need(MKFS) || !tree_tool_need(FSCK))
        return;
    g_autofree char *image = make_image("-zlz4 -C65536 -Efragments,dedupe");
    g_autofree char *tree = scratch_path("extracted");
    g_autofree char *extract = g_strconcat("--extract=", tree, NULL);
    const char *arguments[] = {extract, "--preserve", image, NULL};
    g_free(tree_tool_run(FSCK, arguments, FALSE));
    compare_image(image, 0, tree, FALSE, FALSE);
    remove_tree(tree);
}

/* Parts of files. */

static void check_ranges(ErofsReader *reader, const ErofsNode *node) {
    g_autofree guint8 *whole = g_malloc(node->size + 1), *part = g_malloc(node->size + 1);
    g_autoptr(GError) error = NULL;
    gsize n;
    g_assert_true(erofs_reader_read(reader, node, 0, whole, node->size, NULL, &error));
    g_assert_no_error(error);
    for (guint i = 0; i < 8; i++) {
        guint64 offset = g_test_rand_int_range(0, node->size + 1);
        gsize size = g_test_rand_int_range(0, i % 2 ? 100 : node->size + 1);
        g_assert_true(erofs_reader_read(reader, node, offset, part, size, &n, &error));
        g_assert_cmpmem(part, n, whole + offset, MIN(size, node->size - offset));
    }
    g_assert_true(erofs_reader_read(reader, node, node->size + 1, part, 1, &n, &error));
    g_assert_cmpuint(n, ==, 0);
    g_assert_false(erofs_reader_read(reader, node, node->size, part, 1, NULL, &error));
    g_assert_error(error, G_IO_ERROR, G_IO_ERROR_PARTIAL_INPUT);
    g_clear_error(&error);
    guint64 end = 0;
    while (end < node->size) {
        ErofsExtent extent;
        g_assert_true(erofs_reader_map(reader, node, end, &extent, &error));
        g_assert_cmpuint(extent.offset, ==, end);
        g_assert_cmpuint(extent.length, >, 0);
        end = extent.offset + extent.length;
    }
    g_assert_cmpuint(end, ==, node->size);
    ErofsExtent none;
    g_assert_false(erofs_reader_map(reader, node, node->size, &none, NULL));
}

static void check_all_ranges(const char *image) {
    g_auto(Opened) opened = open_image(image, 0);
    g_autoptr(ErofsReader) reader = erofs_reader_new(opened.image);
    ErofsNode node;
    g_assert_true(erofs_reader_lookup(reader, "sizes", &node, NULL));
    g_autoptr(ErofsWalk) walk = erofs_walk_new(reader, &node);
    guint n = 0;
    while (erofs_walk_next(walk, &node, NULL))
        if (S_ISREG(node.mode)) {
            check_ranges(reader, &node);
            n++;
        }
    g_assert_cmpuint(n, >, 50);
}

static void test_ranges(void) {
    g_autofree char *image = write_image("written", EROFS_COMPRESSION_ZSTD, 65536, 0);
    check_all_ranges(image);
    g_autofree char *plain = write_image("plain", EROFS_COMPRESSION_NONE, 0, 0);
    check_all_ranges(plain);
}

static void test_ranges_mkfs(void) {
    if (!tree_tool_need(MKFS))
        return;
    g_autofree char *image = make_image("-zlz4 -C65536 -Efragments,dedupe");
    check_all_ranges(image);
}

/* Several threads, one image. */

static gpointer read_all(gpointer data) {
    g_autoptr(ErofsReader) reader = erofs_reader_new(data);
    g_autoptr(GChecksum) checksum = g_checksum_new(G_CHECKSUM_SHA256);
    ErofsNode node;
    g_assert_true(erofs_reader_lookup(reader, "/sizes", &node, NULL));
    g_autoptr(ErofsWalk) walk = erofs_walk_new(reader, &node);
    while (erofs_walk_next(walk, &node, NULL)) {
        g_autofree guint8 *bytes = g_malloc(node.size);
        g_assert_true(erofs_reader_read(reader, &node, 0, bytes, node.size, NULL, NULL));
        g_checksum_update(checksum, bytes, node.size);
    }
    return g_strdup(g_checksum_get_string(checksum));
}

static void test_threads(void) {
    g_autofree char *image = write_image("written", EROFS_COMPRESSION_ZSTD, 65536, 0);
    g_auto(Opened) opened = open_image(image, 0);
    g_autofree char *expected = read_all(opened.image);
    GThread *threads[4];
    for (guint i = 0; i < G_N_ELEMENTS(threads); i++)
        threads[i] = g_thread_new("reader", read_all, opened.image);
    for (guint i = 0; i < G_N_ELEMENTS(threads); i++) {
        g_autofree char *checksum = g_thread_join(threads[i]);
        g_assert_cmpstr(checksum, ==, expected);
    }
}

/* Paths. */

static void test_paths(void) {
    g_autofree char *image = write_image("written", EROFS_COMPRESSION_ZSTD, 65536, 0);
    g_auto(Opened) opened = open_image(image, 0);
    const ErofsImageInfo *info = erofs_image_get_info(opened.image);
    g_assert_cmpstr(info->label, ==, "sample");
    g_assert_cmpint(info->epoch, ==, 1700000000);
    g_assert_cmpuint(info->algorithms, ==, 1u << EROFS_ALGORITHM_ZSTD);
    g_autoptr(ErofsReader) reader = erofs_reader_new(opened.image);
    g_autoptr(GError) error = NULL;
    ErofsNode node, other;
    g_autoptr(GDir) dir = NULL;
    g_autofree char *many = g_build_filename(sample, "many", NULL);
    dir = g_dir_open(many, 0, NULL);
    for (const char *name; (name = g_dir_read_name(dir));) {
        g_autofree char *path = g_build_filename("/many/", name, NULL);
        g_assert_true(erofs_reader_lookup(reader, path, &node, &error));
    }
    g_assert_true(erofs_reader_lookup(reader, "//sizes//long", &node, &error));
    g_assert_true(erofs_reader_lookup(reader, "link-to-long", &other, &error));
    g_assert_cmpuint(node.nid, ==, other.nid);
    static const struct {
        const char *path;
        int code;
    } bad[] = {
            {"/sizes/none", G_IO_ERROR_NOT_FOUND},
            {"/empty/x", G_IO_ERROR_NOT_FOUND},
            {"/sizes/..", G_IO_ERROR_NOT_FOUND},
            {"/./sizes", G_IO_ERROR_NOT_FOUND},
            {"/symlink/x", G_IO_ERROR_NOT_DIRECTORY},
            {"/sizes/long/x", G_IO_ERROR_NOT_DIRECTORY},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_assert_false(erofs_reader_lookup(reader, bad[i].path, &node, &error));
        g_assert_error(error, G_IO_ERROR, bad[i].code);
        g_assert_nonnull(strstr(error->message, bad[i].path));
        g_clear_error(&error);
    }
    g_assert_true(erofs_reader_lookup(reader, "/sizes", &node, &error));
    g_assert_null(erofs_reader_readlink(reader, &node, &error));
    g_assert_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT);
}

/* What is refused. */

/* The error of opening and reading the image PATH as a whole; NULL if there is none. */
static char *read_error(const char *path, int *ret_code) {
    g_autoptr(GError) error = NULL;
    AUTO_FD fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat st;
    g_assert_cmpint(fstat(fd, &st), ==, 0);
    g_autoptr(ErofsImage) image = erofs_image_new_fd(fd, 0, st.st_size, &error);
    g_autoptr(ErofsReader) reader = image ? erofs_reader_new(image) : NULL;
    ErofsNode node;
    if (reader && erofs_reader_lookup(reader, "", &node, &error)) {
        g_autoptr(ErofsWalk) walk = erofs_walk_new(reader, &node);
        while (!error && erofs_walk_next(walk, &node, &error)) {
            g_autofree guint8 *bytes = g_malloc(node.size + 1);
            g_autoptr(GPtrArray) attributes =
                    erofs_reader_read(reader, &node, 0, bytes, node.size, NULL, &error)
                            ? erofs_reader_attributes(reader, &node, &error)
                            : NULL;
        }
    }
    *ret_code = error ? error->code : -1;
    return error ? g_strdup(error->message) : NULL;
}

static void expect_refusal(const char *path, int code, const char *words) {
    int actual;
    g_autofree char *message = read_error(path, &actual);
    if (!message || !strstr(message, words))
        g_error("\"%s\" instead of \"%s\"", message ? message : "no error", words);
    g_assert_cmpint(actual, ==, code);
}

static void test_unknown_features(void) {
    if (!tree_tool_need(MKFS))
        return;
    g_autofree char *wide = make_image("-E48bit");
    expect_refusal(wide, G_IO_ERROR_NOT_SUPPORTED, "48bit");
    g_autofree char *boxed = make_image("-zlz4 -m4096 --MZ");
    expect_refusal(boxed, G_IO_ERROR_NOT_SUPPORTED, "metabox");
    g_autofree char *apart = make_image("--chunksize=4096 --blobdev=SCRATCH/blob");
    expect_refusal(apart, G_IO_ERROR_NOT_SUPPORTED, "further devices");
}

typedef struct {
    gsize offset; /* in the superblock */
    guint size;
    guint64 value;
    int code;
    const char *words;
} Damage;

#define FIELD(name) G_STRUCT_OFFSET(ErofsSuperblock, name), sizeof((ErofsSuperblock){0}).name

static const Damage damages[] = {
        {FIELD(magic), 1, G_IO_ERROR_INVALID_DATA, "no EROFS superblock"},
        {FIELD(block_bits), 40, G_IO_ERROR_NOT_SUPPORTED, "blocks of 1 << 40 bytes"},
        {FIELD(feature_incompat), 0x400, G_IO_ERROR_NOT_SUPPORTED, "unknown bits 0x400"},
        {FIELD(feature_incompat), 0x180, G_IO_ERROR_NOT_SUPPORTED, "metabox"},
        {FIELD(directory_block_bits), 1, G_IO_ERROR_NOT_SUPPORTED, "directory blocks"},
        {FIELD(extra_devices), 1, G_IO_ERROR_NOT_SUPPORTED, "further devices"},
        {FIELD(blocks), 0xffffffff, G_IO_ERROR_INVALID_DATA, "are there"},
        {FIELD(blocks), 1, G_IO_ERROR_INVALID_DATA, "not in the file system"},
        {FIELD(root_nid), 0xffff, G_IO_ERROR_INVALID_DATA, "inode"},
        {FIELD(meta_block), 0xffffffff, G_IO_ERROR_INVALID_DATA, "not in the file system"},
        {FIELD(algorithms), 0xff, G_IO_ERROR_NOT_SUPPORTED, "algorithms 0xff"},
        {FIELD(algorithms), 1, G_IO_ERROR_INVALID_DATA, "does not announce"},
        {FIELD(packed_nid), 0, G_IO_ERROR_INVALID_DATA, "there is none"},
        {FIELD(packed_nid), 1ull << 60, G_IO_ERROR_INVALID_DATA, "no such inode"},
        {FIELD(xattr_block), 0xffffffff, G_IO_ERROR_INVALID_DATA, "not in the file system"},
};

static void test_superblock(void) {
    g_autofree char *image = write_image("written", EROFS_COMPRESSION_ZSTD, 65536, 0);
    AUTO_FD fd = open(image, O_RDWR | O_CLOEXEC);
    ErofsSuperblock super;
    g_assert_true(pread_all(fd, &super, sizeof super, EROFS_SUPER_OFFSET, NULL));
    ErofsSuperblock changed = super;
    changed.uuid[0] ^= 1;
    g_assert_true(pwrite_all(fd, &changed, sizeof changed, EROFS_SUPER_OFFSET, NULL));
    expect_refusal(image, G_IO_ERROR_INVALID_DATA, "checksum");
    for (gsize i = 0; i < G_N_ELEMENTS(damages); i++) {
        changed = super;
        changed.feature_compat &= ~GUINT32_TO_LE(EROFS_COMPAT_SB_CHECKSUM);
        guint64 value = GUINT64_TO_LE(damages[i].value);
        memcpy((guint8 *) &changed + damages[i].offset, &value, damages[i].size);
        g_assert_true(pwrite_all(fd, &changed, sizeof changed, EROFS_SUPER_OFFSET, NULL));
        expect_refusal(image, damages[i].code, damages[i].words);
    }
    g_assert_cmpint(ftruncate(fd, 1000), ==, 0);
    expect_refusal(image, G_IO_ERROR_INVALID_DATA, "not all in the file system");
}

/* Where the entry NAME of the directory PATH is in the image. */
static guint64 find_entry(const char *image, const char *path, const char *name) {
    g_auto(Opened) opened = open_image(image, 0);
    g_autoptr(ErofsReader) reader = erofs_reader_new(opened.image);
    ErofsNode node;
    ErofsExtent extent;
    g_assert_true(erofs_reader_lookup(reader, path, &node, NULL));
    for (guint64 at = 0; at < node.size; at = extent.offset + extent.length) {
        g_assert_true(erofs_reader_map(reader, &node, at, &extent, NULL));
        g_autofree guint8 *block = g_malloc(extent.length);
        g_assert_true(erofs_reader_read(reader, &node, at, block, extent.length, NULL, NULL));
        ErofsDirent first, dirent;
        memcpy(&first, block, sizeof first);
        for (gsize i = 0; i < GUINT16_FROM_LE(first.name_offset); i += sizeof dirent) {
            gboolean last = i + sizeof dirent >= GUINT16_FROM_LE(first.name_offset);
            memcpy(&dirent, block + i, sizeof dirent);
            gsize start = GUINT16_FROM_LE(dirent.name_offset);
            if (!last)
                memcpy(&dirent, block + i + sizeof dirent, sizeof dirent);
            /* Zero bytes, if any, end the last name. */
            gsize end = last ? start + strnlen((char *) block + start, extent.length - start)
                             : GUINT16_FROM_LE(dirent.name_offset);
            if (end - start == strlen(name) && memcmp(block + start, name, end - start) == 0)
                return extent.where + i;
        }
    }
    g_error("no %s", name);
}

/* Changes the inode that an entry names; the error has WORDS. */
static void check_entry(const char *path, const char *name, const char *target, const char *words) {
    g_autofree char *image = write_image("written", EROFS_COMPRESSION_NONE, 0, 0);
    guint64 at = find_entry(image, path, name), nid;
    {
        g_auto(Opened) opened = open_image(image, 0);
        g_autoptr(ErofsReader) reader = erofs_reader_new(opened.image);
        ErofsNode node;
        g_assert_true(erofs_reader_lookup(reader, target, &node, NULL));
        nid = GUINT64_TO_LE(node.nid);
    }
    AUTO_FD fd = open(image, O_RDWR | O_CLOEXEC);
    g_assert_true(pwrite_all(fd, &nid, sizeof nid, at, NULL));
    expect_refusal(image, G_IO_ERROR_INVALID_DATA, words);
}

static void test_loops(void) {
    check_entry("/deep", "deep", "/", "twice");
    check_entry("/deep", "deep", "/deep", "twice");
    check_entry("/deep/deep", "deep", "/odd", "\"..\" is not the directory above");
    check_entry("/deep", "..", "/odd", "\"..\" is not the directory above");
    check_entry("/", "deep", "/fifo", "another type");
}

static void test_wrong_order(void) {
    g_autofree char *image = write_image("written", EROFS_COMPRESSION_NONE, 0, 0);
    guint64 at = find_entry(image, "/times", "1");
    AUTO_FD fd = open(image, O_RDWR | O_CLOEXEC);
    ErofsDirent dirent;
    g_assert_true(pread_all(fd, &dirent, sizeof dirent, at, NULL));
    g_assert_true(pwrite_all(fd, &dirent, sizeof dirent, at + sizeof dirent, NULL));
    int code;
    g_autofree char *message = read_error(image, &code);
    g_assert_nonnull(strstr(message, "/times"));
    g_assert_cmpint(code, ==, G_IO_ERROR_INVALID_DATA);
}

/* A changed cluster is noticed or gives other bytes, and never anything worse. */
static void test_damaged_clusters(void) {
    g_autofree char *image = write_image("written", EROFS_COMPRESSION_ZSTD, 65536, 0);
    g_auto(Opened) opened = open_image(image, 0);
    g_autoptr(ErofsReader) reader = erofs_reader_new(opened.image);
    ErofsNode node;
    ErofsExtent extent;
    g_assert_true(erofs_reader_lookup(reader, "/sizes/long", &node, NULL));
    g_assert_true(erofs_reader_map(reader, &node, 0, &extent, NULL));
    g_assert_cmpint(extent.storage, ==, EROFS_STORED_COMPRESSED);
    AUTO_FD fd = open(image, O_RDWR | O_CLOEXEC);
    static const guint8 zeros[EROFS_BLOCK_SIZE];
    g_assert_cmpuint(extent.stored % sizeof zeros, ==, 0);
    for (guint64 done = 0; done < extent.stored; done += sizeof zeros)
        g_assert_true(pwrite_all(fd, zeros, sizeof zeros, extent.where + done, NULL));
    g_autoptr(GError) error = NULL;
    guint8 byte;
    g_assert_false(erofs_reader_read(reader, &node, 5, &byte, 1, NULL, &error));
    g_assert_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA);
    g_autofree char *inode = g_strdup_printf("inode %" G_GUINT64_FORMAT, node.nid);
    g_assert_nonnull(strstr(error->message, inode));
}

static int set_time(const char *path, const struct stat *status, int type, struct FTW *where) {
    /* mkfs.erofs 1.9.4 drops the nanoseconds of files as old as the image. */
    static const struct timespec times[2] = {{1600000000, 123456789}, {1600000000, 123456789}};
    return utimensat(AT_FDCWD, path, times, AT_SYMLINK_NOFOLLOW);
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    g_autoptr(GError) error = NULL;
    scratch = g_dir_make_tmp("erofs-reader-XXXXXX", &error);
    g_assert_no_error(error);
    sample = scratch_path("sample");
    g_mkdir(sample, 0755);
    sample_tree_make_small(sample);
    g_assert_cmpint(nftw(sample, set_time, 16, FTW_PHYS | FTW_DEPTH), ==, 0);

    g_test_add_func("/erofs-reader/writer", test_writer);
    gsize n_options = g_getenv("PARTICLEOS_TEST_LONG") ? G_N_ELEMENTS(mkfs_options) : N_QUICK;
    for (gsize i = 0; i < n_options; i++) {
        g_autofree char *options = g_strdelimit(g_strdup(mkfs_options[i]), " /", '_');
        g_autofree char *name = g_strconcat("/erofs-reader/mkfs/", *options ? options : "plain", NULL);
        g_test_add_data_func(name, mkfs_options[i], test_mkfs);
    }
    g_test_add_func("/erofs-reader/kernel/written", test_kernel_written);
    g_test_add_func("/erofs-reader/kernel/mkfs", test_kernel_mkfs);
    g_test_add_func("/erofs-reader/fsck", test_fsck);
    g_test_add_func("/erofs-reader/ranges/written", test_ranges);
    g_test_add_func("/erofs-reader/ranges/mkfs", test_ranges_mkfs);
    g_test_add_func("/erofs-reader/threads", test_threads);
    g_test_add_func("/erofs-reader/paths", test_paths);
    g_test_add_func("/erofs-reader/unknown-features", test_unknown_features);
    g_test_add_func("/erofs-reader/superblock", test_superblock);
    g_test_add_func("/erofs-reader/loops", test_loops);
    g_test_add_func("/erofs-reader/wrong-order", test_wrong_order);
    g_test_add_func("/erofs-reader/damaged-clusters", test_damaged_clusters);
    int result = g_test_run();

    remove_tree(scratch);
    g_free(sample);
    g_free(scratch);
    return result;
}
