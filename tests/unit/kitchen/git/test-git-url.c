/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <glib.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "kitchen/git/git-url.h"

static gboolean check(const char *text, const char *root, GitUrl *url) {
    const char *const roots[] = {root, NULL};
    g_autoptr(AddressPolicy) policy = address_policy_new(NULL, NULL);
    const GitRules rules = {.roots = root ? roots : NULL, .addresses = policy};

    git_url_clear(url);
    return git_url_check(text, &rules, url, NULL);
}

static void test_refused(void) {
    static const char *const bad[] = {"", "http://example.org/x.git", "git://example.org/x", "ssh://example.org/x",
            "ext::sh -c id", "file://host/x", "git@127.0.0.1:x.git", "ssh://git@127.0.0.1/x", "ssh://1.1.1.1/x.git",
            "ssh://git:password@1.1.1.1/x.git", "ssh://-oProxyCommand=id@1.1.1.1/x", "ssh://git@-oProxyCommand=id/x",
            "ssh://git%40evil@1.1.1.1/x", "ssh://git@1.1.1.1", "ssh://git@1.1.1.1/", "ssh://git@1.1.1.1/x?y",
            "ssh://git@[::1]/x", "-o@1.1.1.1:x", "git@-x:x", "ssh+git://git@1.1.1.1/x", "git+ssh://git@1.1.1.1/x",
            "https://", "https://user@example.org/x", "https://user:password@example.org/x",
            "https://-oProxyCommand=id/x", "https://127.0.0.1/x", "https://[::1]/x", "https://10.0.0.1/x",
            "https://192.0.2.1/x", "https://203.0.113.1/x", "https://[100::1]/x", "https://192.168.1.1/x",
            "https://172.16.0.1/x", "https://169.254.169.254/latest", "https://100.64.0.1/x", "https://0.0.0.0/x",
            "https://[fd00::1]/x", "https://[::ffff:127.0.0.1]/x", "https://[fe80::1]/x", "https://224.0.0.1/x",
            "https://example.org/x\n", "https://example.org/x y", "-x", "https://2130706433/x", "https://0x7f.1/x",
            "https://1.1.1.1/x#fragment", "/etc", "relative/path"};
    g_auto(GitUrl) url = {0};

    for (guint i = 0; i < G_N_ELEMENTS(bad); i++)
        if (check(bad[i], NULL, &url))
            g_error("\"%s\" was taken", bad[i]);
}

static void test_address(void) {
    g_auto(GitUrl) url = {0};

    g_assert_true(check("https://1.1.1.1/x.git", NULL, &url));
    g_assert_cmpstr(url.url, ==, "https://1.1.1.1/x.git");
    g_assert_cmpstr(url.pin, ==, "1.1.1.1:443:1.1.1.1");
    g_assert_null(url.path);
    g_assert_true(check("https://1.1.1.1:8443/x.git", NULL, &url));
    g_assert_cmpstr(url.pin, ==, "1.1.1.1:8443:1.1.1.1");
    g_assert_cmpstr(url.host, ==, "1.1.1.1:8443");
    g_assert_true(check("git@1.1.1.1:ada/x.git", NULL, &url));
    g_assert_cmpstr(url.url, ==, "ssh://git@1.1.1.1/ada/x.git");
    g_assert_cmpint(url.transport, ==, GIT_SSH);
    g_assert_cmpstr(url.host, ==, "1.1.1.1");
    g_assert_cmpstr(url.address, ==, "1.1.1.1");
    g_assert_true(check("ssh://ada@1.1.1.1:2222/x.git", NULL, &url));
    g_assert_cmpstr(url.host, ==, "1.1.1.1:2222");
    g_assert_cmpstr(url.user, ==, "ada");
}

/* Where submodules come from. NULL: they do not. */
static void test_submodules(void) {
    static const struct {
        const char *base, *text, *found;
    } cases[] = {
            {"https://1.1.1.1/a/b.git", "../c.git", "https://1.1.1.1/a/c.git"},
            {"https://1.1.1.1/a/b.git/", "../c.git", "https://1.1.1.1/a/c.git"},
            {"https://1.1.1.1/a/b.git", "./c", "https://1.1.1.1/a/b.git/c"},
            {"https://1.1.1.1/a/b.git", "../../c/d.git", "https://1.1.1.1/c/d.git"},
            {"https://1.1.1.1/a/b.git", "../../../c", NULL},
            {"https://1.1.1.1/a/b.git", "../", NULL},
            {"https://1.1.1.1/a/b.git", "..//127.0.0.1/x", NULL},
            {"https://1.1.1.1/a/b.git", "/etc", NULL},
            {"https://1.1.1.1/a/b.git", "file:///etc", NULL},
            {"https://1.1.1.1/a/b.git", "FILE:///etc", NULL},
            {"https://1.1.1.1/a/b.git", "https://1.1.1.2/x", "https://1.1.1.2/x"},
            {"ssh://git@1.1.1.1:2222/a/b.git", "../c.git", "ssh://git@1.1.1.1:2222/a/c.git"},
            {"git@1.1.1.1:a/b.git", "../c.git", "ssh://git@1.1.1.1/a/c.git"},
    };

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_auto(GitUrl) base = {0};
        g_autofree char *found = NULL;

        g_assert_true(check(cases[i].base, NULL, &base));
        found = git_url_resolve(&base, cases[i].text, NULL);
        g_assert_cmpstr(found, ==, cases[i].found);
    }
}

static void test_paths(void) {
    g_autofree char *top = g_dir_make_tmp("git-XXXXXX", NULL);
    g_autofree char *root = g_build_filename(top, "roots", NULL);
    g_autofree char *inside = g_build_filename(root, "x.git", NULL);
    g_autofree char *beside = g_strconcat(root, "-other", NULL);
    g_autofree char *link = g_build_filename(root, "link", NULL);
    g_autofree char *uri = g_strconcat("file://", inside, NULL);
    g_autofree char *out = g_build_filename(inside, "..", "..", NULL);
    g_auto(GitUrl) url = {0};

    g_assert_cmpint(g_mkdir(root, 0700) | g_mkdir(inside, 0700) | g_mkdir(beside, 0700) | symlink("/etc", link), ==, 0);
    g_assert_true(check(inside, root, &url));
    g_assert_nonnull(url.path);
    g_assert_true(check(uri, root, &url));
    g_assert_false(check(inside, NULL, &url));
    g_assert_false(check(beside, root, &url));
    g_assert_false(check(link, root, &url));
    g_assert_false(check(out, root, &url));
    g_assert_false(check("/nonexistent", root, &url));
    g_unlink(link);
    g_rmdir(inside);
    g_rmdir(beside);
    g_rmdir(root);
    g_rmdir(top);
}

static void test_branches(void) {
    static const char *const bad[] = {
            "", "-x", "--upload-pack=id", "a b", "a..b", "a@{1}", "/a", "a\n", "a*", "a:b", "a~1"};

    for (guint i = 0; i < G_N_ELEMENTS(bad); i++)
        g_assert_false(git_branch_is_valid(bad[i]));
    g_assert_true(git_branch_is_valid("main"));
    g_assert_true(git_branch_is_valid("release/1.0-x"));
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/kitchen/git/refused", test_refused);
    g_test_add_func("/kitchen/git/address", test_address);
    g_test_add_func("/kitchen/git/paths", test_paths);
    g_test_add_func("/kitchen/git/submodules", test_submodules);
    g_test_add_func("/kitchen/git/branches", test_branches);
    return g_test_run();
}
