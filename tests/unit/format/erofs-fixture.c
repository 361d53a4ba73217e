/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "erofs-fixture.h"

#include <fcntl.h>
#include <ftw.h>
#include <glib/gstdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "sample-tree.h"
#include "tree-tool.h"

char *scratch, *sample;

char *scratch_path(const char *name) {
    return g_build_filename(scratch, name, NULL);
}

Opened open_image(const char *path, guint64 offset) {
    g_autoptr(GError) error = NULL;
    Opened opened = {.fd = open(path, O_RDONLY | O_CLOEXEC)};
    struct stat st;
    g_assert_cmpint(fstat(opened.fd, &st), ==, 0);
    opened.image = erofs_image_new_fd(opened.fd, offset, st.st_size - offset, &error);
    if (!opened.image)
        g_error("%s: %s", path, error->message);
    return opened;
}

void opened_clear(Opened *opened) {
    erofs_image_free(opened->image);
    close(opened->fd);
}

char *write_image(const char *name, ErofsCompression compression, guint32 cluster, guint64 offset) {
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

char *make_image(const char *options) {
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

static int set_time(const char *path, const struct stat *status, int type, struct FTW *where) {
    /* mkfs.erofs 1.9.4 drops the nanoseconds of files as old as the image. */
    static const struct timespec times[2] = {{1600000000, 123456789}, {1600000000, 123456789}};
    return utimensat(AT_FDCWD, path, times, AT_SYMLINK_NOFOLLOW);
}

void erofs_fixture_make(void) {
    g_autoptr(GError) error = NULL;
    scratch = g_dir_make_tmp("erofs-reader-XXXXXX", &error);
    g_assert_no_error(error);
    sample = scratch_path("sample");
    g_mkdir(sample, 0755);
    sample_tree_make_small(sample);
    g_assert_cmpint(nftw(sample, set_time, 16, FTW_PHYS | FTW_DEPTH), ==, 0);
}

void erofs_fixture_remove(void) {
    remove_tree(scratch);
    g_free(sample);
    g_free(scratch);
}
