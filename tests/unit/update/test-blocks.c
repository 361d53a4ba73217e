/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "update/source/blocks.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "update/transfer/error.h"

#define BLOCK 4096u

/* Ranges as text: "0+2 5+1" in blocks. */
static char *merged(const char *wanted, guint64 size) {
    gsize n = strlen(wanted);
    g_autofree guint8 *marks = g_malloc0(n);
    g_autoptr(GString) text = g_string_new(NULL);

    for (gsize i = 0; i < n; i++)
        marks[i] = wanted[i] == 'x';
    g_autoptr(GArray) ranges = blocks_merge(marks, n, size);
    for (guint i = 0; i < ranges->len; i++) {
        const HttpRange *range = &g_array_index(ranges, HttpRange, i);
        g_assert_cmpuint(range->offset % BLOCK, ==, 0);
        g_string_append_printf(text, "%s%d+%d", i ? " " : "", (int) (range->offset / BLOCK),
                (int) ((range->size + BLOCK - 1) / BLOCK));
    }
    return g_string_free(g_steal_pointer(&text), FALSE);
}

static void test_merge(void) {
    static const struct {
        const char *wanted, *ranges;
    } cases[] = {
            {"", ""},
            {"----", ""},
            {"xxxx", "0+4"},
            {"x--x", "0+1 3+1"},
            {"-xx-x", "1+2 4+1"},
            /* One block in twenty-five may be asked for without need. */
            {"xxxxxxxxxxxxx-xxxxxxxxxxxx", "0+26"},
            {"xxxxxxxxxxxxx-xxxxxxxxxxxx--x", "0+26 28+1"},
    };

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *ranges = merged(cases[i].wanted, strlen(cases[i].wanted) * BLOCK);
        g_assert_cmpstr(ranges, ==, cases[i].ranges);
    }
}

/* A disk in memory, with random content: a hash area, the volume it is about, and an empty slot behind that. */
typedef struct {
    int fd;
    guint64 data, area, slot;
    GByteArray *tree;
    VeritySuperblock superblock;
} Fixture;

#define N 300u

static void fixture_begin(Fixture *fixture, guint8 salt) {
    static const guint8 uuid[16];
    guint8 root_hash[VERITY_DIGEST_SIZE];
    g_autoptr(GError) error = NULL;
    guint64 size = 0;
    GRand *random = g_rand_new_with_seed(7);

    fixture->fd = memfd_create("disk", MFD_CLOEXEC);
    fixture->data = 0;
    fixture->slot = N * BLOCK;
    fixture->area = 2 * N * BLOCK;
    for (guint i = 0; i < N * BLOCK / 4; i++) {
        /* A tenth of the blocks are zeros. */
        guint32 word = i / (BLOCK / 4) % 10 == 3 ? 0 : g_rand_int(random);
        g_assert_true(pwrite_all(fixture->fd, &word, 4, i * 4, NULL));
    }
    g_rand_free(random);
    g_assert_cmpint(ftruncate(fixture->fd, 3 * N * BLOCK), ==, 0);
    g_autoptr(VerityTree) tree = verity_hash_fd(fixture->fd, 0, N * BLOCK, &salt, 1, 1, &error);
    g_assert_true(verity_tree_write(tree, N, fixture->fd, fixture->area, uuid, root_hash, &size, &error));
    fixture->tree = g_byte_array_new();
    g_byte_array_set_size(fixture->tree, size);
    g_assert_true(pread_all(fixture->fd, fixture->tree->data, size, fixture->area, NULL));
    g_assert_true(verity_area_check(fixture->tree->data, size, &fixture->superblock, root_hash, &error));
}

static void fixture_end(Fixture *fixture) {
    g_byte_array_unref(fixture->tree);
    close(fixture->fd);
}

/* The whole volume as a file of a directory. */
static UpdateSource *make_source(const Fixture *fixture, const char *directory, guint changed) {
    g_autofree guint8 *bytes = g_malloc(N * BLOCK);
    g_autofree char *path = g_build_filename(directory, "volume", NULL);

    g_assert_true(pread_all(fixture->fd, bytes, N * BLOCK, 0, NULL));
    if (changed < N)
        bytes[changed * BLOCK] ^= 1;
    g_assert_true(g_file_set_contents(path, (char *) bytes, N * BLOCK, NULL));
    return update_source_open_directory(directory, NULL);
}

