/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <glib/gstdio.h>
#include <string.h>

#include "format/verity/signature/verity-signature.h"
#include "signing/request-archive.h"
#include "signing/request-directory.h"
#include "signing/sign.h"
#include "test-keys.h"

static const guint8 root_hash[32] = {1, 2, 3};

typedef struct {
    TestKeys *keys;
    SigningThing *thing; /* waits for a signature by the keys */
    SigningDirectory *directory;
    GPtrArray *requests;
} Fixture;

static void set_up(Fixture *f, gconstpointer unused) {
    g_autoptr(GError) error = NULL;
    f->keys = test_keys_new("signing");
    g_autoptr(KeySource) elsewhere = signing_key_without_answer(f->keys->certificate);
    g_autoptr(GBytes) signature =
            verity_signature_sign(root_hash, sizeof root_hash, elsewhere, f->keys->certificate, &error);
    g_assert_no_error(error);
    GBytes *partition = verity_signature_partition_build(
            root_hash, sizeof root_hash, signature, f->keys->certificate, &error);
    g_assert_no_error(error);
    f->thing = signing_thing_new(SIGNING_VERITY, "usr of image.raw", partition, NULL);

    g_autofree char *path = g_build_filename(f->keys->directory, "image" SIGNING_SUFFIX, NULL);
    f->directory = signing_directory_new(path, "image");
    f->directory->files = g_strsplit("image.raw image.efi", " ", -1);
    g_ptr_array_add(f->directory->certificates, certificate_ref(f->keys->certificate));
    g_ptr_array_add(f->directory->things,
            signing_thing_new(SIGNING_VERITY, f->thing->title, g_bytes_ref(partition), NULL));
    f->requests = g_ptr_array_new_with_free_func((GDestroyNotify) signing_request_free);
    g_assert_null(signing_thing_complete(f->thing, f->directory->certificates, NULL, NULL, f->requests, &error));
    g_assert_no_error(error);
    g_assert_true(signing_directory_write(f->directory, f->requests, &error));
    g_assert_no_error(error);
}

static void tear_down(Fixture *f, gconstpointer unused) {
    (void) test_shell(NULL, "rm -r '%s'", f->directory->path);
    g_ptr_array_unref(f->requests);
    signing_thing_free(f->thing);
    signing_directory_free(f->directory);
    test_keys_free(f->keys);
}

static SigningDirectory *load(const Fixture *f) {
    g_autoptr(GError) error = NULL;
    SigningDirectory *directory = signing_directory_load(f->directory->path, &error);
    g_assert_no_error(error);
    return directory;
}

static GBytes *answer(gpointer user, const SigningRequest *request, GError **error) {
    return signing_directory_answer(user, request, error);
}

/* The thing, completed with the answers of DIRECTORY, is what the key itself signs. */
static void check_completed(const Fixture *f, SigningDirectory *directory) {
    g_autoptr(GError) error = NULL;
    g_autoptr(GBytes) made = signing_thing_complete(
            f->thing, directory->certificates, answer, directory, NULL, &error);
    g_assert_no_error(error);
    g_assert_nonnull(made);
    g_autoptr(GBytes) signature =
            verity_signature_sign(root_hash, sizeof root_hash, f->keys->key, f->keys->certificate, &error);
    g_autoptr(GBytes) wanted = verity_signature_partition_build(
            root_hash, sizeof root_hash, signature, f->keys->certificate, &error);
    g_assert_no_error(error);
    g_assert_true(g_bytes_equal(made, wanted));
}

static void test_request(Fixture *f, gconstpointer unused) {
    g_assert_cmpuint(f->requests->len, ==, 1);
    const SigningRequest *request = f->requests->pdata[0];
    g_assert_true(g_str_has_prefix(request->name, "verity-"));
    g_assert_cmpstr(request->what, ==,
            "the root hash 0102030000000000000000000000000000000000000000000000000000000000 of usr of image.raw");
    g_assert_cmpuint(g_bytes_get_size(request->bytes), ==, 64);
    g_assert_true(signing_thing_is_pending(f->thing, f->directory->certificates));
}

