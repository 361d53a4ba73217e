/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "recipe-fixture.h"

#include <ftw.h>
#include <glib/gstdio.h>

static char *directory;

static int remove_entry(const char *path, const struct stat *info, int type, struct FTW *walk) {
    return g_remove(path);
}

void fixture_remove(void) {
    if (directory)
        nftw(directory, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
    g_clear_pointer(&directory, g_free);
}

void fixture_new(void) {
    fixture_remove();
    directory = g_dir_make_tmp("recipe-test-XXXXXX", NULL);
    g_assert_nonnull(directory);
    /* What the host is must not matter. */
    g_setenv("MKOSI_HOST_DISTRIBUTION", "debian", TRUE);
    g_setenv("MKOSI_HOST_RELEASE", "trixie", TRUE);
}

const char *fixture_directory(void) {
    return directory;
}

void fixture_write(const char *name, const char *text) {
    g_autofree char *path = g_build_filename(directory, name, NULL);
    g_autofree char *parent = g_path_get_dirname(path);
    g_assert_cmpint(g_mkdir_with_parents(parent, 0755), ==, 0);
    g_assert_true(g_file_set_contents(path, text, -1, NULL));
}

Recipe *fixture_load(const char *const *options, GError **error) {
    g_autoptr(GPtrArray) argv = g_ptr_array_new();
    g_ptr_array_add(argv, "particleos");
    g_ptr_array_add(argv, "-C");
    g_ptr_array_add(argv, directory);
    for (; options && *options; options++)
        g_ptr_array_add(argv, (char *) *options);
    g_ptr_array_add(argv, "summary");
    g_ptr_array_add(argv, NULL);
    return recipe_load(argv->len - 1, (char **) argv->pdata, NULL, error);
}
