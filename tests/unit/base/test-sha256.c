/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/sha256.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/hex.h"

/* FIPS 180-4 examples */
static const struct {
    const char *text, *digest;
} vectors[] = {
        {"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
        {"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
        {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
                "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
};

static void assert_digest(const guint8 *digest, const char *expected) {
    g_autofree char *hex = hex_encode(digest, SHA256_SIZE);
    g_assert_cmpstr(hex, ==, expected);
}

static int make_file(char **ret_path) {
    int fd = g_file_open_tmp("sha256-XXXXXX", ret_path, NULL);
    g_assert_cmpint(fd, >=, 0);
    return fd;
}

static void test_buffer(void) {
    for (gsize i = 0; i < G_N_ELEMENTS(vectors); i++) {
        guint8 digest[SHA256_SIZE];
        sha256_buffer(vectors[i].text, strlen(vectors[i].text), digest);
        assert_digest(digest, vectors[i].digest);
    }
    guint8 digest[SHA256_SIZE];
    sha256_buffer(NULL, 0, digest);
    assert_digest(digest, vectors[0].digest);
}

/* One context makes many digests, byte by byte or of a prefix and the rest. */
static void test_context(void) {
    g_autoptr(Sha256) sha = sha256_new();
    guint8 digest[SHA256_SIZE];

    for (gsize i = 0; i < G_N_ELEMENTS(vectors); i++) {
        const char *text = vectors[i].text;
        gsize size = strlen(text);
        for (gsize j = 0; j < size; j++)
            sha256_update(sha, text + j, 1);
        sha256_finish(sha, digest);
        assert_digest(digest, vectors[i].digest);
        sha256_digest(sha, NULL, 0, text, size, digest);
        assert_digest(digest, vectors[i].digest);
        sha256_digest(sha, (const guint8 *) text, size / 2, text + size / 2, size - size / 2, digest);
        assert_digest(digest, vectors[i].digest);
    }
}

static void test_file(void) {
    for (gsize i = 0; i < G_N_ELEMENTS(vectors); i++) {
        g_autofree char *path = NULL;
        AUTO_FD fd = make_file(&path);
        gsize size = strlen(vectors[i].text);
        guint8 digest[SHA256_SIZE];
        g_autoptr(GError) error = NULL;

        g_assert_cmpint(write(fd, vectors[i].text, size), ==, size);
        g_assert_true(sha256_file(path, digest, &error));
        assert_digest(digest, vectors[i].digest);
        g_assert_true(sha256_fd(fd, digest, &error));
        assert_digest(digest, vectors[i].digest);
        g_assert_cmpint(lseek(fd, 0, SEEK_CUR), ==, size);
        g_assert_false(sha256_fd_range(fd, 1, size, digest, &error) && size > 0);
        if (size > 0)
            g_assert_error(error, G_FILE_ERROR, G_FILE_ERROR_IO);
        g_unlink(path);
    }
}

static void test_missing_file(void) {
    guint8 digest[SHA256_SIZE];
    g_autoptr(GError) error = NULL;
    g_assert_false(sha256_file("/nonexistent/file", digest, &error));
    g_assert_error(error, G_FILE_ERROR, G_FILE_ERROR_NOENT);
    g_assert_cmpstr(error->message, ==, "Cannot open /nonexistent/file: No such file or directory");
}

/* Holes are not read; the digest is that of the zeros they stand for. */
static void test_holes(void) {
    static const off_t lengths[] = {0, 1, 1 << 20, (3 << 20) + 17};
    for (gsize i = 0; i < G_N_ELEMENTS(lengths); i++) {
        g_autofree char *path = NULL;
        AUTO_FD fd = make_file(&path);
        g_assert_cmpint(pwrite(fd, "begin", 5, 0), ==, 5);
        g_assert_cmpint(pwrite(fd, "middle", 6, 1 << 20), ==, 6);
        g_assert_cmpint(ftruncate(fd, (1 << 20) + 6 + lengths[i]), ==, 0);

        guint8 sparse[SHA256_SIZE], read[SHA256_SIZE];
        g_autoptr(GError) error = NULL;
        g_assert_true(sha256_file(path, sparse, &error));
        g_assert_true(sha256_fd_range(fd, 0, (1 << 20) + 6 + lengths[i], read, &error));
        g_assert_cmpmem(sparse, sizeof sparse, read, sizeof read);
        g_unlink(path);
    }
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/sha256/buffer", test_buffer);
    g_test_add_func("/sha256/context", test_context);
    g_test_add_func("/sha256/file", test_file);
    g_test_add_func("/sha256/missing-file", test_missing_file);
    g_test_add_func("/sha256/holes", test_holes);
    return g_test_run();
}
