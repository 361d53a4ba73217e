/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "kitchen/store/store.h"

/* SHA-256 of "hello" and of nothing, by sha256sum. */
#define HELLO "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"
#define NOTHING "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

typedef struct {
    char *path;
    Store *store;
} World;

static void set_up(World *world, gconstpointer data) {
    world->path = g_dir_make_tmp("store-XXXXXX", NULL);
    world->store = store_open(world->path, NULL);
    g_assert_nonnull(world->store);
}

static void remove_tree(const char *path) {
    g_autofree char *quoted = g_shell_quote(path);
    g_autofree char *command = g_strconcat("rm -rf ", quoted, NULL);

    g_assert_cmpint(system(command), ==, 0);
}

static void tear_down(World *world, gconstpointer data) {
    store_free(world->store);
    remove_tree(world->path);
    g_free(world->path);
}

static char *add(World *world, const char *text) {
    g_autoptr(GBytes) bytes = g_bytes_new(text, strlen(text));
    g_autoptr(GError) error = NULL;
    char *digest = NULL;

    g_assert_true(store_add_bytes(world->store, bytes, &digest, &error));
    g_assert_no_error(error);
    return digest;
}

static guint count(World *world, const char *name) {
    g_autofree char *path = g_build_filename(world->path, name, NULL);
    g_autoptr(GDir) directory = g_dir_open(path, 0, NULL);
    guint n = 0;

    while (directory && g_dir_read_name(directory))
        n++;
    return n;
}

static void test_add(World *world, gconstpointer data) {
    g_autofree char *digest = add(world, "hello");
    g_autofree char *again = add(world, "hello");
    g_autofree char *empty = add(world, "");
    g_autofree char *path = g_build_filename(world->path, "objects/2c", HELLO + 2, NULL);
    g_autofree char *text = NULL;
    struct stat about;
    gint64 size = 0;
    AUTO_FD fd = store_get(world->store, HELLO, &size, NULL);

    g_assert_cmpstr(digest, ==, HELLO);
    g_assert_cmpstr(again, ==, HELLO);
    g_assert_cmpstr(empty, ==, NOTHING);
    g_assert_true(store_has(world->store, HELLO));
    g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
    g_assert_cmpstr(text, ==, "hello");
    g_assert_cmpint(size, ==, 5);
    g_assert_cmpint(fstat(fd, &about), ==, 0);
    g_assert_cmpint(about.st_mode & 0777, ==, 0444);
    g_assert_cmpint(fcntl(fd, F_GETFL) & O_ACCMODE, ==, O_RDONLY);
    g_assert_cmpuint(count(world, "uploads"), ==, 0);
    g_assert_true(store_remove(world->store, HELLO, NULL));
    g_assert_true(store_remove(world->store, HELLO, NULL));
    g_assert_false(store_has(world->store, HELLO));
}

/* Zeros at the beginning, between and at the end are holes, and are read as zeros. */
static void test_holes(World *world, gconstpointer data) {
    g_autofree guint8 *zeros = g_malloc0(1 << 20);
    g_autofree guint8 *found = g_malloc((3 << 20) + 10);
    g_autoptr(StoreUpload) upload = store_upload_new(world->store, NULL, 4 << 20, NULL);
    g_autofree char *digest = NULL;
    struct stat about;
    gint64 size = 0;
    AUTO_FD fd = -1;

    for (guint i = 0; i < 3; i++) {
        g_assert_true(store_upload_write(upload, zeros, 1 << 20, NULL));
        if (i < 2)
            g_assert_true(store_upload_write(upload, "hello", 5, NULL));
    }
    g_assert_true(store_upload_commit(upload, &digest, &size, NULL));
    g_assert_cmpint(size, ==, (3 << 20) + 10);
    fd = store_get(world->store, digest, &size, NULL);
    g_assert_cmpint(size, ==, (3 << 20) + 10);
    g_assert_cmpint(read(fd, found, (gsize) size), ==, size);
    for (guint i = 0; i < 3; i++)
        g_assert_cmpint(memcmp(found + i * ((1 << 20) + 5), zeros, 1 << 20), ==, 0);
    g_assert_cmpint(memcmp(found + (1 << 20), "hello", 5) | memcmp(found + (2 << 20) + 5, "hello", 5), ==, 0);
    g_assert_cmpint(fstat(fd, &about), ==, 0);
    g_assert_cmpint(about.st_blocks * 512, <, 1 << 20);
}