static void test_round_trip(Fixture *f, gconstpointer unused) {
    g_autoptr(SigningDirectory) directory = load(f);
    g_assert_cmpstr(directory->image, ==, "image");
    g_assert_cmpuint(directory->round, ==, 1);
    g_assert_cmpuint(g_strv_length(directory->files), ==, 2);
    g_assert_cmpuint(directory->things->len, ==, 1);
    g_assert_cmpuint(directory->asked->len, ==, 1);
    g_assert_false(directory->finish.checksum);
}

static void test_sign(Fixture *f, gconstpointer unused) {
    g_autoptr(GError) error = NULL;
    g_autoptr(SigningDirectory) directory = load(f);
    g_autoptr(GPtrArray) keys = g_ptr_array_new(), left = NULL, again = NULL;
    guint made = 0;

    g_ptr_array_add(keys, f->keys->key);
    g_assert_true(signing_sign(directory, keys, NULL, NULL, &made, &left, &error));
    g_assert_no_error(error);
    g_assert_cmpuint(made, ==, 1);
    g_assert_cmpuint(left->len, ==, 0);
    check_completed(f, directory);
    /* What is answered is not signed again. */
    g_assert_true(signing_sign(directory, keys, NULL, NULL, &made, &again, &error));
    g_assert_cmpuint(made, ==, 0);
}

static void test_other_key(Fixture *f, gconstpointer unused) {
    g_autoptr(GError) error = NULL;
    g_autoptr(TestKeys) other = test_keys_new("other");
    g_autoptr(SigningDirectory) directory = load(f);
    g_autoptr(GPtrArray) keys = g_ptr_array_new(), left = NULL;
    guint made = 1;

    g_ptr_array_add(keys, other->key);
    g_assert_true(signing_sign(directory, keys, NULL, NULL, &made, &left, &error));
    g_assert_cmpuint(made, ==, 0);
    g_assert_cmpuint(left->len, ==, 1);
}

/* Anybody can answer: here a program of somebody else. */
static void test_openssl(Fixture *f, gconstpointer unused) {
    const SigningRequest *request = f->requests->pdata[0];
    g_assert_true(test_shell(NULL, "cd '%s' && openssl dgst -sha256 -sign '%s' -out answers/%s.sig requests/%s",
            f->directory->path, f->keys->key_path, request->name, request->name));
    g_autoptr(SigningDirectory) directory = load(f);
    check_completed(f, directory);
}

/* The archive of the Open Build Service, answered by cpio and openssl. */
static void test_archive(Fixture *f, gconstpointer unused) {
    if (!test_have_tool("cpio"))
        return;
    g_assert_true(test_shell(NULL,
            "cd '%s' && mkdir work && cd work && cpio -idm --quiet <../hashes.cpio.rsasign && "
            "find . -type f | while read -r x; do openssl dgst -sha256 -sign '%s' -out $x.sig $x && rm $x; done && "
            "find . -type f | cpio -H newc -o --quiet >../hashes.cpio.rsasign.sig && cd .. && rm -r work",
            f->directory->path, f->keys->key_path));
    g_autoptr(SigningDirectory) directory = load(f);
    g_assert_nonnull(directory->obs);
    check_completed(f, directory);
}

/* Each answer that is no signature of the request is refused by its name. */
static void test_wrong_answers(Fixture *f, gconstpointer unused) {
    g_autoptr(TestKeys) other = test_keys_new("other");
    const SigningRequest *request = f->requests->pdata[0];
    const char *const commands[] = {
            ": >answers/NAME.sig",
            "head -c 256 /dev/zero >answers/NAME.sig",
            "head -c 255 /dev/urandom >answers/NAME.sig",
            "openssl dgst -sha256 -sign OTHER -out answers/NAME.sig requests/NAME",
            "echo other | openssl dgst -sha256 -sign KEY -out answers/NAME.sig",
            "openssl dgst -sha512 -sign KEY -out answers/NAME.sig requests/NAME",
            "openssl dgst -sha256 -sign KEY -sigopt rsa_padding_mode:pss -out answers/NAME.sig requests/NAME",
            "openssl dgst -sha256 -sign KEY requests/NAME | base64 >answers/NAME.sig",
            "openssl dgst -sha256 -sign KEY requests/NAME | head -c 255 >answers/NAME.sig",
            "(openssl dgst -sha256 -sign KEY requests/NAME; echo) >answers/NAME.sig",
            "openssl pkeyutl -sign -inkey KEY -in requests/NAME -out answers/NAME.sig",
    };

    for (gsize i = 0; i < G_N_ELEMENTS(commands); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(GString) command = g_string_new(commands[i]);
        g_string_replace(command, "NAME", request->name, 0);
        g_string_replace(command, "OTHER", other->key_path, 0);
        g_string_replace(command, "KEY", f->keys->key_path, 0);
        g_assert_true(test_shell(NULL, "cd '%s' && %s", f->directory->path, command->str));
        g_autoptr(SigningDirectory) directory = load(f);
        g_assert_null(signing_directory_answer(directory, request, &error));
        g_assert_error(error, SIGNING_ERROR, SIGNING_ERROR_WRONG);
        g_assert_nonnull(strstr(error->message, request->name));
    }
}

