/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "erofs-fixture.h"
#include "tree-tool.h"

/* What the reader refuses. */

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
            g_autoptr(GPtrArray) attributes = erofs_reader_read(reader, &node, 0, bytes, node.size, NULL, &error)
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

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    erofs_fixture_make();

    g_test_add_func("/erofs-damage/unknown-features", test_unknown_features);
    g_test_add_func("/erofs-damage/superblock", test_superblock);
    g_test_add_func("/erofs-damage/loops", test_loops);
    g_test_add_func("/erofs-damage/wrong-order", test_wrong_order);
    g_test_add_func("/erofs-damage/damaged-clusters", test_damaged_clusters);
    int result = g_test_run();

    erofs_fixture_remove();
    return result;
}
