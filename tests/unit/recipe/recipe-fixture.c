/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "recipe-fixture.h"

#include <ftw.h>
#include <glib/gstdio.h>

#include "recipe/language/settings.h"

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

static GPtrArray *make_assignments(const char *const *texts) {
    GPtrArray *assignments = g_ptr_array_new_with_free_func((GDestroyNotify) recipe_assignment_free);
    for (; texts && *texts; texts++) {
        g_auto(GStrv) pair = g_strsplit(*texts, "=", 2);
        const Setting *setting = setting_by_name(pair[0]);
        g_assert_nonnull(setting);
        g_autofree char *option = g_strconcat("--", setting->option, NULL);
        g_ptr_array_add(assignments, recipe_assignment_new(pair[0], pair[1], option, directory));
    }
    return assignments;
}

static Recipe *load_from(const char *from, const char *const *texts, GError **error) {
    g_autoptr(GPtrArray) assignments = make_assignments(texts);
    const RecipeRequest request = {
            .directory = from,
            .assignments = assignments,
            .wants = RECIPE_WANTS_IMAGES | RECIPE_WANTS_HISTORY,
    };
    return recipe_load(&request, error);
}

Recipe *fixture_load(const char *const *assignments, GError **error) {
    return load_from(directory, assignments, error);
}

Recipe *fixture_load_nothing(const char *const *assignments, GError **error) {
    return load_from(NULL, assignments, error);
}
