/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "test-keys.h"

#include "base/sha256.h"
#include "crypto/sources/error.h"
#include "format/efi/pe/authenticode.h"

/* PE images: a tiny one made here, and the boot loader and stub of systemd when there is a tree with them.
 */

static void put_le(guint8 *p, guint32 value, guint width) {
    for (guint i = 0; i < width; i++)
        p[i] = (guint8) (value >> (8 * i));
}

/* A PE32+ image with two sections whose headers are not in the order of the file, and TAIL bytes after them.
 */
static GBytes *make_image(gsize tail) {
    gsize size = 0x200 + 0x200 + 0x400 + tail;
    guint8 *image = g_malloc0(size);
    memcpy(image, "MZ", 2);
    put_le(image + 0x3c, 0x80, 4);
    guint8 *coff = image + 0x80;
    memcpy(coff, "PE\0\0", 4);
    put_le(coff + 4, 0x8664, 2);
    put_le(coff + 6, 2, 2);
    put_le(coff + 20, 240, 2);
    put_le(coff + 22, 0x22, 2);
    guint8 *optional = coff + 24;
    put_le(optional, 0x20b, 2);
    put_le(optional + 16, 0x1000, 4); /* entry point */
    put_le(optional + 32, 0x1000, 4); /* section alignment */
    put_le(optional + 36, 0x200, 4);  /* file alignment */
    put_le(optional + 56, 0x3000, 4); /* size of image */
    put_le(optional + 60, 0x200, 4);  /* size of headers */
    put_le(optional + 68, 10, 2);     /* EFI application */
    put_le(optional + 108, 16, 4);
    static const struct {
        const char *name;
        guint32 address, raw_size, raw_offset;
    } sections[] = {{".data", 0x2000, 0x400, 0x400}, {".text", 0x1000, 0x200, 0x200}};
    for (guint i = 0; i < 2; i++) {
        guint8 *header = optional + 240 + i * 40;
        memcpy(header, sections[i].name, 5);
        put_le(header + 8, sections[i].raw_size, 4);
        put_le(header + 12, sections[i].address, 4);
        put_le(header + 16, sections[i].raw_size, 4);
        put_le(header + 20, sections[i].raw_offset, 4);
    }
    for (gsize i = 0x200; i < size; i++)
        image[i] = (guint8) (i * 7);
    return g_bytes_new_take(image, size);
}

static GBytes *read_file(const char *path) {
    char *data = NULL;
    gsize size = 0;
    return g_file_get_contents(path, &data, &size, NULL) ? g_bytes_new_take(data, size) : NULL;
}

/* An EFI binary of the tree that $PARTICLEOS_TEST_TREE names, or of this machine. */
static GBytes *read_systemd_binary(const char *name) {
    const char *tree = g_getenv("PARTICLEOS_TEST_TREE");
    g_autofree char *path = g_build_filename(tree ? tree : "/", "usr/lib/systemd/boot/efi", name, NULL);
    return read_file(path);
}

static GPtrArray *test_images(void) {
    GPtrArray *images = g_ptr_array_new_with_free_func((GDestroyNotify) g_bytes_unref);
    g_ptr_array_add(images, make_image(0));
    g_ptr_array_add(images, make_image(5));
    static const char *const names[] = {"systemd-bootx64.efi", "linuxx64.efi.stub", "addonx64.efi.stub"};
    for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
        GBytes *image = read_systemd_binary(names[i]);
        if (image)
            g_ptr_array_add(images, image);
        else
            g_test_message("Without %s: set PARTICLEOS_TEST_TREE", names[i]);
    }
    return images;
}

static gboolean verifies(GBytes *image, const Certificate *pinned, GError **error) {
    return authenticode_verify(g_bytes_get_data(image, NULL), g_bytes_get_size(image), pinned, NULL, error);
}

