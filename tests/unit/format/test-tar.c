/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "format/archive/tar.h"

#include <fcntl.h>
#include <gio/gio.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/cleanup.h"

static char *path;

static void add(TarWriter *tar, const TarEntry *entry) {
    g_autoptr(GError) error = NULL;
    g_assert_true(tar_writer_begin(tar, entry, &error));
    g_assert_no_error(error);
}

/* Writes an archive with FILL, and lists it with GNU tar; NULL after skipping. */
static char *listed(void (*fill)(TarWriter *tar)) {
    g_autofree char *program = g_find_program_in_path("tar");
    g_autoptr(GError) error = NULL;
    AUTO_FD fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    g_autoptr(Compressor) compressor = compressor_new(fd, COMPRESSOR_NONE, 0, 0, &error);
    g_autoptr(TarWriter) tar = tar_writer_new(compressor);
    char *output = NULL, *complaints = NULL;
    int status;

    if (!program) {
        g_test_skip("tar is not installed");
        return NULL;
    }
    fill(tar);
    g_assert_true(tar_writer_finish(tar, &error));
    g_assert_true(compressor_finish(compressor, &error));
    g_assert_no_error(error);
    g_assert_true(g_spawn_sync(NULL,
            (char *[]){program, "--list", "-vv", "--numeric-owner", "--full-time", "--utc",
                    "--quoting-style=escape", "--file", path, NULL},
            NULL, G_SPAWN_DEFAULT, NULL, NULL, &output, &complaints, &status, &error));
    g_spawn_check_wait_status(status, &error);
    g_assert_no_error(error);
    g_assert_cmpstr(complaints, ==, "");
    g_free(complaints);
    return output;
}

static void fill_types(TarWriter *tar) {
    add(tar, &(TarEntry){.name = "./", .mode = S_IFDIR | 0755, .mtime = 86400});
    add(tar, &(TarEntry){.name = "./file", .mode = S_IFREG | 04751, .uid = 1, .gid = 2, .size = 3});
    g_assert_true(tar_writer_data(tar, "abc", 3, NULL));
    add(tar, &(TarEntry){.name = "./hard", .mode = S_IFREG | 0644, .link = "./file", .is_hard_link = TRUE});
    add(tar, &(TarEntry){.name = "./soft", .mode = S_IFLNK | 0777, .link = "file"});
    add(tar, &(TarEntry){.name = "./tty", .mode = S_IFCHR | 0620, .device = makedev(4, 65)});
    add(tar, &(TarEntry){.name = "./disk", .mode = S_IFBLK | 0660, .device = makedev(259, 1)});
    add(tar, &(TarEntry){.name = "./pipe", .mode = S_IFIFO | 0600, .mtime = -5});
}

static void test_types(void) {
    g_autofree char *list = listed(fill_types);
    if (list)
        g_assert_cmpstr(list, ==,
                "drwxr-xr-x 0/0               0 1970-01-02 00:00:00 ./\n"
                "-rwsr-x--x 1/2               3 1970-01-01 00:00:00 ./file\n"
                "hrw-r--r-- 0/0               0 1970-01-01 00:00:00 ./hard link to ./file\n"
                "lrwxrwxrwx 0/0               0 1970-01-01 00:00:00 ./soft -> file\n"
                "crw--w---- 0/0            4,65 1970-01-01 00:00:00 ./tty\n"
                "brw-rw---- 0/0           259,1 1970-01-01 00:00:00 ./disk\n"
                "prw------- 0/0               0 1969-12-31 23:59:55 ./pipe\n");
}

/* Names of every length around the limits of the fields. */
static void fill_names(TarWriter *tar) {
    for (gsize length = 90; length < 280; length++) {
        g_autofree char *name = g_strnfill(length, 'n');
        name[0] = '.';
        name[1] = name[length / 2] = '/';
        add(tar, &(TarEntry){.name = name, .mode = S_IFLNK | 0777, .link = name + 2});
        name[length - 1] = '/';
        add(tar, &(TarEntry){.name = name, .mode = S_IFDIR | 0755});
    }
}

static void test_names(void) {
    g_autofree char *list = listed(fill_names);
    if (!list)
        return;
    g_auto(GStrv) lines = g_strsplit(list, "\n", -1);
    guint n = 0;
    for (gsize length = 90; length < 280; length++) {
        g_autofree char *name = g_strnfill(length, 'n');
        name[0] = '.';
        name[1] = name[length / 2] = '/';
        g_autofree char *link = g_strdup_printf(" %s -> %s", name, name + 2);
        g_assert_true(g_str_has_suffix(lines[n++], link));
        name[length - 1] = '/';
        g_autofree char *directory = g_strdup_printf(" %s", name);
        g_assert_true(g_str_has_suffix(lines[n++], directory));
    }
}

static void fill_numbers(TarWriter *tar) {
    add(tar, &(TarEntry){.name = "./a", .mode = S_IFREG | 0644, .uid = 2097151, .gid = 2097152});
    add(tar, &(TarEntry){.name = "./b", .mode = S_IFREG | 0644, .uid = G_MAXUINT32 - 1, .gid = 2147352576});
    add(tar, &(TarEntry){.name = "./late", .mode = S_IFREG | 0644, .mtime = G_GINT64_CONSTANT(1) << 33});
    /* Records of which the length has one digit more because of its own digits. */
    for (gsize size = 70; size < 110; size++) {
        g_autofree char *value = g_strnfill(size, 'v');
        tar_writer_add_record(tar, "SCHILY.xattr.user.x", value, size);
        add(tar, &(TarEntry){.name = "./c", .mode = S_IFREG | 0644});
    }
}

static void test_numbers(void) {
    g_autofree char *list = listed(fill_numbers);
    if (list) {
        g_assert_nonnull(strstr(list, " 2097151/2097152 "));
        g_assert_nonnull(strstr(list, " 4294967294/2147352576 "));
        g_assert_nonnull(strstr(list, " 2242-03-16 12:56:32 ./late\n"));
        g_auto(GStrv) lines = g_strsplit(list, "\n", -1);
        g_assert_cmpuint(g_strv_length(lines), ==, 3 + 40 + 1);
    }
}

/* More than the octal field of a size can hold. */
static void test_large(void) {
    g_autoptr(GError) error = NULL;
    AUTO_FD fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    g_autoptr(Compressor) compressor = compressor_new(fd, COMPRESSOR_NONE, 0, 0, &error);
    g_autoptr(TarWriter) tar = tar_writer_new(compressor);
    g_autofree char *content = NULL;
    gsize length;

    add(tar, &(TarEntry){.name = "./large", .mode = S_IFREG | 0644, .size = G_GUINT64_CONSTANT(1) << 33});
    g_assert_true(compressor_finish(compressor, &error));
    g_assert_true(g_file_get_contents(path, &content, &length, &error));
    g_assert_cmpuint(length, ==, 3 * 512);
    g_assert_cmpstr(content + 512, ==, "19 size=8589934592\n");
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    g_autoptr(GError) error = NULL;
    int fd = g_file_open_tmp("tar-XXXXXX", &path, &error);
    g_assert_no_error(error);
    close(fd);
    g_test_add_func("/tar/types", test_types);
    g_test_add_func("/tar/names", test_names);
    g_test_add_func("/tar/numbers", test_numbers);
    g_test_add_func("/tar/large", test_large);
    int status = g_test_run();
    g_unlink(path);
    g_free(path);
    return status;
}
