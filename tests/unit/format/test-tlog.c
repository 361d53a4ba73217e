/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "format/tlog/tlog-proof.h"

#include <gio/gio.h>
#include <glib/gstdio.h>
#include <string.h>

#include "base/directory.h"
#include "base/hex.h"
#include "tlog-tool.h"

/* What the log of RFC 6962's reference implementation consists of, and its roots. */
static const struct {
    const char *leaf, *root;
} reference[] = {
        {"", "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"},
        {"00", "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"},
        {"10", "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77"},
        {"2021", "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7"},
        {"3031", "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4"},
        {"40414243", "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef"},
        {"5051525354555657", "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c"},
        {"606162636465666768696a6b6c6d6e6f", "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"},
};

static void test_reference(void) {
    g_autoptr(TlogTree) tree = tlog_tree_new();
    TlogHash root = tlog_tree_get_root(tree);
    g_autofree char *empty = hex_encode(root.bytes, sizeof root.bytes);

    g_assert_cmpstr(empty, ==, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    for (guint i = 0; i < G_N_ELEMENTS(reference); i++) {
        g_autoptr(GBytes) leaf = hex_decode(reference[i].leaf, -1);
        TlogHash hash = tlog_leaf_hash(g_bytes_get_data(leaf, NULL), g_bytes_get_size(leaf));
        tlog_tree_append(tree, &hash);
        root = tlog_tree_get_root(tree);
        g_autofree char *text = hex_encode(root.bytes, sizeof root.bytes);
        g_assert_cmpstr(text, ==, reference[i].root);
    }
}

static TlogTree *make_tree(guint n) {
    TlogTree *tree = tlog_tree_new();

    for (guint i = 0; i < n; i++) {
        TlogHash hash = tlog_leaf_hash(&i, sizeof i);
        tlog_tree_append(tree, &hash);
    }
    return tree;
}

static TlogHash root_of(const TlogTree *tree, guint64 size) {
    TlogReader reader = tlog_tree_reader(tree);
    TlogHash root;

    g_assert_true(tlog_root(&reader, size, &root, NULL));
    return root;
}

static TlogHash *hashes_of(GArray *path) {
    return (TlogHash *) (gpointer) path->data;
}

#define PROVED 70

static void test_inclusion(void) {
    g_autoptr(TlogTree) tree = make_tree(PROVED);
    TlogReader reader = tlog_tree_reader(tree);

    for (guint size = 1; size <= PROVED; size++) {
        TlogHash root = root_of(tree, size);
        for (guint index = 0; index < size; index++) {
            g_autoptr(GArray) path = tlog_prove_inclusion(&reader, index, size, NULL);
            TlogHash leaf = tlog_leaf_hash(&index, sizeof index), other = tlog_leaf_hash("x", 1);

            g_assert_true(tlog_check_inclusion(hashes_of(path), path->len, index, size, &leaf, &root, NULL));
            g_assert_false(tlog_check_inclusion(hashes_of(path), path->len, index, size, &other, &root, NULL));
            g_assert_false(tlog_check_inclusion(hashes_of(path), path->len, index, size, &leaf, &other, NULL));
            if (size > 1)
                g_assert_false(tlog_check_inclusion(
                        hashes_of(path), path->len, (index + 1) % size, size, &leaf, &root, NULL));
            g_assert_false(tlog_check_inclusion(hashes_of(path), path->len, index + size, size, &leaf, &root, NULL));
            g_assert_true(path->len == 0 ||
                          !tlog_check_inclusion(hashes_of(path), path->len - 1, index, size, &leaf, &root, NULL));
            g_array_append_val(path, other);
            g_assert_false(tlog_check_inclusion(hashes_of(path), path->len, index, size, &leaf, &root, NULL));
        }
    }
}

static void test_consistency(void) {
    g_autoptr(TlogTree) tree = make_tree(PROVED);
    TlogReader reader = tlog_tree_reader(tree);
    TlogHash other = tlog_leaf_hash("x", 1);

    for (guint size = 1; size <= PROVED; size++)
        for (guint old = 1; old <= size; old++) {
            g_autoptr(GArray) path = tlog_prove_consistency(&reader, old, size, NULL);
            TlogHash before = root_of(tree, old), now = root_of(tree, size);

            g_assert_true(tlog_check_consistency(hashes_of(path), path->len, old, &before, size, &now, NULL));
            g_assert_false(tlog_check_consistency(hashes_of(path), path->len, old, &other, size, &now, NULL));
            g_assert_false(tlog_check_consistency(hashes_of(path), path->len, old, &before, size, &other, NULL));
            g_assert_false(tlog_check_consistency(hashes_of(path), path->len, size + 1, &before, size, &now, NULL));
            for (guint i = 0; i < path->len; i++) {
                TlogHash kept = hashes_of(path)[i];
                hashes_of(path)[i] = other;
                g_assert_false(tlog_check_consistency(hashes_of(path), path->len, old, &before, size, &now, NULL));
                hashes_of(path)[i] = kept;
            }
            g_array_append_val(path, other);
            g_assert_false(tlog_check_consistency(hashes_of(path), path->len, old, &before, size, &now, NULL));
        }
}

static void test_paths(void) {
    static const struct {
        guint level;
        guint64 index;
        guint width;
        const char *path;
    } cases[] = {
            {0, 0, 256, "tile/0/000"},
            {0, 1234067, 256, "tile/0/x001/x234/067"},
            {2, 999, 1, "tile/2/999.p/1"},
            {1, 1000, 255, "tile/1/x001/000.p/255"},
            {TLOG_TILE_ENTRIES, 5, 256, "tile/entries/005"},
    };

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *path = tlog_tile_path(cases[i].level, cases[i].index, cases[i].width);
        g_assert_cmpstr(path, ==, cases[i].path);
    }
    /* The example of the specification. */
    g_assert_cmpuint(tlog_tile_width(0, 272, 70000), ==, 256);
    g_assert_cmpuint(tlog_tile_width(0, 273, 70000), ==, 112);
    g_assert_cmpuint(tlog_tile_width(1, 1, 70000), ==, 17);
    g_assert_cmpuint(tlog_tile_width(2, 0, 70000), ==, 1);
    g_assert_cmpuint(tlog_tile_width(3, 0, 70000), ==, 0);
    g_assert_cmpuint(tlog_tile_width(1, 0, 256), ==, 1);
}

