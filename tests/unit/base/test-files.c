/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Descriptors, directories and what errno says about them. */

#include "base/directory.h"
#include "base/errors.h"
#include "base/io.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <unistd.h>

#include "base/cleanup.h"

static void test_errno(void) {
    g_autoptr(GError) error = NULL;
    g_assert_false(set_errno_error(&error, ENOSPC, "Cannot fill %s", "/x"));
    g_assert_error(error, G_FILE_ERROR, G_FILE_ERROR_NOSPC);
    g_assert_cmpstr(error->message, ==, "Cannot fill /x: No space left on device");
    g_assert_false(set_errno_error(NULL, EIO, "nobody listens"));
}

static void test_whole(void) {
    g_autofree char *path = NULL;
    AUTO_FD fd = g_file_open_tmp("io-XXXXXX", &path, NULL);
    char text[4];
    g_autoptr(GError) error = NULL;

    g_assert_true(pwrite_all(fd, "abcdef", 6, 2, &error));
    g_assert_true(pread_all(fd, text, 4, 3, &error));
    g_assert_cmpmem(text, 4, "bcde", 4);
    g_assert_true(pread_all(fd, text, 0, 100, &error));
    g_assert_no_error(error);
    g_assert_false(pread_all(fd, text, 4, 6, &error));
    g_assert_error(error, G_FILE_ERROR, G_FILE_ERROR_IO);
    g_assert_nonnull(g_strrstr(error->message, "ends 2 bytes early, at offset 8"));
    g_assert_cmpint(pread_up_to(fd, text, 4, 6), ==, 2);
    g_assert_cmpint(pread_up_to(fd, text, 4, 8), ==, 0);
    g_assert_cmpint(pread_up_to(-1, text, 4, 0), ==, -1);
    g_assert_cmpint(errno, ==, EBADF);
    g_assert_cmpint(lseek(fd, 6, SEEK_SET), ==, 6);
    g_assert_true(write_all(fd, "XYZ", 3));
    g_assert_cmpint(pread_up_to(fd, text, 4, 5), ==, 4);
    g_assert_cmpmem(text, 4, "dXYZ", 4);
    g_unlink(path);
}

static void test_write_refused(void) {
    AUTO_FD fd = open("/dev/full", O_WRONLY | O_CLOEXEC);
    g_autoptr(GError) error = NULL;

    g_assert_false(pwrite_all(fd, "a", 1, 0, &error));
    g_assert_error(error, G_FILE_ERROR, G_FILE_ERROR_NOSPC);
    g_assert_false(write_all(fd, "a", 1));
    g_assert_cmpint(errno, ==, ENOSPC);
    g_assert_true(write_all(fd, "", 0));
}

static void assert_names(GPtrArray *names) {
    static const char *const expected[] = {".hidden", "A", "a", "a.b", "\xc3\xa4"};

    g_assert_nonnull(names);
    g_assert_cmpuint(names->len, ==, G_N_ELEMENTS(expected));
    for (guint i = 0; i < names->len; i++)
        g_assert_cmpstr(names->pdata[i], ==, expected[i]);
}

static void test_list(void) {
    static const char *const made[] = {"a.b", "\xc3\xa4", "a", ".hidden", "A"};
    g_autofree char *path = g_dir_make_tmp("list-XXXXXX", NULL), *link = g_strconcat(path, "/A", NULL);
    g_autoptr(GError) error = NULL;

    for (guint i = 0; i < G_N_ELEMENTS(made); i++) {
        g_autofree char *file = g_build_filename(path, made[i], NULL);
        g_assert_cmpint(i == 4 ? symlink(path, file) : g_mkdir(file, 0700), ==, 0);
    }
    AUTO_FD fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    g_autoptr(GPtrArray) by_path = list_directory(path, &error), again = list_directory(path, &error);
    g_autoptr(GPtrArray) at = list_directory_at(fd, ".", &error), below = list_directory_at(fd, "a", &error);
    assert_names(by_path);
    assert_names(again);
    assert_names(at);
    g_assert_cmpuint(below->len, ==, 0);

    /* A symbolic link is followed by path, and not from a descriptor. */
    g_autoptr(GPtrArray) followed = list_directory(link, &error);
    assert_names(followed);
    g_assert_no_error(error);
    g_assert_null(list_directory_at(fd, "A", &error));
    g_assert_error(error, G_FILE_ERROR, G_FILE_ERROR_NOTDIR);
    g_assert_cmpstr(error->message, ==, "Not a directory");

    for (guint i = 0; i < G_N_ELEMENTS(made); i++) {
        g_autofree char *file = g_build_filename(path, made[i], NULL);
        g_remove(file);
    }
    g_rmdir(path);
}

static void test_list_nothing(void) {
    g_autoptr(GError) error = NULL;
    g_assert_null(list_directory("/nonexistent", &error));
    g_assert_error(error, G_FILE_ERROR, G_FILE_ERROR_NOENT);
    g_assert_null(list_directory_at(AT_FDCWD, "/nonexistent", NULL));
    g_assert_null(list_directory_fd(-1, NULL));
    g_autoptr(GPtrArray) none = list_directory_if_any("/nonexistent");
    g_assert_cmpuint(none->len, ==, 0);
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/files/errno", test_errno);
    g_test_add_func("/files/whole", test_whole);
    g_test_add_func("/files/write-refused", test_write_refused);
    g_test_add_func("/files/list", test_list);
    g_test_add_func("/files/list-nothing", test_list_nothing);
    return g_test_run();
}