/* What somebody else wrote into the directory. */
static void test_malformed(Fixture *f, gconstpointer unused) {
    static const char *const edits[] = {
            "s/\"version\" : 1/\"version\" : 2/",
            "s/\"image\" : \"image\"/\"image\" : \"..\\/image\"/",
            "s/\"round\" : 1/\"round\" : 0/",
            "s/\"image.raw\"/\"..\\/..\\/etc\\/passwd\"/",
            "s/\"image.efi\"/7/",
            "s/\"type\" : \"verity\"/\"type\" : \"kernel\"/",
            "s/BEGIN CERTIFICATE/BEGIN NOTHING/",
            "s/\"finish\" : {/\"end\" : {/",
            "s/{/[/",
            "s/\"name\" : \"/\"name\" : \".\\//",
    };

    for (gsize i = 0; i < G_N_ELEMENTS(edits); i++) {
        g_autoptr(GError) error = NULL;
        g_assert_true(test_shell(NULL, "cd '%s' && cp signing.json kept && sed -i '%s' signing.json && ! cmp -s kept signing.json",
                f->directory->path, edits[i]));
        g_autoptr(SigningDirectory) directory = signing_directory_load(f->directory->path, &error);
        g_test_message("%s: %s", edits[i], error ? error->message : "accepted");
        g_assert_null(directory);
        g_assert_nonnull(error);
        g_assert_true(test_shell(NULL, "cd '%s' && mv kept signing.json", f->directory->path));
    }
}

/* Signatures on elliptic curves are not all of one size. */
static void test_elliptic(void) {
    g_autofree char *directory = g_dir_make_tmp("particleos-signing-XXXXXX", NULL);
    g_assert_true(test_shell(NULL,
            "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=ec -keyout '%s/k' -out '%s/c'",
            directory, directory));
    g_autofree char *path = g_build_filename(directory, "c", NULL);
    g_autoptr(GError) error = NULL;
    g_autoptr(Certificate) certificate = certificate_load(path, NULL);
    g_assert_false(signing_check_certificate(certificate, "VerityCertificate", &error));
    g_assert_error(error, SIGNING_ERROR, SIGNING_ERROR_FAILED);
    g_assert_true(test_shell(NULL, "rm -r '%s'", directory));
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    g_test_add("/signing/request", Fixture, NULL, set_up, test_request, tear_down);
    g_test_add("/signing/round-trip", Fixture, NULL, set_up, test_round_trip, tear_down);
    g_test_add("/signing/sign", Fixture, NULL, set_up, test_sign, tear_down);
    g_test_add("/signing/other-key", Fixture, NULL, set_up, test_other_key, tear_down);
    g_test_add("/signing/openssl", Fixture, NULL, set_up, test_openssl, tear_down);
    g_test_add("/signing/archive", Fixture, NULL, set_up, test_archive, tear_down);
    g_test_add("/signing/wrong-answers", Fixture, NULL, set_up, test_wrong_answers, tear_down);
    g_test_add("/signing/malformed", Fixture, NULL, set_up, test_malformed, tear_down);
    g_test_add_func("/signing/elliptic", test_elliptic);
    return g_test_run();
}