/* The note of the specification, with the key that signed it. */
static void test_note(void) {
    static const char note[] = "If you think cryptography is the answer to your problem,\n"
                               "then you don't know what your problem is.\n"
                               "\n"
                               "\xe2\x80\x94 PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2p"
                               "ZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";
    static const char key[] = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
    g_auto(TlogVerifier) verifier = {NULL};
    g_autoptr(GError) error = NULL;

    g_assert_true(tlog_verifier_parse(key, &verifier, &error));
    g_assert_no_error(error);
    g_autofree char *again = tlog_verifier_to_text(&verifier);
    g_assert_cmpstr(again, ==, key);
    g_autofree char *text = tlog_note_open(note, strlen(note), &verifier, &error);
    g_assert_no_error(error);
    g_assert_true(g_str_has_suffix(text, "what your problem is.\n"));
    for (gsize i = 0; i < strlen(note); i++) {
        g_autofree char *bad = g_strdup(note);
        bad[i] ^= 1;
        g_autofree char *opened = tlog_note_open(bad, strlen(bad), &verifier, NULL);
        g_assert_null(opened);
        g_autofree char *cut = tlog_note_open(note, i, &verifier, NULL);
        g_assert_null(cut);
    }
}

static void test_keys(void) {
    static const char *const bad[] = {
            "",
            "PeterNeumann",
            "PeterNeumann+c74f20a3+",
            "PeterNeumann+c74f20a4+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
            "PeterNeuman+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
            "Peter Neumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
            "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10T",
            "PeterNeumann+c74f20a3+BBpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
    };
    g_auto(TlogVerifier) verifier = {NULL};

    for (guint i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autoptr(GError) error = NULL;
        g_assert_false(tlog_verifier_parse(bad[i], &verifier, &error));
        g_assert_error(error, TLOG_ERROR, TLOG_ERROR_MALFORMED);
    }
}