static void test_sign(void) {
    g_autoptr(TestKeys) keys = test_keys_new("authenticode");
    g_autoptr(GPtrArray) images = test_images();
    for (guint i = 0; i < images->len; i++) {
        g_autoptr(GError) error = NULL;
        GBytes *image = images->pdata[i];
        g_assert_false(verifies(image, NULL, &error));
        g_assert_error(error, CRYPTO_ERROR, CRYPTO_ERROR_MISSING);
        g_clear_error(&error);

        g_autoptr(GBytes) signed_image =
                authenticode_sign(image, keys->key, keys->certificate, AUTHENTICODE_REPLACE, &error);
        g_assert_no_error(error);
        g_autoptr(GBytes) again =
                authenticode_sign(image, keys->key, keys->certificate, AUTHENTICODE_REPLACE, NULL);
        g_assert_true(g_bytes_equal(signed_image, again));
        g_assert_true(verifies(signed_image, keys->certificate, &error));
        g_assert_no_error(error);

        guint8 before[SHA256_SIZE], after[SHA256_SIZE];
        g_assert_true(
                authenticode_digest(g_bytes_get_data(image, NULL), g_bytes_get_size(image), before, &error));
        g_assert_true(authenticode_digest(
                g_bytes_get_data(signed_image, NULL), g_bytes_get_size(signed_image), after, &error));
        g_assert_cmpmem(before, SHA256_SIZE, after, SHA256_SIZE);

        /* Signing what is signed already replaces the signature. */
        g_autoptr(GBytes) twice =
                authenticode_sign(signed_image, keys->key, keys->certificate, AUTHENTICODE_REPLACE, NULL);
        g_assert_true(g_bytes_equal(signed_image, twice));
    }
}

static void test_append(void) {
    g_autoptr(TestKeys) first = test_keys_new("first");
    g_autoptr(TestKeys) second = test_keys_new("second");
    g_autoptr(GError) error = NULL;
    g_autoptr(GBytes) image = make_image(3);
    g_autoptr(GBytes) once =
            authenticode_sign(image, first->key, first->certificate, AUTHENTICODE_REPLACE, &error);
    g_autoptr(GBytes) both =
            authenticode_sign(once, second->key, second->certificate, AUTHENTICODE_APPEND, &error);
    g_assert_no_error(error);
    g_autoptr(GPtrArray) signatures =
            authenticode_parse(g_bytes_get_data(both, NULL), g_bytes_get_size(both), &error);
    g_assert_no_error(error);
    g_assert_cmpuint(signatures->len, ==, 2);
    g_assert_true(verifies(both, first->certificate, &error));
    g_assert_true(verifies(both, second->certificate, &error));
    g_assert_no_error(error);
    g_assert_true(verifies(once, first->certificate, &error));
    g_assert_false(verifies(once, second->certificate, &error));
    g_assert_error(error, CRYPTO_ERROR, CRYPTO_ERROR_MISMATCH);
    g_clear_error(&error);

    g_autoptr(GBytes) stripped = authenticode_strip(both, &error);
    g_autoptr(GBytes) resigned =
            authenticode_sign(stripped, first->key, first->certificate, AUTHENTICODE_REPLACE, &error);
    g_assert_no_error(error);
    g_assert_true(g_bytes_equal(resigned, once));
}

/* Whatever byte changes, the image no longer verifies; only what the digest leaves out may change. */
static void test_tampering(void) {
    g_autoptr(TestKeys) keys = test_keys_new("authenticode");
    g_autoptr(GBytes) image = make_image(5);
    g_autoptr(GBytes) signed_image =
            authenticode_sign(image, keys->key, keys->certificate, AUTHENTICODE_REPLACE, NULL);
    gsize size = 0;
    const guint8 *data = g_bytes_get_data(signed_image, &size);
    gsize covered = (g_bytes_get_size(image) + 7) & ~(gsize) 7;
    for (gsize i = 0; i < covered; i++) {
        gsize in_optional = i - 0x98;
        if (i >= 0x98 && (in_optional - 64 < 4 || in_optional - 144 < 8))
            continue;
        g_autofree guint8 *copy = g_memdup2(data, size);
        copy[i] ^= 1;
        if (authenticode_verify(copy, size, keys->certificate, NULL, NULL))
            g_test_fail_printf("A change of byte %" G_GSIZE_FORMAT " is not noticed", i);
    }
    for (gsize i = 0; i < size; i += 13) {
        g_autofree guint8 *cut = g_memdup2(data, i);
        g_assert_false(authenticode_verify(cut, i, keys->certificate, NULL, NULL));
    }
}

