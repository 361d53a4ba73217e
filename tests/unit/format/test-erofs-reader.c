/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "erofs-fixture.h"
#include "sample-tree.h"
#include "tree-tool.h"

#define FSCK "usr/bin/fsck.erofs"

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
            g_assert_cmpmem(value, n, g_bytes_get_data(attribute->value, NULL), g_bytes_get_size(attribute->value));
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
        g_autofree char *image = write_image(
                "written", clusters[i] ? EROFS_COMPRESSION_ZSTD : EROFS_COMPRESSION_NONE, clusters[i], offset);
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
    g_assert_true(
            g_spawn_sync(NULL, (char **) argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL, &errors, &status, &error));
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

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    erofs_fixture_make();

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
    int result = g_test_run();

    erofs_fixture_remove();
    return result;
}
