/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <glib/gstdio.h>
#include <unistd.h>
#include <utime.h>

#include "base/errors.h"
#include "pipeline/layers/layer.h"

typedef struct {
    char *directory;
    char *cache;
    char *tree;
} Fixture;

static void set_up(Fixture *f, gconstpointer data) {
    f->directory = g_dir_make_tmp("layer-XXXXXX", NULL);
    f->cache = g_build_filename(f->directory, "cache", NULL);
    f->tree = g_build_filename(f->directory, "tree", NULL);
    g_assert_cmpint(g_mkdir(f->tree, 0755), ==, 0);
    g_autofree char *file = g_build_filename(f->tree, "file", NULL);
    g_assert_true(g_file_set_contents(file, "content", -1, NULL));
}

static void tear_down(Fixture *f, gconstpointer data) {
    g_autofree char *command = g_strdup_printf("rm -rf %s", f->directory);
    g_assert_cmpint(system(command), ==, 0);
    g_free(f->directory);
    g_free(f->cache);
    g_free(f->tree);
}

static LayerInputs *inputs_with(const char *packages) {
    LayerInputs *inputs = layer_inputs_new();
    layer_inputs_add(inputs, "Packages", packages);
    return inputs;
}

static void test_store_and_find(Fixture *f, gconstpointer data) {
    g_autoptr(LayerInputs) inputs = inputs_with("a b");
    g_autoptr(LayerInputs) same = inputs_with("a b");
    g_autoptr(GError) error = NULL;

    g_assert_null(layer_lookup(f->cache, "x", inputs, "main"));
    g_autofree char *stored = layer_store(f->cache, "x", inputs, f->tree, &error);
    g_assert_no_error(error);
    g_autofree char *found = layer_lookup(f->cache, "x", same, "main");
    g_assert_cmpstr(found, ==, stored);
    g_autofree char *file = g_build_filename(found, "file", NULL);
    g_assert_true(g_file_test(file, G_FILE_TEST_IS_REGULAR));
    g_assert_false(g_file_test(f->tree, G_FILE_TEST_EXISTS));
}

static void test_changed_input(Fixture *f, gconstpointer data) {
    g_autoptr(LayerInputs) inputs = inputs_with("a b");
    g_autoptr(LayerInputs) other = inputs_with("a b c");
    g_autoptr(LayerInputs) more = inputs_with("a b");
    g_autoptr(LayerInputs) fewer = layer_inputs_new();
    g_autofree char *stored = layer_store(f->cache, "x", inputs, f->tree, NULL);

    g_assert_nonnull(stored);
    layer_inputs_add(more, "Release", "trixie");
    g_assert_null(layer_lookup(f->cache, "x", other, "main"));
    g_assert_null(layer_lookup(f->cache, "x", more, "main"));
    g_assert_null(layer_lookup(f->cache, "x", fewer, "main"));
}

static void test_interrupted_store(Fixture *f, gconstpointer data) {
    g_autoptr(LayerInputs) inputs = inputs_with("a");
    g_autofree char *stored = layer_store(f->cache, "x", inputs, f->tree, NULL);
    g_autofree char *manifest = g_build_filename(f->cache, "x.cache.json", NULL);

    /* A layer whose manifest was not written yet does not count. */
    g_assert_cmpint(g_unlink(manifest), ==, 0);
    g_assert_null(layer_lookup(f->cache, "x", inputs, "main"));
    g_assert_true(g_file_set_contents(manifest, "{ \"format\": ", -1, NULL));
    g_assert_null(layer_lookup(f->cache, "x", inputs, "main"));
}

static void test_unset_is_not_empty(void) {
    g_autoptr(LayerInputs) unset = inputs_with(NULL);
    g_autoptr(LayerInputs) empty = inputs_with("");
    g_assert_cmpstr(layer_inputs_key(unset), !=, layer_inputs_key(empty));
}

static void test_paths(Fixture *f, gconstpointer data) {
    g_autoptr(LayerInputs) before = layer_inputs_new();
    g_autoptr(LayerInputs) after = layer_inputs_new();
    g_autofree char *file = g_build_filename(f->tree, "file", NULL);
    g_autoptr(GError) error = NULL;

    g_assert_true(layer_inputs_add_path(before, "tree", f->tree, -1, &error));
    g_assert_no_error(error);
    g_assert_cmpint(g_chmod(file, 0600), ==, 0);
    g_assert_true(layer_inputs_add_path(after, "tree", f->tree, -1, &error));
    g_assert_no_error(error);
    g_assert_cmpstr(layer_inputs_key(before), !=, layer_inputs_key(after));
}

/* Times count only where they get into the image, and never beyond the epoch. */
static void test_times(Fixture *f, gconstpointer data) {
    g_autofree char *file = g_build_filename(f->tree, "file", NULL);
    struct utimbuf times = {1000, 1000};
    const gint64 epochs[] = {-1, 1500, 1000, 3000};
    gboolean same[] = {TRUE, FALSE, TRUE, FALSE};
    char *keys[2][4];

    for (int round = 0; round < 2; round++) {
        times.modtime = round == 0 ? 1000 : 2000;
        g_assert_cmpint(g_utime(file, &times), ==, 0);
        times.modtime = 500;
        g_assert_cmpint(g_utime(f->tree, &times), ==, 0);
        for (int i = 0; i < 4; i++) {
            g_autoptr(LayerInputs) inputs = layer_inputs_new();
            g_assert_true(layer_inputs_add_path(inputs, "tree", f->tree, epochs[i], NULL));
            keys[round][i] = g_strdup(layer_inputs_key(inputs));
        }
    }
    for (int i = 0; i < 4; i++) {
        g_assert_cmpint(g_str_equal(keys[0][i], keys[1][i]), ==, same[i]);
        g_free(keys[0][i]);
        g_free(keys[1][i]);
    }
}

static void test_links(Fixture *f, gconstpointer data) {
    g_autofree char *link = g_build_filename(f->directory, "link", NULL);
    g_autofree char *file = g_build_filename(f->tree, "file", NULL);
    g_autoptr(LayerInputs) before = layer_inputs_new();
    g_autoptr(LayerInputs) after = layer_inputs_new();

    g_assert_cmpint(symlink(f->tree, link), ==, 0);
    ignore_failure(layer_inputs_add_path(before, "tree", link, -1, NULL));
    g_assert_true(g_file_set_contents(file, "changed", -1, NULL));
    ignore_failure(layer_inputs_add_path(after, "tree", link, -1, NULL));
    g_assert_cmpstr(layer_inputs_key(before), !=, layer_inputs_key(after));
}

int main(int argc, char *argv[]) {
    g_test_init(&argc, &argv, NULL);
    g_test_add("/layer/store", Fixture, NULL, set_up, test_store_and_find, tear_down);
    g_test_add("/layer/changed", Fixture, NULL, set_up, test_changed_input, tear_down);
    g_test_add("/layer/interrupted", Fixture, NULL, set_up, test_interrupted_store, tear_down);
    g_test_add("/layer/paths", Fixture, NULL, set_up, test_paths, tear_down);
    g_test_add("/layer/times", Fixture, NULL, set_up, test_times, tear_down);
    g_test_add("/layer/links", Fixture, NULL, set_up, test_links, tear_down);
    g_test_add_func("/layer/unset", test_unset_is_not_empty);
    return g_test_run();
}
