/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "test-keys.h"

#include "pipeline/integrity/ipe.h"
#include "tree/tree.h"

#define TEXT "# Comment.\npolicy_name=good policy_version=0.0.1\nDEFAULT action=DENY\n"

typedef struct {
    TestKeys *keys;
    char *tree;
    int fd;
} Fixture;

static void set_up(Fixture *fixture, gconstpointer unused) {
    (void) unused;
    fixture->keys = test_keys_new("ipe");
    fixture->tree = g_build_filename(fixture->keys->directory, "tree", NULL);
    g_assert_cmpint(g_mkdir_with_parents(fixture->tree, 0755), ==, 0);
    fixture->fd = open(fixture->tree, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    g_assert_cmpint(fixture->fd, >=, 0);
}

static void tear_down(Fixture *fixture, gconstpointer unused) {
    (void) unused;
    close(fixture->fd);
    g_assert_true(tree_remove(AT_FDCWD, fixture->tree, NULL));
    g_free(fixture->tree);
    test_keys_free(fixture->keys);
}

static void write_policy(Fixture *fixture, const char *name, const char *text) {
    g_autofree char *path = g_strconcat("/usr/lib/ipe/", name, NULL);
    g_autoptr(GError) error = NULL;
    g_assert_true(tree_write_file(fixture->fd, path, text, -1, 0644, &error));
    g_assert_no_error(error);
}

static gboolean sign(Fixture *fixture, GError **error) {
    return ipe_sign_policies(fixture->fd, fixture->keys->key, fixture->keys->certificate, error);
}

/* Another program finds the very text inside, signed by the key. */
static void test_openssl(Fixture *fixture, gconstpointer unused) {
    (void) unused;
    g_autofree char *openssl = g_find_program_in_path("openssl");
    g_autofree char *message = g_build_filename(fixture->tree, "usr/lib/ipe/good.p7b", NULL);
    g_autofree char *output = NULL;
    g_autoptr(GError) error = NULL;
    int status = -1;

    if (!openssl) {
        g_test_skip("openssl is not installed");
        return;
    }
    write_policy(fixture, "good.pol", TEXT);
    g_assert_true(sign(fixture, &error));
    g_assert_no_error(error);
    const char *argv[] = {openssl, "cms", "-verify", "-binary", "-inform", "DER", "-in", message,
            "-certfile", fixture->keys->certificate_path, "-CAfile", fixture->keys->certificate_path,
            "-purpose", "any", NULL};
    g_spawn_sync(NULL, (char **) argv, NULL, G_SPAWN_STDERR_TO_DEV_NULL, NULL, NULL, &output, NULL, &status,
            &error);
    g_assert_no_error(error);
    g_assert_cmpint(status, ==, 0);
    g_assert_cmpstr(output, ==, TEXT);
}

static void test_signed_stays(Fixture *fixture, gconstpointer unused) {
    (void) unused;
    g_autoptr(GError) error = NULL;
    write_policy(fixture, "good.pol", TEXT);
    write_policy(fixture, "good.p7b", "by somebody else");
    g_assert_true(sign(fixture, &error));
    g_autofree char *text = tree_read_file(fixture->fd, "/usr/lib/ipe/good.p7b", NULL, &error);
    g_assert_cmpstr(text, ==, "by somebody else");
}

static void test_other_name(Fixture *fixture, gconstpointer unused) {
    (void) unused;
    g_autoptr(GError) error = NULL;
    write_policy(fixture, "other.pol", TEXT);
    g_assert_false(sign(fixture, &error));
    g_assert_error(error, BUILD_ERROR, BUILD_ERROR_INPUT);
    g_assert_nonnull(strstr(error->message, "/usr/lib/ipe/other.pol"));
    g_assert_false(tree_exists(fixture->fd, "/usr/lib/ipe/other.p7b"));
}

static void test_nothing(Fixture *fixture, gconstpointer unused) {
    (void) unused;
    g_autoptr(GError) error = NULL;
    g_assert_true(sign(fixture, &error));
    write_policy(fixture, "README", "not a policy");
    g_assert_true(sign(fixture, &error));
    g_assert_false(tree_exists(fixture->fd, "/usr/lib/ipe/README.p7b"));
}

int main(int argc, char *argv[]) {
    g_test_init(&argc, &argv, NULL);
    g_test_add("/ipe/openssl", Fixture, NULL, set_up, test_openssl, tear_down);
    g_test_add("/ipe/signed-stays", Fixture, NULL, set_up, test_signed_stays, tear_down);
    g_test_add("/ipe/other-name", Fixture, NULL, set_up, test_other_name, tear_down);
    g_test_add("/ipe/nothing", Fixture, NULL, set_up, test_nothing, tear_down);
    return g_test_run();
}