static void test_proof_file(void) {
    g_auto(TlogVerifier) verifier = {NULL};
    g_auto(TlogProof) proof = {.index = 5, .extra = g_bytes_new("known", 5)};
    g_auto(TlogProof) again = {0};
    g_auto(TlogCheckpoint) checkpoint = {NULL};
    g_autoptr(TlogTree) tree = make_tree(9);
    TlogReader reader = tlog_tree_reader(tree);
    guint entry = 5, other = 6;

    tlog_tool_verifier(&verifier);
    proof.checkpoint = tlog_tool_checkpoint(&reader, 9);
    proof.path = tlog_prove_inclusion(&reader, 5, 9, NULL);
    g_autofree char *text = tlog_proof_to_text(&proof);
    g_assert_true(tlog_proof_parse(text, strlen(text), &again, NULL));
    g_assert_cmpuint(again.index, ==, 5);
    g_assert_true(g_bytes_equal(again.extra, proof.extra));
    g_assert_true(tlog_proof_check(&again, &entry, sizeof entry, &verifier, &checkpoint, NULL));
    g_assert_cmpuint(checkpoint.size, ==, 9);
    g_assert_false(tlog_proof_check(&again, &other, sizeof other, &verifier, &checkpoint, NULL));
    for (gsize i = 0; i < strlen(text); i++) {
        g_auto(TlogProof) cut = {0};
        g_auto(TlogCheckpoint) seen = {NULL};
        g_assert_false(tlog_proof_parse(text, i, &cut, NULL) &&
                       tlog_proof_check(&cut, &entry, sizeof entry, &verifier, &seen, NULL));
    }
}

/* ---- directories ---- */

static char *base;

static void remove_tree(const char *path) {
    g_autoptr(GPtrArray) names = list_directory_if_any(path);

    for (guint i = 0; i < names->len; i++) {
        g_autofree char *inner = g_build_filename(path, names->pdata[i], NULL);
        remove_tree(inner);
    }
    (void) g_remove(path);
}

static TlogStore *open_store(const char *path, GError **error) {
    g_auto(TlogVerifier) verifier = {NULL};

    tlog_tool_verifier(&verifier);
    return tlog_store_open(path, &verifier, error);
}

static void grow(const char *path, guint64 size) {
    g_autoptr(GError) error = NULL;
    g_autoptr(TlogStore) store = open_store(path, &error);

    g_assert_no_error(error);
    tlog_tool_grow(store, size);
    TlogReader reader = tlog_store_reader(store);
    g_autofree char *checkpoint = tlog_tool_checkpoint(&reader, size);
    g_assert_true(tlog_store_publish(store, checkpoint, &error));
    g_assert_no_error(error);
}

static GBytes *fetch(gpointer user, guint level, guint64 index, guint width, GError **error) {
    g_autofree char *name = tlog_tile_path(level, index, width);
    g_autofree char *path = g_build_filename(user, name, NULL);
    char *data = NULL;
    gsize size;

    return g_file_get_contents(path, &data, &size, error) ? g_bytes_new_take(data, size) : NULL;
}

/* The tiles say what the tree in memory does. */
static void check_tiles(const char *path, guint64 size) {
    g_autoptr(TlogTiles) tiles = tlog_tiles_new(size, fetch, (gpointer) path);
    g_autoptr(GError) error = NULL;
    TlogReader reader = tlog_tiles_reader(tiles);
    g_autoptr(TlogStore) store = open_store(path, &error);
    TlogHash by_tiles, by_tree;
    TlogReader inner = tlog_store_reader(store);

    g_assert_cmpuint(tlog_store_get_size(store), ==, size);
    g_assert_true(tlog_root(&reader, size, &by_tiles, &error));
    g_assert_no_error(error);
    g_assert_true(tlog_root(&inner, size, &by_tree, NULL));
    g_assert_true(tlog_hash_equal(&by_tiles, &by_tree));
    for (guint64 index = 0; index < size; index += 1 + size / 40) {
        g_autoptr(GArray) path_of = tlog_prove_inclusion(&reader, index, size, &error);
        g_assert_no_error(error);
        g_autofree char *entry = g_strdup_printf("entry %" G_GUINT64_FORMAT, index);
        TlogHash leaf = tlog_leaf_hash(entry, strlen(entry));
        g_assert_true(
                tlog_check_inclusion(hashes_of(path_of), path_of->len, index, size, &leaf, &by_tree, &error));
        g_autoptr(GArray) since = tlog_prove_consistency(&reader, index, size, &error);
        g_assert_no_error(error);
    }
}

