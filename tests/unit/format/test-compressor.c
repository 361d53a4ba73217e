/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "format/compress/compressor.h"

#include <fcntl.h>
#include <gio/gio.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "pe-fixture.h"

#define PIECE (1u << 20)

static char *base;

static const struct {
    CompressorKind kind;
    const char *program, *command; /* from standard input to standard output */
} kinds[] = {
        {COMPRESSOR_NONE, "cat", "cat"},
        {COMPRESSOR_ZSTD, "zstd", "zstd -qdc"},
        {COMPRESSOR_GZIP, "gzip", "gzip -dc"},
        {COMPRESSOR_XZ, "xz", "xz -dc --format=xz"},
        {COMPRESSOR_BZIP2, "bzip2", "bzip2 -dc"},
        {COMPRESSOR_LZ4, "lz4", "lz4 -qdc"},
        {COMPRESSOR_LZ4_LEGACY, "lz4", "lz4 -qdc"},
        {COMPRESSOR_LZMA, "xz", "xz -dc --format=lzma"},
};

/* Half of it can be compressed. */
static GBytes *sample(gsize size) {
    GByteArray *bytes = g_byte_array_new();
    g_autoptr(GBytes) noise = pe_fixture_noise(4096, 7);

    while (bytes->len < size) {
        g_autofree char *text = g_strdup_printf("%4096u", bytes->len);
        g_byte_array_append(bytes, (guint8 *) text, 4096);
        g_byte_array_append(bytes, g_bytes_get_data(noise, NULL), 4096);
    }
    g_byte_array_set_size(bytes, size);
    return g_byte_array_free_to_bytes(bytes);
}

static GBytes *compress(GBytes *input, CompressorKind kind, int level, guint threads, gsize step) {
    g_autofree char *path = g_build_filename(base, "compressed", NULL);
    AUTO_FD fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    g_autoptr(GError) error = NULL;
    g_autoptr(Compressor) compressor = compressor_new(fd, kind, level, threads, &error);
    g_assert_no_error(error);
    gsize size;
    const guint8 *data = g_bytes_get_data(input, &size);

    for (gsize at = 0; at < size; at += step)
        g_assert_true(compressor_write(compressor, data + at, MIN(step, size - at), &error));
    g_assert_true(compressor_finish(compressor, &error));
    g_assert_no_error(error);
    char *content;
    g_assert_true(g_file_get_contents(path, &content, &size, &error));
    return g_bytes_new_take(content, size);
}

/* What another program makes of the file written last. */
static GBytes *judge(const char *command) {
    g_autofree char *line = g_strdup_printf("%s <compressed >plain", command);
    g_autofree char *path = g_build_filename(base, "plain", NULL);
    g_autoptr(GError) error = NULL;
    char *content;
    gsize size;
    int status;

    g_assert_true(g_spawn_sync(base, (char *[]){"/bin/sh", "-ec", line, NULL}, NULL, G_SPAWN_DEFAULT, NULL,
            NULL, NULL, NULL, &status, &error));
    g_spawn_check_wait_status(status, &error);
    g_assert_no_error(error);
    g_assert_true(g_file_get_contents(path, &content, &size, &error));
    return g_bytes_new_take(content, size);
}

static void test_judges(void) {
    static const gsize sizes[] = {0, 1, PIECE - 1, PIECE, PIECE + 1, 9 * PIECE + 12345};

    for (gsize i = 0; i < G_N_ELEMENTS(kinds); i++) {
        g_autofree char *program = g_find_program_in_path(kinds[i].program);
        if (!program) {
            g_test_message("%s is not installed", kinds[i].program);
            g_test_skip("a program that unpacks is not installed");
            continue;
        }
        for (gsize j = 0; j < G_N_ELEMENTS(sizes); j++) {
            /* An empty legacy frame is no frame for the program. */
            if (kinds[i].kind == COMPRESSOR_LZ4_LEGACY && sizes[j] == 0)
                continue;
            g_autoptr(GBytes) input = sample(sizes[j]);
            g_autoptr(GBytes) compressed = compress(input, kinds[i].kind, 1, 2, 100000);
            g_autoptr(GBytes) plain = judge(kinds[i].command);
            g_assert_true(g_bytes_equal(input, plain));
            if (kinds[i].kind != COMPRESSOR_NONE && sizes[j] > PIECE)
                g_assert_cmpuint(g_bytes_get_size(compressed), <, sizes[j]);
        }
    }
}

/* Neither threads nor the sizes of the writes leave a trace. */
static void test_deterministic(void) {
    g_autoptr(GBytes) input = sample(5 * PIECE + 3);

    for (gsize i = 0; i < G_N_ELEMENTS(kinds); i++) {
        g_autoptr(GBytes) first = compress(input, kinds[i].kind, 1, 1, 4097);
        g_autoptr(GBytes) second = compress(input, kinds[i].kind, 1, 5, 3 * PIECE);
        g_assert_true(g_bytes_equal(first, second));
    }
}

static void test_levels(void) {
    g_autoptr(GBytes) input = sample(PIECE);

    for (gsize i = 1; i < G_N_ELEMENTS(kinds); i++) {
        g_assert_cmpint(compressor_max_level(kinds[i].kind), >=, 9);
        g_autoptr(GBytes) highest =
                compress(input, kinds[i].kind, compressor_max_level(kinds[i].kind), 1, PIECE);
        g_autoptr(GBytes) beyond = compress(input, kinds[i].kind, 1000, 1, PIECE);
        g_assert_true(g_bytes_equal(highest, beyond));
    }
}

static void test_full_disk(void) {
    g_autoptr(GBytes) input = pe_fixture_noise(3 * PIECE, 1);
    AUTO_FD fd = open("/dev/full", O_WRONLY | O_CLOEXEC);

    for (gsize i = 0; i < G_N_ELEMENTS(kinds); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(Compressor) compressor = compressor_new(fd, kinds[i].kind, 1, 2, NULL);
        gsize size;
        const void *data = g_bytes_get_data(input, &size);
        g_assert_false(
                compressor_write(compressor, data, size, &error) && compressor_finish(compressor, &error));
        g_assert_error(error, G_FILE_ERROR, G_FILE_ERROR_NOSPC);
    }
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    g_autoptr(GError) error = NULL;
    base = g_dir_make_tmp("compressor-XXXXXX", &error);
    g_assert_no_error(error);
    g_test_add_func("/compressor/judges", test_judges);
    g_test_add_func("/compressor/deterministic", test_deterministic);
    g_test_add_func("/compressor/levels", test_levels);
    g_test_add_func("/compressor/full-disk", test_full_disk);
    int status = g_test_run();
    static const char *const names[] = {"compressed", "plain"};
    for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *path = g_build_filename(base, names[i], NULL);
        g_unlink(path);
    }
    g_rmdir(base);
    g_free(base);
    return status;
}
