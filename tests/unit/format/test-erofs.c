/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "format/erofs/erofs-format.h"
#include "format/erofs/writer/erofs-writer.h"
#include "sample-tree.h"

#define BUILD_TIME 1700000000

static char *scratch; /* everything is in here */
static char *sample;  /* the tree that is stored again and again; not changed */

/* Writing. */

typedef struct {
    char *path;
    guint64 size;
} Image;

static char *scratch_path(const char *name) {
    return g_build_filename(scratch, name, NULL);
}

static ErofsOptions zstd_options(guint32 cluster_size) {
    return (ErofsOptions){
            .compression = EROFS_COMPRESSION_ZSTD,
            .level = 1,
            .cluster_size = cluster_size,
            .build_time = BUILD_TIME,
            .clamp_mtime = -1,
            .threads = 2,
            .label = "sample",
    };
}

static ErofsOptions plain_options(void) {
    ErofsOptions options = zstd_options(0);
    options.compression = EROFS_COMPRESSION_NONE;
    return options;
}

static char *write_tree(const char *name, const char *tree, const ErofsOptions *options, guint64 *ret_size) {
    g_autoptr(GError) error = NULL;
    char *path = scratch_path(name);
    /* Not the file of the image before: mount takes a loop device that still has it, with what is cached of it. */
    (void) g_unlink(path);
    AUTO_FD fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    AUTO_FD root = open(tree, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    g_autoptr(ErofsWriter) writer = erofs_writer_new(fd, options, &error);
    g_assert_no_error(error);
    guint64 size;
    if (!erofs_writer_add_tree(writer, root, "", "", NULL, NULL, &error) ||
            !erofs_writer_finish(writer, &size, &error))
        g_error("%s", error->message);
    /* Sharing may have left bytes behind the end. */
    g_assert_cmpint(ftruncate(fd, options->output_offset + size), ==, 0);
    if (ret_size)
        *ret_size = size;
    return path;
}

static GBytes *read_bytes(const char *path) {
    char *data;
    gsize size;
    g_autoptr(GError) error = NULL;
    g_file_get_contents(path, &data, &size, &error);
    g_assert_no_error(error);
    return g_bytes_new_take(data, size);
}

/* Runs a program; returns its exit status, its output goes to the log. */
static int run(const char *const *argv) {
    g_autoptr(GError) error = NULL;
    g_autofree char *out = NULL, *errors = NULL;
    int status;
    g_assert_true(g_spawn_sync(
            NULL, (char **) argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, &out, &errors, &status, &error));
    if (!g_spawn_check_wait_status(status, NULL)) {
        g_test_message("%s: %s%s", argv[0], out, errors);
        return 1;
    }
    return 0;
}

/* Judges. */

/* Mounts the image and hands the directory to CHECK, or skips the test. */
static void with_mount(const char *image, void (*check)(const char *path, gpointer data), gpointer data) {
    if (geteuid() != 0) {
        g_test_skip("mounting a file system takes root");
        return;
    }
    g_autofree char *path = scratch_path("mount");
    g_mkdir(path, 0700);
    const char *argv[] = {"mount", "-t", "erofs", "-o", "loop,ro", image, path, NULL};
    if (run(argv) != 0) {
        const char *probe[] = {"sh", "-c", "grep -qw erofs /proc/filesystems && test -b /dev/loop0", NULL};
        if (run(probe) == 0)
            g_error("the kernel does not mount %s", image);
        g_test_skip("this kernel has no erofs or no loop devices");
        return;
    }
    check(path, data);
    g_assert_cmpint(umount(path), ==, 0);
}

static void compare_mounted(const char *path, gpointer data) {
    compare_trees(data, path, COMPARE_ALL);
}

/* A file in the tools tree, which PARTICLEOS_TEST_TREE names, or NULL. */
static char *tools_scratch(void) {
    const char *tree = g_getenv("PARTICLEOS_TEST_TREE");
    g_autofree char *fsck = tree ? g_build_filename(tree, "usr/bin/fsck.erofs", NULL) : NULL;
    if (!fsck || geteuid() != 0 || !g_file_test(fsck, G_FILE_TEST_IS_EXECUTABLE))
        return NULL;
    char *path = g_build_filename(tree, "tmp", "erofs-test-XXXXXX", NULL);
    g_assert_nonnull(g_mkdtemp(path));
    return path;
}

static void check_fsck(const char *image, const char *tree) {
    g_autofree char *outside = tools_scratch();
    if (!outside) {
        g_test_skip("fsck.erofs 1.9 judges only as root and with PARTICLEOS_TEST_TREE");
        return;
    }
    const char *root = g_getenv("PARTICLEOS_TEST_TREE");
    g_autofree char *inside = g_build_filename("/tmp", strrchr(outside, '/') + 1, NULL);
    g_autofree char *copy = g_build_filename(outside, "image", NULL);
    g_autofree char *copy_inside = g_build_filename(inside, "image", NULL);
    g_autofree char *extract = g_strconcat("--extract=", inside, "/tree", NULL);
    g_autofree char *extracted = g_build_filename(outside, "tree", NULL);
    const char *cp[] = {"cp", image, copy, NULL};
    g_assert_cmpint(run(cp), ==, 0);
    const char *fsck[] = {"chroot", root, "fsck.erofs", extract, "--preserve", copy_inside, NULL};
    if (run(fsck) != 0)
        g_error("fsck.erofs refuses %s", image);
    compare_trees(tree, extracted, 0);
    remove_tree(outside);
}

/* Tests. */

static void test_plain_mount(void) {
    ErofsOptions options = plain_options();
    g_autofree char *image = write_tree("plain", sample, &options, NULL);
    with_mount(image, compare_mounted, sample);
}

static void test_plain_fsck(void) {
    ErofsOptions options = plain_options();
    g_autofree char *image = write_tree("plain", sample, &options, NULL);
    check_fsck(image, sample);
}

static const guint32 cluster_sizes[] = {8192, 65536, 1048576};

static void test_zstd_mount(void) {
    for (gsize i = 0; i < G_N_ELEMENTS(cluster_sizes); i++) {
        ErofsOptions options = zstd_options(cluster_sizes[i]);
        g_autofree char *image = write_tree("zstd", sample, &options, NULL);
        with_mount(image, compare_mounted, sample);
    }
}

static void test_zstd_fsck(void) {
    for (gsize i = 0; i < G_N_ELEMENTS(cluster_sizes); i++) {
        ErofsOptions options = zstd_options(cluster_sizes[i]);
        g_autofree char *image = write_tree("zstd", sample, &options, NULL);
        check_fsck(image, sample);
    }
}

static void test_deterministic(void) {
    for (ErofsCompression compression = EROFS_COMPRESSION_NONE; compression <= EROFS_COMPRESSION_ZSTD;
            compression++) {
        ErofsOptions options = zstd_options(0);
        options.compression = compression;
        options.threads = 1;
        g_autofree char *path = write_tree("one", sample, &options, NULL);
        g_autoptr(GBytes) first = read_bytes(path);
        for (guint threads = 2; threads <= 7; threads += 5) {
            options.threads = threads;
            g_autofree char *other = write_tree("more", sample, &options, NULL);
            g_autoptr(GBytes) bytes = read_bytes(other);
            g_assert_true(g_bytes_equal(first, bytes));
        }
    }
}

/* Another order of directory entries and other inode numbers must not matter, so a copy gives the same
 * image. */
static void test_copy(void) {
    g_autofree char *copy = scratch_path("copy");
    const char *cp[] = {"cp", "-a", sample, copy, NULL};
    g_assert_cmpint(run(cp), ==, 0);
    ErofsOptions options = zstd_options(0);
    g_autofree char *a = write_tree("a", sample, &options, NULL);
    g_autofree char *b = write_tree("b", copy, &options, NULL);
    g_autoptr(GBytes) first = read_bytes(a);
    g_autoptr(GBytes) second = read_bytes(b);
    g_assert_true(g_bytes_equal(first, second));
    remove_tree(copy);
}

/* Verity digests that were computed along the way are those of what is on disk, behind an offset. */
static void test_verity(void) {
    static const guint8 salt[32] = {1, 2, 3};
    static const guint8 uuid[16] = {9};
    ErofsOptions options = zstd_options(0);
    g_autoptr(VerityTree) tree = verity_tree_new(salt, sizeof salt);
    options.verity = tree;
    options.output_offset = 1048576;
    guint64 size;
    g_autofree char *image = write_tree("verity", sample, &options, &size);
    AUTO_FD fd = open(image, O_RDWR | O_CLOEXEC);
    g_autoptr(GError) error = NULL;
    guint8 root_hash[VERITY_DIGEST_SIZE];
    guint64 hash_size;
    g_assert_true(verity_tree_write(tree, size / EROFS_BLOCK_SIZE, fd, options.output_offset + size, uuid,
            root_hash, &hash_size, &error));
    VerityReport report;
    g_assert_true(verity_verify(fd, options.output_offset, size, fd, options.output_offset + size, hash_size,
            2, &report, &error));
    g_assert_cmpuint(report.bad_data_block, ==, VERITY_NO_BLOCK);
    g_assert_cmpuint(report.bad_hash_block, ==, VERITY_NO_BLOCK);
    g_assert_cmpmem(report.root_hash, sizeof root_hash, root_hash, sizeof root_hash);
}

/* The image of TREE with its hash tree behind it, made with the store at DIRECTORY (NULL: none). */
static GBytes *write_with_store(const char *tree, const char *directory, const guint8 *salt, gsize salt_size,
        const char *maker, PackStoreReport *ret) {
    static const guint8 uuid[16] = {9};
    g_autoptr(GError) error = NULL;
    g_autoptr(VerityTree) verity = verity_tree_new(salt, salt_size);
    ErofsOptions options = zstd_options(0);
    options.verity = verity;
    options.maker = maker;
    options.store = directory ? pack_store_open(directory, 1 << 30, 0, &error) : NULL;
    g_assert_no_error(error);
    guint64 size;
    g_autofree char *image = write_tree("stored", tree, &options, &size);
    pack_store_close(options.store, ret);
    AUTO_FD fd = open(image, O_RDWR | O_CLOEXEC);
    guint8 root_hash[VERITY_DIGEST_SIZE];
    g_assert_true(verity_tree_write(verity, size / EROFS_BLOCK_SIZE, fd, size, uuid, root_hash, NULL, &error));
    return read_bytes(image);
}

/* With a store of what was compressed before, the bytes are the same, whoever filled it with what. */
static void test_store(void) {
    static const guint8 salt[32] = {1, 2, 3}, other_salt[32] = {4};
    g_autofree char *store = scratch_path("store"), *added = scratch_path("sample/added");
    PackStoreReport first, again, salted, more, other;
    g_autoptr(GBytes) without = write_with_store(sample, NULL, salt, sizeof salt, "a", NULL);
    g_autoptr(GBytes) one = write_with_store(sample, store, salt, sizeof salt, "a", &first);
    g_autoptr(GBytes) two = write_with_store(sample, store, salt, sizeof salt, "a", &again);
    g_assert_true(g_bytes_equal(one, without) && g_bytes_equal(two, without));
    g_assert_cmpuint(first.added, >, 5);
    g_assert_cmpuint(again.added, ==, 0);
    g_assert_cmpuint(again.found, >=, first.added);

    /* Other digests of the same blocks. */
    g_autoptr(GBytes) salted_without = write_with_store(sample, NULL, other_salt, sizeof other_salt, "a", NULL);
    g_autoptr(GBytes) salted_with = write_with_store(sample, store, other_salt, sizeof other_salt, "a", &salted);
    g_assert_true(g_bytes_equal(salted_with, salted_without) && !g_bytes_equal(salted_with, without));
    g_assert_cmpuint(salted.added, ==, 0);

    /* A file of 300,000 bytes that cannot be predicted: it is compressed, and what it moves. */
    sample_write(sample, "added", SAMPLE_MIXED, 77, 300000);
    g_autoptr(GBytes) more_without = write_with_store(sample, NULL, salt, sizeof salt, "a", NULL);
    g_autoptr(GBytes) more_with = write_with_store(sample, store, salt, sizeof salt, "a", &more);
    g_assert_cmpint(g_unlink(added), ==, 0);
    g_assert_true(g_bytes_equal(more_with, more_without));
    g_assert_cmpuint(more.added, >=, 4);
    g_assert_cmpuint(more.added, <=, 4 + 4);

    /* Another program has clusters of its own. */
    g_autoptr(GBytes) theirs = write_with_store(sample, store, salt, sizeof salt, "b", &other);
    g_assert_cmpuint(other.found, ==, 0);
}

/* The digests of all blocks of an image. */
static GHashTable *block_set(const char *path) {
    GHashTable *set = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    g_autoptr(GBytes) bytes = read_bytes(path);
    gsize size;
    const guint8 *data = g_bytes_get_data(bytes, &size);
    for (gsize at = 0; at < size; at += EROFS_BLOCK_SIZE)
        g_hash_table_add(set, g_compute_checksum_for_data(G_CHECKSUM_SHA1, data + at, EROFS_BLOCK_SIZE));
    return set;
}

/* An update fetches the blocks that it does not have: there must be few of them after a small change. */
static void test_block_stability(void) {
    g_autofree char *tree = scratch_path("stability");
    g_mkdir(tree, 0755);
    for (guint i = 0; i < 600; i++) {
        g_autofree char *name = g_strdup_printf("%03u", i);
        sample_write(tree, name, i % 3 ? SAMPLE_TEXT : SAMPLE_MIXED, i, i % 50 ? i * 37 % 30000 : 700000);
    }
    ErofsOptions options = zstd_options(0);
    g_autofree char *before = write_tree("before", tree, &options, NULL);
    sample_write(tree, "000", SAMPLE_RANDOM, 9999, 750000); /* moves all data behind it */
    sample_write(tree, "0001", SAMPLE_RANDOM, 9998, 12345); /* and all small files */
    g_autofree char *after = write_tree("after", tree, &options, NULL);

    g_autoptr(GHashTable) old = block_set(before);
    g_autoptr(GHashTable) new = block_set(after);
    guint fetched = 0;
    GHashTableIter iter;
    gpointer digest;
    g_hash_table_iter_init(&iter, new);
    while (g_hash_table_iter_next(&iter, &digest, NULL))
        fetched += !g_hash_table_contains(old, digest);
    g_test_message("%u of %u blocks are new", fetched, g_hash_table_size(new));
    /* 183 blocks of the first file, 4 of the second, up to 20 of metadata, some clusters of small files. */
    g_assert_cmpuint(fetched, >=, 183);
    g_assert_cmpuint(fetched, <, 183 + 4 + 20 + 100);
    remove_tree(tree);
}

/* Sharing the last file must not leave its blocks behind the end of the file system. */
static void test_nothing_behind(void) {
    g_autofree char *tree = scratch_path("behind");
    g_mkdir(tree, 0755);
    sample_write(tree, "a", SAMPLE_RANDOM, 1, 3000000);
    sample_write(tree, "b", SAMPLE_RANDOM, 1, 3000000);
    g_autofree char *path = scratch_path("behind-image");
    g_autoptr(GError) error = NULL;
    AUTO_FD fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    AUTO_FD root = open(tree, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    ErofsOptions options = zstd_options(0);
    g_autoptr(ErofsWriter) writer = erofs_writer_new(fd, &options, &error);
    guint64 size;
    g_assert_true(erofs_writer_add_tree(writer, root, "", "", NULL, NULL, &error));
    g_assert_true(erofs_writer_finish(writer, &size, &error));
    g_autoptr(GBytes) bytes = read_bytes(path);
    gsize written;
    const guint8 *data = g_bytes_get_data(bytes, &written);
    g_assert_cmpuint(size, <, 3100000);
    g_assert_cmpuint(written, >, 5900000);
    for (gsize i = size; i < written; i++)
        g_assert_cmpuint(data[i], ==, 0);
    remove_tree(tree);
}

static void test_sharing(void) {
    g_autofree char *tree = scratch_path("sharing");
    g_mkdir(tree, 0755);
    sample_write(tree, "a", SAMPLE_RANDOM, 1, 3000000);
    sample_write(tree, "b", SAMPLE_RANDOM, 2, 20000);
    sample_write(tree, "z", SAMPLE_RANDOM, 3, 3000000); /* same size, other content */
    for (ErofsCompression compression = EROFS_COMPRESSION_NONE; compression <= EROFS_COMPRESSION_ZSTD;
            compression++) {
        ErofsOptions options = zstd_options(0);
        options.compression = compression;
        guint64 alone, shared;
        g_autofree char *a = write_tree("alone", tree, &options, &alone);
        for (guint i = 0; i < 5; i++) {
            g_autofree char *large = g_strdup_printf("copy-%u", i), *small = g_strdup_printf("small-%u", i);
            sample_write(tree, large, SAMPLE_RANDOM, 1, 3000000);
            sample_write(tree, small, SAMPLE_RANDOM, 2, 20000);
        }
        g_autofree char *b = write_tree("shared", tree, &options, &shared);
        /* The last, partial blocks of files that are not compressed are with their inodes. */
        g_assert_cmpuint(shared, <=, alone + 2 * 5 * 4096);
        with_mount(b, compare_mounted, tree);
        for (guint i = 0; i < 5; i++) {
            g_autofree char *large = g_strdup_printf("%s/copy-%u", tree, i);
            g_autofree char *small = g_strdup_printf("%s/small-%u", tree, i);
            g_unlink(large);
            g_unlink(small);
        }
    }
    remove_tree(tree);
}

static gboolean leave_out(const char *path, const struct stat *st, gpointer data) {
    g_ptr_array_add(data, g_strdup(path));
    return !g_str_has_suffix(path, "/sizes") && !g_str_has_suffix(path, "/sparse");
}

static void check_composed(const char *path, gpointer data) {
    static const char *const present[] = {
            "same/small-1", "usr/xattrs/3", "made/up/here", "made/one", "odd/-"};
    static const char *const absent[] = {"sizes", "sparse", "usr/sizes/1-1x", "symlink/x"};
    for (gsize i = 0; i < G_N_ELEMENTS(present); i++) {
        g_autofree char *file = g_build_filename(path, present[i], NULL);
        g_assert_true(g_file_test(file, G_FILE_TEST_EXISTS));
    }
    for (gsize i = 0; i < G_N_ELEMENTS(absent); i++) {
        g_autofree char *file = g_build_filename(path, absent[i], NULL);
        g_assert_false(g_file_test(file, G_FILE_TEST_EXISTS));
    }
    struct stat st;
    g_autofree char *made = g_build_filename(path, "made/up/here", NULL);
    g_assert_cmpint(lstat(made, &st), ==, 0);
    g_assert_cmpuint(st.st_mode, ==, S_IFDIR | 01777);
    g_assert_cmpuint(st.st_uid, ==, 12);
    g_assert_cmpint(st.st_mtime, ==, 55);
    g_autofree char *parent = g_build_filename(path, "made", NULL);
    g_assert_cmpint(lstat(parent, &st), ==, 0);
    g_assert_cmpint(st.st_mtime, ==, BUILD_TIME);
    g_autofree char *link = g_build_filename(path, "made/up/link", NULL);
    g_autofree char *target = g_file_read_link(link, NULL);
    g_assert_cmpstr(target, ==, "../one");
    g_autofree char *clamped = g_build_filename(path, "usr/times/4", NULL);
    g_assert_cmpint(lstat(clamped, &st), ==, 0);
    g_assert_cmpint(st.st_mtim.tv_sec, ==, 1600000000);
    g_assert_cmpint(st.st_mtim.tv_nsec, ==, 0);
}

/* Several sources in one file system, with a filter, things made up and times clamped. */
static void test_composed(void) {
    g_autoptr(GError) error = NULL;
    g_autofree char *image = scratch_path("composed");
    AUTO_FD fd = open(image, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    AUTO_FD root = open(scratch, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    ErofsOptions options = zstd_options(0);
    options.clamp_mtime = 1600000000;
    g_autoptr(ErofsWriter) writer = erofs_writer_new(fd, &options, &error);
    g_autoptr(GPtrArray) asked = g_ptr_array_new_with_free_func(g_free);
    g_assert_true(erofs_writer_add_tree(writer, root, "/sample", "/", leave_out, asked, &error));
    g_assert_true(erofs_writer_add_tree(writer, root, "sample", "usr/", NULL, NULL, &error));
    g_assert_true(erofs_writer_add_tree(writer, root, "sample/sizes/59-1", "/made/one", NULL, NULL, &error));
    g_assert_true(erofs_writer_add_directory(writer, "/made/up/here", 01777, 12, 0, 55, &error));
    g_assert_true(erofs_writer_add_symlink(writer, "/made/up/link", "../one", 0, 0, -1, &error));
    for (guint i = 0; i < asked->len; i++)
        g_assert_false(g_str_has_prefix(asked->pdata[i], "sample/sizes/"));

    /* What cannot be done. */
    g_assert_false(erofs_writer_add_symlink(writer, "/made/up/here", "x", 0, 0, -1, &error));
    g_assert_error(error, G_IO_ERROR, G_IO_ERROR_IS_DIRECTORY);
    g_clear_error(&error);
    g_assert_false(erofs_writer_add_directory(writer, "/made/one/below", 0755, 0, 0, -1, &error));
    g_assert_error(error, G_IO_ERROR, G_IO_ERROR_NOT_DIRECTORY);
    g_clear_error(&error);
    g_assert_false(erofs_writer_add_tree(writer, root, "sample/../..", "/x", NULL, NULL, &error));
    g_assert_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT);
    g_clear_error(&error);
    g_assert_false(erofs_writer_add_tree(writer, root, "sample/missing", "/x", NULL, NULL, &error));
    g_assert_error(error, G_FILE_ERROR, G_FILE_ERROR_NOENT);
    g_clear_error(&error);

    guint64 size;
    g_assert_true(erofs_writer_finish(writer, &size, &error));
    g_assert_cmpint(ftruncate(fd, size), ==, 0);
    with_mount(image, check_composed, NULL);
}

/* A source path must not leave the tree through a symlink in it. */
static void test_symlink_in_source(void) {
    g_autofree char *tree = scratch_path("hostile");
    g_autofree char *link = g_build_filename(tree, "usr", NULL);
    g_mkdir(tree, 0755);
    g_assert_cmpint(symlink("/etc", link), ==, 0);
    g_autoptr(GError) error = NULL;
    AUTO_FD root = open(tree, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    ErofsOptions options = zstd_options(0);
    g_autoptr(ErofsWriter) writer = erofs_writer_new(-1, &options, &error);
    g_assert_false(erofs_writer_add_tree(writer, root, "usr/passwd", "/passwd", NULL, NULL, &error));
    g_assert_nonnull(error);
    remove_tree(tree);
}

static void test_limits(void) {
    g_autoptr(GError) error = NULL;
    g_autofree char *path = scratch_path("limited");
    AUTO_FD fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    AUTO_FD root = open(sample, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    ErofsOptions options = zstd_options(0);
    options.max_size = 3 << 20;
    guint64 size;
    g_autoptr(ErofsWriter) writer = erofs_writer_new(fd, &options, &error);
    g_assert_true(erofs_writer_add_tree(writer, root, "", "", NULL, NULL, &error));
    g_assert_false(erofs_writer_finish(writer, &size, &error));
    g_assert_error(error, G_IO_ERROR, G_IO_ERROR_NO_SPACE);
    g_clear_error(&error);
    struct stat st;
    g_assert_cmpint(fstat(fd, &st), ==, 0);
    g_assert_cmpint(st.st_size, <=, options.max_size);

    static const guint32 bad_clusters[] = {1, 4096, 65535, 3 << 14, 2 << 20};
    for (gsize i = 0; i < G_N_ELEMENTS(bad_clusters); i++) {
        options.cluster_size = bad_clusters[i];
        g_assert_null(erofs_writer_new(fd, &options, &error));
        g_assert_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT);
        g_clear_error(&error);
    }
    options = zstd_options(0);
    options.label = "sixteen bytes ..";
    g_assert_null(erofs_writer_new(fd, &options, &error));
    g_assert_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT);
}

/* A file that changes between being added and being read must not give a wrong file system. */
static void test_changed_file(void) {
    g_autofree char *tree = scratch_path("changing");
    g_mkdir(tree, 0755);
    sample_write(tree, "file", SAMPLE_TEXT, 1, 100000);
    g_autofree char *path = scratch_path("changed");
    g_autoptr(GError) error = NULL;
    AUTO_FD fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    AUTO_FD root = open(tree, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    ErofsOptions options = zstd_options(0);
    g_autoptr(ErofsWriter) writer = erofs_writer_new(fd, &options, &error);
    g_assert_true(erofs_writer_add_tree(writer, root, "", "", NULL, NULL, &error));
    sample_write(tree, "file", SAMPLE_TEXT, 1, 90000);
    guint64 size;
    g_assert_false(erofs_writer_finish(writer, &size, &error));
    g_assert_nonnull(strstr(error->message, "/file changed"));
    remove_tree(tree);
}

static void test_superblock(void) {
    ErofsOptions options = zstd_options(0);
    memcpy(options.uuid, "0123456789abcdef", 16);
    guint64 size;
    g_autofree char *image = write_tree("super", sample, &options, &size);
    g_autoptr(GBytes) bytes = read_bytes(image);
    ErofsSuperblock super;
    memcpy(&super, (const guint8 *) g_bytes_get_data(bytes, NULL) + EROFS_SUPER_OFFSET, sizeof super);
    g_assert_cmpuint(GUINT32_FROM_LE(super.magic), ==, EROFS_SUPER_MAGIC);
    g_assert_cmpuint(GUINT32_FROM_LE(super.blocks), ==, size / EROFS_BLOCK_SIZE);
    g_assert_cmpmem(super.uuid, 16, "0123456789abcdef", 16);
    g_assert_cmpstr(super.label, ==, "sample");
    g_assert_cmpuint(GUINT64_FROM_LE(super.epoch), ==, BUILD_TIME);
}

/* Over 4 GiB, with data on both sides of the boundary. */
static void test_huge_file(void) {
    if (!g_test_slow()) {
        g_test_skip("a file of more than 4 GiB is written in slow mode only (-m slow)");
        return;
    }
    g_autofree char *tree = scratch_path("huge");
    g_autofree char *file = g_build_filename(tree, "file", NULL);
    g_mkdir(tree, 0755);
    AUTO_FD fd = open(file, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    g_assert_cmpint(ftruncate(fd, (G_GINT64_CONSTANT(4) << 30) + 123456), ==, 0);
    g_assert_true(pwrite_all(fd, "front", 5, 0xfffffff0, NULL));
    g_assert_true(pwrite_all(fd, "behind", 6, 0x100012345, NULL));
    ErofsOptions options = zstd_options(0);
    g_autofree char *image = write_tree("huge-image", tree, &options, NULL);
    with_mount(image, compare_mounted, tree);
    remove_tree(tree);
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    g_autoptr(GError) error = NULL;
    scratch = g_dir_make_tmp("erofs-XXXXXX", &error);
    g_assert_no_error(error);
    sample = scratch_path("sample");
    g_mkdir(sample, 0755);
    sample_tree_make(sample);

    g_test_add_func("/erofs/plain/mount", test_plain_mount);
    g_test_add_func("/erofs/plain/fsck", test_plain_fsck);
    g_test_add_func("/erofs/zstd/mount", test_zstd_mount);
    g_test_add_func("/erofs/zstd/fsck", test_zstd_fsck);
    g_test_add_func("/erofs/deterministic", test_deterministic);
    g_test_add_func("/erofs/copy", test_copy);
    g_test_add_func("/erofs/verity", test_verity);
    g_test_add_func("/erofs/store", test_store);
    g_test_add_func("/erofs/block-stability", test_block_stability);
    g_test_add_func("/erofs/sharing", test_sharing);
    g_test_add_func("/erofs/nothing-behind", test_nothing_behind);
    g_test_add_func("/erofs/composed", test_composed);
    g_test_add_func("/erofs/symlink-in-source", test_symlink_in_source);
    g_test_add_func("/erofs/limits", test_limits);
    g_test_add_func("/erofs/changed-file", test_changed_file);
    g_test_add_func("/erofs/superblock", test_superblock);
    g_test_add_func("/erofs/huge-file", test_huge_file);
    int result = g_test_run();

    remove_tree(scratch);
    g_free(sample);
    g_free(scratch);
    return result;
}
