/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Stores of packs: what was put in comes out, or nothing does, whatever happened to the files meanwhile. */

#include "packs/pack-store.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/directory.h"

#define VALUE_SIZE 5000
#define LIMIT ((guint64) 1 << 30)

static char *new_directory(void) {
    g_autoptr(GError) error = NULL;
    char *path = g_dir_make_tmp("packs-XXXXXX", &error);
    g_assert_no_error(error);
    return path;
}

static void remove_directory(const char *path) {
    g_autoptr(GPtrArray) names = list_directory_if_any(path);
    for (guint i = 0; i < names->len; i++) {
        g_autofree char *file = g_build_filename(path, names->pdata[i], NULL);
        g_assert_cmpint(g_unlink(file), ==, 0);
    }
    g_assert_cmpint(g_rmdir(path), ==, 0);
}

/* The Nth value, and its key. */
static void make_value(guint n, guint8 *key, guint8 *value) {
    memset(value, (int) n, VALUE_SIZE);
    memcpy(value, &n, sizeof n);
    sha256_buffer(value, VALUE_SIZE, key);
}

static PackStore *open_store(const char *directory, guint64 limit) {
    g_autoptr(GError) error = NULL;
    PackStore *store = pack_store_open(directory, limit, 0, &error);
    g_assert_no_error(error);
    return store;
}

static void add_values(PackStore *store, guint from, guint to) {
    guint8 key[SHA256_SIZE], value[VALUE_SIZE];
    for (guint n = from; n < to; n++) {
        make_value(n, key, value);
        pack_store_add(store, key, value, sizeof value);
    }
}

/* How many of the values are there; none may be another one. */
static guint count_values(PackStore *store, guint from, guint to) {
    guint8 key[SHA256_SIZE], value[VALUE_SIZE], found[VALUE_SIZE];
    gsize size;
    guint count = 0;
    for (guint n = from; n < to; n++) {
        make_value(n, key, value);
        if (!pack_store_find(store, key, found, sizeof found, &size))
            continue;
        g_assert_cmpmem(found, size, value, sizeof value);
        count++;
    }
    return count;
}

static PackStoreReport close_store(PackStore *store) {
    PackStoreReport report;
    pack_store_close(store, &report);
    return report;
}

static PackStoreReport fill(const char *directory, guint from, guint to, guint64 limit) {
    PackStore *store = open_store(directory, limit);
    add_values(store, from, to);
    return close_store(store);
}

static guint count_in(const char *directory, guint from, guint to) {
    PackStore *store = open_store(directory, LIMIT);
    guint count = count_values(store, from, to);
    close_store(store);
    return count;
}

/* The only pack. */
static char *find_pack(const char *directory) {
    g_autoptr(GPtrArray) names = list_directory_if_any(directory);
    g_assert_cmpuint(names->len, ==, 1);
    return g_build_filename(directory, names->pdata[0], NULL);
}

static void test_keeps(void) {
    g_autofree char *directory = new_directory();
    guint8 key[SHA256_SIZE], value[VALUE_SIZE];
    gsize size;

    PackStoreReport report = fill(directory, 0, 20, LIMIT);
    g_assert_cmpuint(report.added, ==, 20);
    PackStore *store = open_store(directory, LIMIT);
    g_assert_cmpuint(count_values(store, 0, 30), ==, 20);
    make_value(3, key, value);
    g_assert_false(pack_store_find(store, key, value, sizeof value - 1, &size));
    report = close_store(store);
    g_assert_cmpuint(report.found, ==, 20);
    g_assert_cmpuint(report.added, ==, 0);
    g_assert_null(report.failure);
    remove_directory(directory);
}

static void test_forget_flag(void) {
    g_autofree char *directory = new_directory();
    fill(directory, 0, 5, LIMIT);
    PackStore *store = pack_store_open(directory, LIMIT, PACK_STORE_FORGET, NULL);
    g_assert_cmpuint(count_values(store, 0, 5), ==, 0);
    close_store(store);
    g_assert_cmpuint(count_in(directory, 0, 5), ==, 5);
    remove_directory(directory);
}