static void test_wrong(World *world, gconstpointer data) {
    static const char *const none[] = {"", "../../etc/passwd", "2CF2", HELLO "0",
            "2CF24DBA5FB0A30E26E83B2AC5B9E29E1B161E5C1FA7425E73043362938B9824"};
    g_autoptr(GError) error = NULL;
    g_autoptr(StoreUpload) upload = store_upload_new(world->store, NOTHING, 100, NULL);

    for (guint i = 0; i < G_N_ELEMENTS(none); i++) {
        g_assert_cmpint(store_get(world->store, none[i], NULL, NULL), ==, -1);
        g_assert_false(store_has(world->store, none[i]));
        g_assert_null(store_upload_new(world->store, none[i], 5, NULL));
    }
    /* Other bytes than were announced. */
    g_assert_true(store_upload_write(upload, "hello", 5, NULL));
    g_assert_false(store_upload_commit(upload, NULL, NULL, &error));
    g_assert_error(error, G_FILE_ERROR, G_FILE_ERROR_INVAL);
    g_clear_pointer(&upload, store_upload_free);
    g_assert_false(store_has(world->store, HELLO));
    g_assert_cmpuint(count(world, "uploads"), ==, 0);
    upload = store_upload_new(world->store, NULL, 4, NULL);
    g_assert_true(store_upload_write(upload, "hell", 4, NULL));
    g_assert_false(store_upload_write(upload, "o", 1, NULL));
}

static void test_link(World *world, gconstpointer data) {
    g_autofree char *digest = add(world, "hello");
    g_autofree char *other = add(world, "other");
    AUTO_FD directory = open(world->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    g_autofree char *path = g_build_filename(world->path, "x.efi", NULL);
    g_autofree char *text = NULL;

    g_assert_true(store_link(world->store, digest, directory, "x.efi", NULL));
    g_assert_true(store_link(world->store, digest, directory, "x.efi", NULL));
    g_assert_false(store_link(world->store, other, directory, "x.efi", NULL));
    g_assert_true(store_remove(world->store, digest, NULL));
    g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
    g_assert_cmpstr(text, ==, "hello");
}

static void test_leftovers(World *world, gconstpointer data) {
    g_autofree char *path = g_build_filename(world->path, "uploads/77", NULL);

    g_assert_true(g_file_set_contents(path, "half", -1, NULL));
    store_free(world->store);
    world->store = store_open(world->path, NULL);
    g_assert_cmpuint(count(world, "uploads"), ==, 0);
    g_assert_cmpfloat(store_percent_free(world->store), >=, 0);
}

typedef struct {
    guint left;
} Crash;

static void crash(gpointer user, const char *where) {
    Crash *at = user;

    if (at->left-- == 0)
        _exit(42);
}

/* Killed before each operation in turn: the object is there whole, or it is not, and the next one puts it there. */
static void test_crash(World *world, gconstpointer data) {
    for (guint n = 0;; n++) {
        g_autofree char *path = g_strdup_printf("%s/%u", world->path, n);
        g_autoptr(Store) store = store_open(path, NULL);
        g_autoptr(GBytes) bytes = g_bytes_new("hello", 5);
        pid_t pid = fork();
        int status = 0;

        if (pid == 0) {
            Crash at = {.left = n};
            store_set_fault(store, crash, &at);
            _exit(store_add_bytes(store, bytes, NULL, NULL) ? 0 : 1);
        }
        waitpid(pid, &status, 0);
        store_free(store);
        store = store_open(path, NULL);
        if (store_has(store, HELLO)) {
            gint64 size = 0;
            AUTO_FD fd = store_get(store, HELLO, &size, NULL);
            g_assert_cmpint(size, ==, 5);
        }
        g_assert_true(store_add_bytes(store, bytes, NULL, NULL));
        g_assert_true(store_has(store, HELLO));
        if (WEXITSTATUS(status) == 0) {
            g_test_message("%u operations", n);
            g_assert_cmpuint(n, ==, 4);
            return;
        }
        g_assert_cmpint(WEXITSTATUS(status), ==, 42);
    }
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    g_test_add("/kitchen/store/add", World, NULL, set_up, test_add, tear_down);
    g_test_add("/kitchen/store/holes", World, NULL, set_up, test_holes, tear_down);
    g_test_add("/kitchen/store/wrong", World, NULL, set_up, test_wrong, tear_down);
    g_test_add("/kitchen/store/link", World, NULL, set_up, test_link, tear_down);
    g_test_add("/kitchen/store/leftovers", World, NULL, set_up, test_leftovers, tear_down);
    g_test_add("/kitchen/store/crash", World, NULL, set_up, test_crash, tear_down);
    return g_test_run();
}