static void test_sbverify(void) {
    if (!test_have_tool("sbverify") || !test_have_tool("sbsign"))
        return;
    g_autoptr(TestKeys) keys = test_keys_new("authenticode");
    g_autoptr(TestKeys) stranger = test_keys_new("stranger");
    g_autoptr(GPtrArray) images = test_images();
    for (guint i = 0; i < images->len; i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(GBytes) ours = authenticode_sign(
                images->pdata[i], keys->key, keys->certificate, AUTHENTICODE_REPLACE, &error);
        g_assert_no_error(error);
        g_autofree char *path = test_file_bytes(keys, "ours.efi", ours);
        g_assert_true(test_shell(NULL, "sbverify --cert %s %s", keys->certificate_path, path));
        g_assert_false(test_shell(NULL, "sbverify --cert %s %s", stranger->certificate_path, path));

        /* And the other way round. */
        g_autofree char *unsigned_path = test_file_bytes(keys, "unsigned.efi", images->pdata[i]);
        g_assert_true(test_shell(NULL, "sbsign --key %s --cert %s --output %s.theirs %s", keys->key_path,
                keys->certificate_path, unsigned_path, unsigned_path));
        g_autofree char *theirs_path = g_strconcat(unsigned_path, ".theirs", NULL);
        g_autoptr(GBytes) theirs = read_file(theirs_path);
        g_assert_true(verifies(theirs, keys->certificate, &error));
        g_assert_no_error(error);
        g_assert_false(verifies(theirs, stranger->certificate, &error));
    }
}

static void test_osslsigncode(void) {
    if (!test_have_tool("osslsigncode"))
        return;
    g_autoptr(TestKeys) keys = test_keys_new("authenticode");
    g_autoptr(GPtrArray) images = test_images();
    for (guint i = 0; i < images->len; i++) {
        g_autoptr(GBytes) ours = authenticode_sign(
                images->pdata[i], keys->key, keys->certificate, AUTHENTICODE_REPLACE, NULL);
        g_autofree char *path = test_file_bytes(keys, "ours.efi", ours);
        g_autofree char *output = NULL;
        g_assert_true(
                test_shell(&output, "osslsigncode verify -CAfile %s -in %s", keys->certificate_path, path));
        /* Said of a PE checksum or a digest that differs from what it computes. */
        g_assert_null(strstr(output, "MISMATCH"));
        g_assert_nonnull(strstr(output, "PE checksum"));
    }
}

static void test_fd(void) {
    g_autoptr(TestKeys) keys = test_keys_new("authenticode");
    g_autoptr(GError) error = NULL;
    g_autoptr(GBytes) image = make_image(1);
    g_autofree char *input = test_file_bytes(keys, "in.efi", image);
    g_autofree char *output = g_build_filename(keys->directory, "out.efi", NULL);
    AUTO_FD in = open(input, O_RDONLY | O_CLOEXEC);
    AUTO_FD out = open(output, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    g_assert_true(authenticode_sign_fd(in, out, keys->key, keys->certificate, AUTHENTICODE_REPLACE, &error));
    g_assert_no_error(error);
    g_autoptr(GBytes) result = read_file(output);
    g_assert_true(verifies(result, keys->certificate, &error));
}

int main(int argc, char *argv[]) {
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/authenticode/sign", test_sign);
    g_test_add_func("/authenticode/append", test_append);
    g_test_add_func("/authenticode/tampering", test_tampering);
    g_test_add_func("/authenticode/fd", test_fd);
    g_test_add_func("/authenticode/sbverify", test_sbverify);
    g_test_add_func("/authenticode/osslsigncode", test_osslsigncode);
    return g_test_run();
}