/* Every byte of a pack matters: with one changed, a value is as it was, or not there. */
static void test_changed(void) {
    g_autofree char *directory = new_directory();
    fill(directory, 0, 3, LIMIT);
    g_autofree char *pack = find_pack(directory), *content = NULL;
    gsize length;
    g_assert_true(g_file_get_contents(pack, &content, &length, NULL));
    for (gsize at = 0; at < length; at += at < 3 * VALUE_SIZE ? 97 : 1) {
        content[at] ^= 1;
        g_assert_true(g_file_set_contents(pack, content, (gssize) length, NULL));
        g_assert_cmpuint(count_in(directory, 0, 3), <, 3);
        /* It is gone, so that the next build can put a good one there. */
        g_assert_false(g_file_test(pack, G_FILE_TEST_EXISTS));
        content[at] ^= 1;
    }
    g_rmdir(directory);
}

static void test_truncated(void) {
    g_autofree char *directory = new_directory();
    fill(directory, 0, 3, LIMIT);
    g_autofree char *pack = find_pack(directory), *content = NULL;
    gsize length;
    g_assert_true(g_file_get_contents(pack, &content, &length, NULL));
    for (gsize left = 0; left < length; left += 61) {
        g_assert_true(g_file_set_contents(pack, content, (gssize) left, NULL));
        g_assert_cmpuint(count_in(directory, 0, 3), ==, 0);
        g_assert_false(g_file_test(pack, G_FILE_TEST_EXISTS));
    }
    g_rmdir(directory);
}

/* While it is in use. */
static void test_truncated_later(void) {
    g_autofree char *directory = new_directory();
    fill(directory, 0, 3, LIMIT);
    g_autofree char *pack = find_pack(directory);
    PackStore *store = open_store(directory, LIMIT);
    g_assert_cmpint(truncate(pack, 100), ==, 0);
    g_assert_cmpuint(count_values(store, 0, 3), ==, 0);
    PackStoreReport report = close_store(store);
    g_assert_cmpuint(report.damaged, ==, 1);
    remove_directory(directory);
}

/* What is no pack of ours is neither read nor followed. */
static void test_strange_files(void) {
    g_autofree char *directory = new_directory();
    g_autofree char *link = g_build_filename(directory, "link.pack", NULL);
    g_autofree char *fifo = g_build_filename(directory, "fifo.pack", NULL);
    g_assert_cmpint(symlink("/etc/passwd", link), ==, 0);
    g_assert_cmpint(mkfifo(fifo, 0600), ==, 0);
    g_assert_cmpuint(count_in(directory, 0, 3), ==, 0);
    remove_directory(directory);
}

static void test_limit(void) {
    g_autofree char *directory = new_directory();
    guint64 limit = 25 * VALUE_SIZE;
    fill(directory, 0, 10, limit);
    g_usleep(20000);
    fill(directory, 10, 20, limit);
    g_usleep(20000);
    /* The first is used again, so the second is the one that nobody needs. */
    PackStore *store = open_store(directory, limit);
    g_assert_cmpuint(count_values(store, 0, 10), ==, 10);
    add_values(store, 20, 30);
    g_usleep(20000);
    PackStoreReport report = close_store(store);
    g_assert_cmpuint(report.forgotten, ==, 1);
    g_assert_cmpuint(count_in(directory, 0, 10), ==, 10);
    g_assert_cmpuint(count_in(directory, 10, 20), ==, 0);
    g_assert_cmpuint(count_in(directory, 20, 30), ==, 10);
    remove_directory(directory);
}

static void test_more_than_the_limit(void) {
    g_autofree char *directory = new_directory();
    fill(directory, 0, 10, 3 * VALUE_SIZE);
    g_assert_cmpuint(count_in(directory, 0, 10), <=, 3);
    remove_directory(directory);
}

