/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "format/archive/cpio.h"

#include <errno.h>
#include <fcntl.h>
#include <gio/gio.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "pe-fixture.h"

static char *base;

static char *path_of(const char *name) {
    return g_build_filename(base, name, NULL);
}

static void write_file(int tree, const char *name, const void *data, gsize size, mode_t mode, time_t mtime) {
    AUTO_FD fd = openat(tree, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    g_assert_cmpint(fd, >=, 0);
    g_assert_cmpint(write(fd, data, size), ==, size);
    g_assert_cmpint(fchmod(fd, mode), ==, 0);
    struct timespec times[2] = {{.tv_sec = mtime}, {.tv_sec = mtime}};
    g_assert_cmpint(futimens(fd, times), ==, 0);
}

/* A tree with a bit of everything. */
static int make_tree(const char *name) {
    g_autofree char *path = path_of(name);
    g_assert_cmpint(g_mkdir_with_parents(path, 0755), ==, 0);
    int tree = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    g_assert_cmpint(tree, >=, 0);
    g_assert_cmpint(mkdirat(tree, "etc", 0755), ==, 0);
    g_assert_cmpint(mkdirat(tree, "empty", 01777), ==, 0);
    g_assert_cmpint(fchmodat(tree, "empty", 01777, 0), ==, 0);
    write_file(tree, "etc/zz", "last", 4, 0644, 1000);
    write_file(tree, "etc/hosts", "hosts\n", 6, 04755, 2000);
    write_file(tree, "nothing", "", 0, 0600, 1700000000);
    g_autoptr(GBytes) noise = pe_fixture_noise(9000001, 1);
    write_file(tree, "noise", g_bytes_get_data(noise, NULL), g_bytes_get_size(noise), 0644, 3000);
    g_assert_cmpint(linkat(tree, "etc/hosts", tree, "a-link", 0), ==, 0);
    g_assert_cmpint(linkat(tree, "etc/hosts", tree, "etc/other", 0), ==, 0);
    g_assert_cmpint(symlinkat("etc/hosts", tree, "symlink"), ==, 0);
    g_assert_cmpint(mkfifoat(tree, "fifo", 0640), ==, 0);
    return tree;
}

static GBytes *archive_tree(int tree, CompressorKind kind, guint threads, const char *name) {
    g_autofree char *path = path_of(name);
    AUTO_FD fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    CpioOptions options = {.compression = kind, .threads = threads, .clamp_time = 1600000000};
    g_autoptr(GError) error = NULL;
    g_assert_true(cpio_write_tree(tree, fd, &options, &error));
    g_assert_no_error(error);
    g_autoptr(GMappedFile) mapped = g_mapped_file_new(path, FALSE, &error);
    g_assert_no_error(error);
    return g_mapped_file_get_bytes(mapped);
}

/* Runs COMMAND in a shell in the test's directory; its output, or NULL after skipping when PROGRAM is
 * missing. */
static char *run(const char *program, const char *command) {
    g_autofree char *found = g_find_program_in_path(program);
    if (!found) {
        g_autofree char *message = g_strdup_printf("%s is not installed", program);
        g_test_skip(message);
        return NULL;
    }
    g_autoptr(GError) error = NULL;
    char *output = NULL;
    int status;
    g_assert_true(g_spawn_sync(base, (char *[]){"/bin/sh", "-ec", (char *) command, NULL}, NULL,
            G_SPAWN_DEFAULT, NULL, NULL, &output, NULL, &status, &error));
    g_spawn_check_wait_status(status, &error);
    g_assert_no_error(error);
    return output;
}

static void test_deterministic(void) {
    AUTO_FD one = make_tree("one");
    AUTO_FD two = make_tree("two");
    for (CompressorKind kind = COMPRESSOR_NONE; kind <= COMPRESSOR_LZMA; kind++) {
        g_autoptr(GBytes) first = archive_tree(one, kind, 1, "first.cpio");
        g_autoptr(GBytes) second = archive_tree(two, kind, 3, "second.cpio");
        /* Directories and links got the time of the test, which clamping hides. */
        g_assert_true(g_bytes_equal(first, second));
    }
}

static void test_judge_list(void) {
    AUTO_FD tree = make_tree("list");
    g_autoptr(GBytes) archive = archive_tree(tree, COMPRESSOR_NONE, 0, "list.cpio");
    g_assert_cmpuint(g_bytes_get_size(archive) % 4, ==, 0);
    g_autofree char *names = run("cpio", "cpio -t --quiet < list.cpio");
    if (names)
        g_assert_cmpstr(names, ==,
                ".\na-link\nempty\netc\netc/hosts\netc/other\netc/zz\nfifo\nnoise\nnothing\nsymlink\n");
}

static void test_judge_unpack(void) {
    AUTO_FD tree = make_tree("source");
    g_autoptr(GBytes) archive = archive_tree(tree, COMPRESSOR_ZSTD, 2, "source.cpio.zst");
    g_autofree char *tested = run("zstd", "zstd -qt source.cpio.zst");
    if (!tested)
        return;
    g_autofree char *unpacked =
            run("cpio", "mkdir unpacked; cd unpacked; zstd -qdc ../source.cpio.zst | cpio -idm --quiet "
                        "--no-absolute-filenames;"
                        "cmp noise ../source/noise; diff -r --no-dereference -x fifo . ../source;"
                        "stat -c '%n %A %Y %h' etc/hosts nothing empty symlink fifo | sort");
    if (unpacked) {
        g_auto(GStrv) lines = g_strsplit(unpacked, "\n", -1);
        g_assert_cmpstr(lines[0], ==, "empty drwxrwxrwt 1600000000 2");
        g_assert_cmpstr(lines[1], ==, "etc/hosts -rwsr-xr-x 2000 3");
        g_assert_cmpstr(lines[2], ==, "fifo prw-r----- 1600000000 1");
        g_assert_cmpstr(lines[3], ==, "nothing -rw------- 1600000000 1");
    }
}

static void test_judge_gzip(void) {
    AUTO_FD tree = make_tree("gzip");
    g_autoptr(GBytes) archive = archive_tree(tree, COMPRESSOR_GZIP, 0, "gzip.cpio.gz");
    g_autofree char *names = run("cpio", "gzip -dc gzip.cpio.gz | cpio -t --quiet | wc -l");
    if (names)
        g_assert_cmpint(atoi(names), ==, 11);
}

static gboolean without_etc(const char *path, mode_t mode, gpointer user_data) {
    return !g_str_equal(path, "etc");
}

/* One archive from several sources. */
static void test_parts(void) {
    g_autoptr(GError) error = NULL;
    AUTO_FD tree = make_tree("parts");
    g_autofree char *path = path_of("parts.cpio");
    AUTO_FD fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    g_autoptr(CpioWriter) writer = cpio_writer_new(fd, NULL, &error);
    g_autoptr(GPtrArray) paths = g_ptr_array_new();
    g_ptr_array_add(paths, "etc");
    g_ptr_array_add(paths, "etc/hosts");
    g_assert_true(cpio_writer_add_paths(writer, tree, paths, &error));
    g_assert_true(cpio_writer_add_data(writer, "etc/new/file", 0644, "new", 3, 5, &error));
    g_assert_true(cpio_writer_add_tree(writer, tree, "usr/share", without_etc, NULL, &error));
    g_assert_true(cpio_writer_finish(writer, &error));
    g_assert_no_error(error);
    g_autofree char *names = run("cpio", "cpio -t --quiet < parts.cpio");
    if (names)
        g_assert_cmpstr(names, ==,
                "etc\netc/hosts\netc/new\netc/new/file\nusr\nusr/share\nusr/share/a-link\nusr/share/empty\n"
                "usr/share/fifo\nusr/share/noise\nusr/share/nothing\nusr/share/symlink\n");
}

static void test_missing_path(void) {
    g_autoptr(GError) error = NULL;
    AUTO_FD tree = make_tree("missing");
    AUTO_FD fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
    g_autoptr(CpioWriter) writer = cpio_writer_new(fd, NULL, &error);
    g_autoptr(GPtrArray) paths = g_ptr_array_new();
    g_ptr_array_add(paths, "not-there");
    g_assert_false(cpio_writer_add_paths(writer, tree, paths, &error));
    g_assert_error(error, G_FILE_ERROR, G_FILE_ERROR_NOENT);
}

static void test_full_disk(void) {
    g_autoptr(GError) error = NULL;
    AUTO_FD tree = make_tree("full");
    AUTO_FD fd = open("/dev/full", O_WRONLY | O_CLOEXEC);
    g_assert_false(cpio_write_tree(tree, fd, NULL, &error));
    g_assert_error(error, G_FILE_ERROR, G_FILE_ERROR_NOSPC);
}

static void test_microcode(void) {
    g_autoptr(GError) error = NULL;
    g_autoptr(GBytes) amd = pe_fixture_noise(1001, 7);
    g_autoptr(GBytes) archive = cpio_microcode(amd, NULL, &error);
    g_assert_no_error(error);
    g_autofree char *path = path_of("ucode.cpio");
    gsize size;
    const char *data = g_bytes_get_data(archive, &size);
    g_assert_true(g_file_set_contents(path, data, size, NULL));
    g_autofree char *names = run("cpio", "cpio -t --quiet < ucode.cpio");
    if (names)
        g_assert_cmpstr(names, ==,
                "kernel\nkernel/x86\nkernel/x86/microcode\nkernel/x86/microcode/AuthenticAMD.bin\n");
}

int main(int argc, char **argv) {
    umask(022);
    g_test_init(&argc, &argv, NULL);
    base = g_dir_make_tmp("test-cpio-XXXXXX", NULL);
    g_assert_nonnull(base);
    g_test_add_func("/cpio/deterministic", test_deterministic);
    g_test_add_func("/cpio/judge/list", test_judge_list);
    g_test_add_func("/cpio/judge/unpack", test_judge_unpack);
    g_test_add_func("/cpio/judge/gzip", test_judge_gzip);
    g_test_add_func("/cpio/parts", test_parts);
    g_test_add_func("/cpio/missing-path", test_missing_path);
    g_test_add_func("/cpio/full-disk", test_full_disk);
    g_test_add_func("/cpio/microcode", test_microcode);
    int status = g_test_run();
    g_autofree char *command = g_strdup_printf("rm -rf '%s'", base);
    g_spawn_command_line_sync(command, NULL, NULL, NULL, NULL);
    g_free(base);
    return status;
}