static void test_store(void) {
    static const guint64 sizes[] = {1, 2, 255, 256, 257, 511, 513, 65536, 65537, 66000};
    g_autofree char *path = g_build_filename(base, "store", NULL);

    for (guint i = 0; i < G_N_ELEMENTS(sizes); i++) {
        grow(path, sizes[i]);
        check_tiles(path, sizes[i]);
    }
    remove_tree(path);
}

/* Each file of a log may be missing, and is made anew as far as it can be. */
static void test_repair(void) {
    static const char *const names[] = {"tile/0/000", "tile/0/001", "tile/0/002.p/88", "tile/1/000.p/2"};
    g_autofree char *path = g_build_filename(base, "repair", NULL);

    grow(path, 600);
    for (guint i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *file = g_build_filename(path, names[i], NULL);
        g_assert_cmpint(g_unlink(file), ==, 0);
        check_tiles(path, 600);
        g_assert_true(g_file_set_contents(file, "damaged", -1, NULL));
        check_tiles(path, 600);
    }
    g_autofree char *hashes = g_build_filename(path, "tile/0/001", NULL);
    g_autofree char *zeros = g_malloc0(TLOG_TILE_WIDTH * SHA256_SIZE);
    g_assert_true(g_file_set_contents(hashes, zeros, TLOG_TILE_WIDTH * SHA256_SIZE, NULL));
    check_tiles(path, 600);
    remove_tree(path);
}

static void test_damage(void) {
    g_autofree char *path = g_build_filename(base, "damage", NULL);
    g_autofree char *hashes = g_build_filename(path, "tile/0/000", NULL);
    g_autofree char *entries = g_build_filename(path, "tile/entries/000", NULL);
    g_autoptr(GError) error = NULL;

    grow(path, 300);
    g_assert_cmpint(g_unlink(hashes), ==, 0);
    g_assert_true(g_file_set_contents(entries, "none", -1, NULL));
    g_autoptr(TlogStore) store = open_store(path, &error);
    g_assert_null(store);
    g_assert_error(error, TLOG_ERROR, TLOG_ERROR_DAMAGED);
    remove_tree(path);
}

/* A checkpoint over other entries, or a shorter log, is not shown. */
static void test_wrong_checkpoint(void) {
    g_autofree char *path = g_build_filename(base, "wrong", NULL);
    g_autoptr(TlogStore) store = open_store(path, NULL);
    g_autoptr(GError) error = NULL;

    tlog_tool_grow(store, 5);
    TlogReader reader = tlog_store_reader(store);
    g_autofree char *shorter = tlog_tool_checkpoint(&reader, 4);
    g_assert_false(tlog_store_publish(store, shorter, &error));
    g_assert_error(error, TLOG_ERROR, TLOG_ERROR_DAMAGED);
    g_clear_error(&error);
    g_autofree char *good = tlog_tool_checkpoint(&reader, 5);
    g_autofree char *bad = g_strdup(good);
    bad[strlen(TLOG_TOOL_NAME) + 1] = '6';
    g_assert_false(tlog_store_publish(store, bad, &error));
    g_assert_error(error, TLOG_ERROR, TLOG_ERROR_SIGNATURE);
    g_assert_true(tlog_store_publish(store, good, NULL));
    remove_tree(path);
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    base = g_dir_make_tmp("tlog-XXXXXX", NULL);
    g_assert_nonnull(base);
    g_test_add_func("/tlog/reference", test_reference);
    g_test_add_func("/tlog/inclusion", test_inclusion);
    g_test_add_func("/tlog/consistency", test_consistency);
    g_test_add_func("/tlog/paths", test_paths);
    g_test_add_func("/tlog/note", test_note);
    g_test_add_func("/tlog/keys", test_keys);
    g_test_add_func("/tlog/proof-file", test_proof_file);
    g_test_add_func("/tlog/store", test_store);
    g_test_add_func("/tlog/repair", test_repair);
    g_test_add_func("/tlog/damage", test_damage);
    g_test_add_func("/tlog/wrong-checkpoint", test_wrong_checkpoint);
    int result = g_test_run();
    remove_tree(base);
    g_free(base);
    return result;
}