/* A child that adds and is killed at some moment; nothing but whole packs may be there afterwards. */
static void test_killed(void) {
    g_autofree char *directory = new_directory();
    for (guint i = 0; i < 30; i++) {
        pid_t child = fork();
        if (child == 0) {
            for (guint n = 0; n < 100; n++)
                fill(directory, 100 * i + n, 100 * i + n + 1, LIMIT);
            _exit(0);
        }
        g_usleep(1000 * (i % 10));
        kill(child, SIGKILL);
        g_assert_cmpint(waitpid(child, NULL, 0), ==, child);
        g_autoptr(GPtrArray) names = list_directory_if_any(directory);
        PackStore *store = open_store(directory, LIMIT);
        count_values(store, 0, 100 * (i + 1));
        PackStoreReport report = close_store(store);
        g_assert_cmpuint(report.damaged, ==, 0);
        for (guint n = 0; n < names->len; n++)
            g_assert_true(g_str_has_suffix(names->pdata[n], ".pack"));
    }
    remove_directory(directory);
}

/* A file system without room. */
static void test_full(void) {
    g_autofree char *directory = new_directory();
    pid_t child = fork();
    if (child == 0) {
        signal(SIGXFSZ, SIG_IGN);
        const struct rlimit limit = {12000, 12000};
        PackStore *store = open_store(directory, LIMIT);
        if (setrlimit(RLIMIT_FSIZE, &limit) < 0)
            _exit(2);
        add_values(store, 0, 10);
        PackStoreReport report = close_store(store);
        _exit(report.failure ? 0 : 1);
    }
    int status = -1;
    g_assert_cmpint(waitpid(child, &status, 0), ==, child);
    g_assert_cmpint(status, ==, 0);
    g_autoptr(GPtrArray) names = list_directory_if_any(directory);
    g_assert_cmpuint(names->len, ==, 0);
    remove_directory(directory);
}

static gpointer use_in_thread(gpointer data) {
    const char *directory = data;
    for (guint i = 0; i < 20; i++) {
        PackStore *store = open_store(directory, 200 * VALUE_SIZE);
        count_values(store, 0, 100);
        add_values(store, 5 * (i % 10), 5 * (i % 10) + 50);
        PackStoreReport report = close_store(store);
        g_assert_cmpuint(report.damaged, ==, 0);
        g_assert_null(report.failure);
    }
    return NULL;
}

static void test_at_once(void) {
    g_autofree char *directory = new_directory();
    GThread *threads[4];
    for (guint i = 0; i < G_N_ELEMENTS(threads); i++)
        threads[i] = g_thread_new("user", use_in_thread, directory);
    for (guint i = 0; i < G_N_ELEMENTS(threads); i++)
        g_thread_join(threads[i]);
    remove_directory(directory);
}

static gpointer add_in_thread(gpointer data) {
    add_values(data, 0, 100);
    return NULL;
}

static void test_threads_of_one(void) {
    g_autofree char *directory = new_directory();
    PackStore *store = open_store(directory, LIMIT);
    GThread *threads[4];
    for (guint i = 0; i < G_N_ELEMENTS(threads); i++)
        threads[i] = g_thread_new("user", add_in_thread, store);
    for (guint i = 0; i < G_N_ELEMENTS(threads); i++)
        g_thread_join(threads[i]);
    PackStoreReport report = close_store(store);
    g_assert_cmpuint(report.added, ==, 100);
    g_assert_cmpuint(count_in(directory, 0, 100), ==, 100);
    remove_directory(directory);
}

int main(int argc, char *argv[]) {
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/packs/keeps", test_keeps);
    g_test_add_func("/packs/forget", test_forget_flag);
    g_test_add_func("/packs/changed", test_changed);
    g_test_add_func("/packs/truncated", test_truncated);
    g_test_add_func("/packs/truncated-later", test_truncated_later);
    g_test_add_func("/packs/strange-files", test_strange_files);
    g_test_add_func("/packs/limit", test_limit);
    g_test_add_func("/packs/more-than-the-limit", test_more_than_the_limit);
    g_test_add_func("/packs/killed", test_killed);
    g_test_add_func("/packs/full", test_full);
    g_test_add_func("/packs/at-once", test_at_once);
    g_test_add_func("/packs/threads", test_threads_of_one);
    return g_test_run();
}