static gboolean install(
        const Fixture *fixture, const BlockSources *sources, guint changed, BlockResult *result, GError **error) {
    g_autofree char *directory = g_dir_make_tmp("particleos-blocks-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(directory, "volume", NULL);
    g_autoptr(UpdateSource) source = make_source(fixture, directory, changed);
    BlockInput input = {
            source, "volume", N * BLOCK, fixture->fd, fixture->slot, fixture->tree->data, fixture->superblock};
    gboolean good = blocks_install(&input, sources, NULL, NULL, result, error);
    g_autofree guint8 *is = g_malloc(N * BLOCK), *wanted = g_malloc(N * BLOCK);

    g_assert_true(pread_all(fixture->fd, is, N * BLOCK, fixture->slot, NULL));
    g_assert_true(pread_all(fixture->fd, wanted, N * BLOCK, fixture->data, NULL));
    if (good)
        g_assert_cmpmem(is, N * BLOCK, wanted, N * BLOCK);
    unlink(path);
    rmdir(directory);
    return good;
}

/* Everything from the source; then again, when all is there; then with a part of it overwritten. */
static void test_install(void) {
    Fixture fixture;
    BlockResult result;
    g_autoptr(GError) error = NULL;

    fixture_begin(&fixture, 1);
    g_autoptr(BlockSources) none = block_sources_new(&fixture.superblock);
    g_assert_true(install(&fixture, none, N, &result, &error));
    /* The slot had zeros, and so has a tenth of the volume. */
    g_assert_cmpuint(result.wanted, ==, (N - N / 10) * BLOCK);
    g_assert_true(install(&fixture, none, N, &result, &error));
    g_assert_cmpuint(result.wanted, ==, 0);
    g_assert_cmpuint(result.written, ==, 0);
    g_assert_true(pwrite_all(fixture.fd, "damage", 6, fixture.slot + 10 * BLOCK + 5, NULL));
    g_assert_true(install(&fixture, none, N, &result, &error));
    g_assert_cmpuint(result.wanted, ==, BLOCK);
    fixture_end(&fixture);
}

/* Another slot has all of it: with its tree, with a damaged tree, with one of another salt. */
static void test_sources(void) {
    for (guint way = 0; way < 3; way++) {
        Fixture fixture, other;
        BlockResult result;
        fixture_begin(&fixture, 1);
        fixture_begin(&other, 2);
        GByteArray *area = way == 2 ? other.tree : fixture.tree;
        if (way == 1)
            area->data[BLOCK + 5] ^= 1;
        g_autoptr(BlockSources) sources = block_sources_new(&fixture.superblock);
        block_sources_add(sources, other.fd, other.data, N * BLOCK, area->data, area->len);
        if (way == 1)
            area->data[BLOCK + 5] ^= 1;
        g_assert_true(install(&fixture, sources, N, &result, NULL));
        g_assert_cmpuint(result.wanted, ==, 0);
        /* A tree that promises what is not there. */
        g_assert_true(pwrite_all(other.fd, "damage", 6, 7 * BLOCK, NULL));
        g_assert_true(pwrite_all(fixture.fd, "damage", 6, fixture.slot + 7 * BLOCK, NULL));
        g_assert_true(install(&fixture, sources, N, &result, NULL));
        g_assert_cmpuint(result.wanted, ==, BLOCK);
        fixture_end(&fixture);
        fixture_end(&other);
    }
}

static void test_untrusted(void) {
    Fixture fixture;
    BlockResult result;
    g_autoptr(GError) error = NULL;

    fixture_begin(&fixture, 1);
    g_autoptr(BlockSources) none = block_sources_new(&fixture.superblock);
    g_assert_false(install(&fixture, none, 42, &result, &error));
    g_assert_error(error, UPDATE_ERROR, UPDATE_ERROR_UNTRUSTED);
    g_assert_nonnull(strstr(error->message, "block 42"));
    fixture_end(&fixture);
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/blocks/merge", test_merge);
    g_test_add_func("/blocks/install", test_install);
    g_test_add_func("/blocks/sources", test_sources);
    g_test_add_func("/blocks/untrusted", test_untrusted);
    return g_test_run();
}
