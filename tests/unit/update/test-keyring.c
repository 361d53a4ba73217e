/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Keys and signatures that GnuPG makes, and what is not right with some of them. */
#include "update/source/keyring.h"

#include <gio/gio.h>

#include <glib/gstdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "update/transfer/error.h"

static const char content[] = "0123  image.raw\n";

typedef struct {
    char *home, *file;
} Gpg;

/* Runs gpg with WORDS (up to NULL); its standard output. */
static GBytes *gpg(const Gpg *self, ...) {
    g_autoptr(GPtrArray) command = g_ptr_array_new();
    g_autoptr(GError) error = NULL;
    va_list words;
    const char *const first[] = {"gpg", "--homedir", self->home, "--batch", "--quiet", "--yes", "--pinentry-mode",
            "loopback", "--passphrase", ""};

    for (guint i = 0; i < G_N_ELEMENTS(first); i++)
        g_ptr_array_add(command, (gpointer) first[i]);
    va_start(words, self);
    for (const char *word; (word = va_arg(words, const char *));)
        g_ptr_array_add(command, (gpointer) word);
    va_end(words);
    g_ptr_array_add(command, NULL);
    g_autoptr(GSubprocess) process = g_subprocess_newv((const char *const *) command->pdata,
            G_SUBPROCESS_FLAGS_STDOUT_PIPE | G_SUBPROCESS_FLAGS_STDERR_SILENCE, &error);
    GBytes *out = NULL;
    g_assert_no_error(error);
    g_assert_true(g_subprocess_communicate(process, NULL, NULL, &out, NULL, &error));
    g_assert_true(g_subprocess_get_successful(process));
    return out;
}

static void gpg_begin(Gpg *self) {
    g_autoptr(GError) error = NULL;

    self->home = g_dir_make_tmp("particleos-gpg-XXXXXX", &error);
    g_assert_no_error(error);
    self->file = g_build_filename(self->home, "content", NULL);
    g_assert_true(g_file_set_contents(self->file, content, -1, NULL));
}

static void gpg_end(Gpg *self) {
    const char *stop[] = {"gpgconf", "--homedir", self->home, "--kill", "all", NULL};
    const char *rm[] = {"rm", "-rf", self->home, NULL};

    g_spawn_sync(NULL, (char **) stop, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL, NULL, NULL, NULL);
    g_spawn_sync(NULL, (char **) rm, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL, NULL, NULL, NULL);
    g_free(self->home);
    g_free(self->file);
}

static Keyring *parse(GBytes *bytes) {
    return keyring_parse(g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes), NULL);
}

static gboolean verify(const Keyring *keyring, GBytes *signature, const char *text, gint64 now) {
    g_autoptr(GError) error = NULL;
    const char *key = NULL;
    gboolean good = keyring_verify(keyring, signature, text, strlen(text), now, &key, &error);

    g_assert_true(good == (error == NULL) && good == (key != NULL));
    if (!good)
        g_assert_error(error, UPDATE_ERROR, UPDATE_ERROR_UNTRUSTED);
    return good;
}

static void test_type(gconstpointer type) {
    Gpg self;
    gint64 now = time(NULL);

    gpg_begin(&self);
    g_bytes_unref(gpg(&self, "--quick-gen-key", "Vendor <v@example.com>", type, "sign", "never", NULL));
    g_autoptr(GBytes) ring = gpg(&self, "--export", NULL);
    g_autoptr(GBytes) armored = gpg(&self, "--export", "--armor", NULL);
    g_autoptr(GBytes) signature = gpg(&self, "--detach-sign", "-o", "-", self.file, NULL);
    g_autoptr(GBytes) text = gpg(&self, "--detach-sign", "--armor", "-o", "-", self.file, NULL);
    g_autoptr(Keyring) keyring = parse(ring);
    g_autoptr(Keyring) again = parse(armored);
    gpg_end(&self);

    g_assert_cmpuint(keyring_get_size(keyring), ==, 1);
    g_assert_cmpuint(keyring_get_size(again), ==, 1);
    g_assert_true(verify(keyring, signature, content, now));
    g_assert_true(verify(again, text, content, now));
    g_assert_false(verify(keyring, signature, "0123  image.rax\n", now));
    /* No byte of a signature's number may be another one. */
    gsize size = g_bytes_get_size(signature);
    for (gsize i = size - 40; i < size; i += 7) {
        g_autofree guint8 *bytes = g_memdup2(g_bytes_get_data(signature, NULL), size);
        bytes[i] ^= 1;
        g_autoptr(GBytes) other = g_bytes_new(bytes, size);
        g_assert_false(verify(keyring, other, content, now));
    }
    for (gsize i = 0; i < size; i += 5) {
        g_autoptr(GBytes) cut = g_bytes_new_from_bytes(signature, 0, i);
        g_assert_false(verify(keyring, cut, content, now));
    }
}

