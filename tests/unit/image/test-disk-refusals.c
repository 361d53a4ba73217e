/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Disks that cannot be made: what is said, and what is left behind. */

#include "disk-fixture.h"

#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

static void assert_only_inputs(const Fixture *fixture) {
    static const char *const inputs[] = {"root", "definitions", "test.key", "test.crt", NULL};
    g_autoptr(GDir) dir = g_dir_open(fixture->top, 0, NULL);
    const char *name;

    while ((name = g_dir_read_name(dir)))
        if (!g_strv_contains(inputs, name))
            g_error("%s was left behind", name);
}

/* What a file system cannot hold is said before it is made, with the definition and the limit. */
static void test_limits(Fixture *fixture, gconstpointer data) {
    static const struct {
        const char *name; /* of a file, or of a directory that ends with a slash */
        guint64 size;
        const char *settings, *message;
    } cases[] = {
            {"boot/a:b", 1, "Format=vfat", "/a:b: a name there cannot contain"},
            {"boot/a\001b", 1, "Format=vfat", "/a\\001b: a name there cannot contain"},
            {"boot/\xff", 1, "Format=vfat", "is not valid UTF-8"},
            {"boot/dot.", 1, "Format=vfat", "/dot.: a name there cannot end"},
            {"boot/Loader/x", 1, "Format=vfat", "are one name there"},
            {"boot/loader/LOADER.CONF", 1, "Format=vfat", "are one name there"},
            {"boot/EFI/Linux/test_7+3.efi", 1, "Format=vfat\nCopyFiles=/efi:/",
                    "comes from /boot and from /efi"},
            {"boot/EFI/Linux", 1, "Format=vfat\nCopyFiles=/efi:/", "is a directory in one source"},
            {"boot/large", G_GUINT64_CONSTANT(5) << 30, "Format=vfat", "/large has 5.4 GB"},
            {"boot/large", 70 << 20, "Format=vfat", "the partition has 67.1 MB (raise SizeMinBytes="},
            {"boot/large", 40 << 20, "Format=ext4\nSizeMaxBytes=32M", "raise SizeMinBytes="},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        g_autofree char *name = g_strconcat("root/", cases[i].name, NULL), *path = in_top(fixture, name);
        g_autofree char *parent = g_path_get_dirname(path);
        g_autofree char *text = g_strdup_printf("Type=%s\nCopyFiles=/boot:/\nSizeMinBytes=%s\n%s",
                strstr(cases[i].settings, "vfat") ? "esp" : "srv",
                strstr(cases[i].settings, "vfat") ? "64M\nSizeMaxBytes=64M" : "32M", cases[i].settings);
        g_assert_cmpint(g_mkdir_with_parents(parent, 0755), ==, 0);
        if (cases[i].size > 64 * 1024 * 1024) {
            put(fixture->root, cases[i].name, "", 0);
            g_assert_cmpint(truncate(path, cases[i].size), ==, 0);
        } else
            put_random(fixture->root, cases[i].name, cases[i].size);
        define(fixture, "10-x.conf", text);
        g_autoptr(Disk) disk = disk_new(&fixture->options, &error);
        g_assert_no_error(error);
        g_assert_false(disk_write_volumes(disk, &error) && disk_write_esp(disk, &error));
        g_test_message("%s", error->message);
        g_assert_nonnull(strstr(error->message, "10-x.conf"));
        g_assert_nonnull(strstr(error->message, ": Format="));
        g_assert_nonnull(strstr(error->message, cases[i].message));
        g_assert_cmpint(unlink(path), ==, 0);
        (void) rmdir(parent);
        g_autofree char *made = in_top(fixture, "root/boot/EFI");
        (void) rmdir(made);
    }
}

/* Two partitions, one artifact: known before anything is written. */
static void test_split_twice(Fixture *fixture, gconstpointer data) {
    g_autoptr(GError) error = NULL;

    define(fixture, "10-a.conf", "Type=home\nSplitName=same");
    define(fixture, "20-b.conf", "Type=srv\nSplitName=same");
    fixture->options.split_prefix = fixture->prefix;
    g_assert_null(disk_new(&fixture->options, &error));
    g_assert_error(error, DISK_ERROR, DISK_ERROR_PLAN);
    g_assert_nonnull(strstr(error->message, "both give the split artifact \"same\""));
}

static void test_failures(Fixture *fixture, gconstpointer data) {
    static const struct {
        const char *text, *message;
    } cases[] = {
            {"Type=usr\nFormat=erofs\nCopyFiles=/nowhere:/\nMinimize=yes", "CopyFiles=/nowhere: "},
            {"Type=usr\nFormat=erofs\nCopyFiles=/usr:/\nSizeMaxBytes=64K\nMinimize=yes", "SizeMaxBytes="},
            {"Type=usr\nCopyBlocks=/usr/lib/os-release", "multiple of 512"},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        define(fixture, "10-usr.conf", cases[i].text);
        g_autoptr(Disk) disk = disk_new(&fixture->options, &error);
        g_assert_no_error(error);
        g_assert_false(disk_write_volumes(disk, &error) && disk_finish(disk, &error));
        g_assert_nonnull(error);
        g_assert_nonnull(strstr(error->message, "10-usr.conf"));
        if (!strstr(error->message, cases[i].message))
            g_error("unexpected message: %s", error->message);
        g_clear_pointer(&disk, disk_free);
        assert_only_inputs(fixture);
    }
}

int main(int argc, char **argv) {
    static const FixtureTest tests[] = {
            {"/disk-refusals/limits", test_limits},
            {"/disk-refusals/split-twice", test_split_twice},
            {"/disk-refusals/failures", test_failures},
    };
    return fixture_run(argc, argv, tests, G_N_ELEMENTS(tests));
}