/* A key ring with two keys, one of them with a subkey that signs. */
static void test_several(void) {
    Gpg self;
    gint64 now = time(NULL);

    gpg_begin(&self);
    g_bytes_unref(gpg(&self, "--quick-gen-key", "one@example.com", "ed25519", "cert", "never", NULL));
    g_autoptr(GBytes) list = gpg(&self, "--with-colons", "--list-keys", NULL);
    const char *fingerprint = strstr(g_bytes_get_data(list, NULL), "fpr:::::::::") + strlen("fpr:::::::::");
    g_autofree char *primary = g_strndup(fingerprint, 40);
    g_bytes_unref(gpg(&self, "--quick-add-key", primary, "ed25519", "sign", "never", NULL));
    g_bytes_unref(gpg(&self, "--quick-add-key", primary, "cv25519", "encr", "never", NULL));
    g_autoptr(GBytes) by_subkey = gpg(&self, "--local-user", primary, "--detach-sign", "-o", "-", self.file, NULL);
    g_bytes_unref(gpg(&self, "--quick-gen-key", "two@example.com", "rsa2048", "sign", "never", NULL));
    g_autoptr(GBytes) by_two = gpg(&self, "--local-user", "two@example.com", "--digest-algo", "SHA512", "--detach-sign",
            "-o", "-", self.file, NULL);
    g_autoptr(GBytes) ring = gpg(&self, "--export", NULL);
    g_autoptr(GBytes) first = gpg(&self, "--export", "one@example.com", NULL);
    gpg_end(&self);

    /* The primary key of the first one may only certify. */
    g_autoptr(Keyring) keyring = parse(ring);
    g_autoptr(Keyring) only = parse(first);
    g_assert_cmpuint(keyring_get_size(keyring), ==, 2);
    g_assert_cmpuint(keyring_get_size(only), ==, 1);
    g_assert_true(verify(keyring, by_subkey, content, now));
    g_assert_true(verify(keyring, by_two, content, now));
    g_assert_false(verify(only, by_two, content, now));
    /* Of several signatures one is enough. */
    g_autoptr(GByteArray) both = g_byte_array_new();
    g_byte_array_append(both, g_bytes_get_data(by_two, NULL), g_bytes_get_size(by_two));
    g_byte_array_append(both, g_bytes_get_data(by_subkey, NULL), g_bytes_get_size(by_subkey));
    g_autoptr(GBytes) joined = g_byte_array_free_to_bytes(g_steal_pointer(&both));
    g_assert_true(verify(only, joined, content, now));
}

static void test_expired(void) {
    Gpg self;
    gint64 now = time(NULL);

    gpg_begin(&self);
    g_bytes_unref(gpg(&self, "--quick-gen-key", "v@example.com", "ed25519", "sign", "1d", NULL));
    g_autoptr(GBytes) ring = gpg(&self, "--export", NULL);
    g_autoptr(GBytes) signature = gpg(&self, "--detach-sign", "-o", "-", self.file, NULL);
    g_autoptr(Keyring) keyring = parse(ring);
    g_assert_true(verify(keyring, signature, content, now));
    g_assert_false(verify(keyring, signature, content, now + 2 * 86400));

    /* GnuPG keeps a revocation for each key it makes; it begins to count without a colon in front. */
    g_autofree char *find = g_strdup_printf(
            "sed -i 's/^:-----/-----/' %s/openpgp-revocs.d/*.rev && cat %s/openpgp-revocs.d/*.rev >%s/rev", self.home,
            self.home, self.home);
    g_autofree char *path = g_build_filename(self.home, "rev", NULL);
    g_assert_cmpint(system(find), ==, 0);
    g_bytes_unref(gpg(&self, "--import", path, NULL));
    g_autoptr(GBytes) revoked = gpg(&self, "--export", NULL);
    gpg_end(&self);
    g_assert_null(parse(revoked));
}

static void test_garbage(void) {
    static const char *const wrong[] = {"", "x", "-----BEGIN PGP PUBLIC KEY BLOCK-----\n", "\xff\xff\xff\xff\xff\xff",
            "-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nAAAA\n-----END PGP PUBLIC KEY BLOCK-----\n", NULL};

    for (guint i = 0; wrong[i]; i++) {
        g_autoptr(GError) error = NULL;
        g_assert_null(keyring_parse(wrong[i], strlen(wrong[i]), &error));
        g_assert_error(error, UPDATE_ERROR, UPDATE_ERROR_CONFIGURATION);
    }
}

int main(int argc, char **argv) {
    g_autofree char *program = g_find_program_in_path("gpg");

    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/keyring/garbage", test_garbage);
    if (!program)
        return g_test_run();
    g_test_add_data_func("/keyring/rsa", "rsa2048", test_type);
    g_test_add_data_func("/keyring/ed25519", "ed25519", test_type);
    g_test_add_data_func("/keyring/p256", "nistp256", test_type);
    g_test_add_data_func("/keyring/p384", "nistp384", test_type);
    g_test_add_func("/keyring/several", test_several);
    g_test_add_func("/keyring/expired", test_expired);
    return g_test_run();
}
