/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include "kitchen/hook/judge.h"

typedef struct {
    const char *name, *value;
} Header;

/* USER: an array of Header that ends with a NULL name. */
static const char *find(gpointer user, const char *name) {
    for (const Header *header = user; header->name; header++)
        if (g_ascii_strcasecmp(header->name, name) == 0)
            return header->value;
    return NULL;
}

static gboolean judge(
        HookKind kind, const char *secret, const char *body, Header *headers, gint64 now, char **ret_problem) {
    g_auto(HookVerdict) verdict = {NULL};
    g_autoptr(GBytes) bytes = g_bytes_new(body, strlen(body));
    gboolean good = hook_judge(kind, secret, bytes, find, headers, now, &verdict);

    g_assert_true(good == !verdict.problem);
    if (ret_problem)
        *ret_problem = g_steal_pointer(&verdict.problem);
    return good;
}

/* The example that GitHub publishes in "Validating webhook deliveries". */
#define GITHUB_SECRET "It's a Secret to Everybody"
#define GITHUB_BODY "Hello, World!"
#define GITHUB_MAC "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"

static void test_github(void) {
    static const struct {
        const char *header;
        gboolean good;
    } cases[] = {
            {"sha256=" GITHUB_MAC, TRUE},
            {"sha256=757107EA0EB2509FC211221CCE984B8A37570B6D7586C22C46F4379C8B043E17", TRUE},
            {"sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e18", FALSE},
            {GITHUB_MAC, FALSE},
            {"sha1=" GITHUB_MAC, FALSE},
            {"sha256=" GITHUB_MAC "00", FALSE},
            {"sha256=757107ea", FALSE},
            {"sha256=", FALSE},
            {"", FALSE},
            {"sha256=" GITHUB_MAC ", sha256=" GITHUB_MAC, FALSE}, /* the header came twice */
            {NULL, FALSE},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        Header headers[] = {{"X-Hub-Signature-256", cases[i].header}, {NULL}};

        g_assert_true(judge(HOOK_GITHUB, GITHUB_SECRET, GITHUB_BODY, headers, 0, NULL) == cases[i].good);
    }
}

static void test_changed_body(void) {
    Header headers[] = {{"X-Hub-Signature-256", "sha256=" GITHUB_MAC}, {NULL}};

    g_assert_false(judge(HOOK_GITHUB, GITHUB_SECRET, "Hello, World!\n", headers, 0, NULL));
    g_assert_false(judge(HOOK_GITHUB, "another secret of a hook", GITHUB_BODY, headers, 0, NULL));
    g_assert_false(judge(HOOK_GITHUB, "", GITHUB_BODY, headers, 0, NULL));
}

/* A good signature of one kind is none for a hook of another one. */
static void test_downgrade(void) {
    Header headers[] = {{"X-Hub-Signature-256", "sha256=" GITHUB_MAC}, {"X-Gitea-Signature", GITHUB_MAC},
            {"X-Gitlab-Token", GITHUB_SECRET}, {NULL}};

    g_assert_true(judge(HOOK_GITHUB, GITHUB_SECRET, GITHUB_BODY, headers, 0, NULL));
    g_assert_true(judge(HOOK_GITEA, GITHUB_SECRET, GITHUB_BODY, headers, 0, NULL));
    g_assert_true(judge(HOOK_GITLAB, GITHUB_SECRET, GITHUB_BODY, headers, 0, NULL));
    g_assert_false(judge(HOOK_GITLAB_SIGNED, GITHUB_SECRET, GITHUB_BODY, headers, 0, NULL));
    headers[0].name = "X-Hub-Signature";
    g_assert_false(judge(HOOK_GITHUB, GITHUB_SECRET, GITHUB_BODY, headers, 0, NULL));
    headers[1].name = "X-Other";
    g_assert_false(judge(HOOK_GITEA, GITHUB_SECRET, GITHUB_BODY, headers, 0, NULL));
    g_assert_false(judge(HOOK_FORGEJO, GITHUB_SECRET, GITHUB_BODY, headers, 0, NULL));
}

static void test_forgejo(void) {
    Header own[] = {{"X-Forgejo-Signature", GITHUB_MAC}, {NULL}};
    Header old[] = {{"X-Gitea-Signature", GITHUB_MAC}, {NULL}};
    Header wrong[] = {{"X-Forgejo-Signature", "00"}, {"X-Gitea-Signature", GITHUB_MAC}, {NULL}};

    g_assert_true(judge(HOOK_FORGEJO, GITHUB_SECRET, GITHUB_BODY, own, 0, NULL));
    g_assert_true(judge(HOOK_FORGEJO, GITHUB_SECRET, GITHUB_BODY, old, 0, NULL));
    g_assert_false(judge(HOOK_FORGEJO, GITHUB_SECRET, GITHUB_BODY, wrong, 0, NULL));
}

/* The example of the libraries of Standard Webhooks. */
static void test_standard_webhooks(void) {
    Header headers[] = {{"webhook-id", "msg_p5jXN8AQM9LWM0D4loKWxJek"}, {"webhook-timestamp", "1614265330"},
            {"webhook-signature", "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="}, {NULL}};
    const char *secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    const char *body = "{\"test\": 2432232314}";
    g_autofree char *problem = NULL;

    g_assert_true(judge(HOOK_GITLAB_SIGNED, secret, body, headers, 1614265330, NULL));
    g_assert_true(judge(HOOK_GITLAB_SIGNED, secret, body, headers, 1614265330 + HOOK_AGE_MAX, NULL));
    g_assert_true(judge(HOOK_GITLAB_SIGNED, secret, body, headers, 1614265330 - HOOK_AGE_MAX, NULL));
    g_assert_false(judge(HOOK_GITLAB_SIGNED, secret, body, headers, 1614265330 + HOOK_AGE_MAX + 1, &problem));
    g_assert_nonnull(strstr(problem, "301 seconds ago"));
    g_assert_false(judge(HOOK_GITLAB_SIGNED, secret, body, headers, 1614265330 - HOOK_AGE_MAX - 1, NULL));
    headers[2].value = "v1,AAAA v2,g0hM v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
    g_assert_true(judge(HOOK_GITLAB_SIGNED, secret, body, headers, 1614265330, NULL));
    headers[2].value = "v1a,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
    g_assert_false(judge(HOOK_GITLAB_SIGNED, secret, body, headers, 1614265330, NULL));
    headers[2].value = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
    headers[1].value = "1614265331";
    g_assert_false(judge(HOOK_GITLAB_SIGNED, secret, body, headers, 1614265330, NULL));
    headers[1].value = "now";
    g_assert_false(judge(HOOK_GITLAB_SIGNED, secret, body, headers, 1614265330, NULL));
}

static void test_words(void) {
    Header headers[] = {{"X-GitHub-Event", "push\n<b>"}, {"X-GitHub-Delivery", NULL}, {NULL}};
    g_autofree char *longer = g_strnfill(1000, 'x');
    g_auto(HookVerdict) verdict = {NULL};
    g_autoptr(GBytes) body = g_bytes_new_static("", 0);

    headers[1].value = longer;
    g_assert_false(hook_judge(HOOK_GITHUB, "secret", body, find, headers, 0, &verdict));
    g_assert_cmpstr(verdict.event, ==, "push?<b>");
    g_assert_cmpuint(strlen(verdict.delivery), ==, 128);
}

static void test_names(void) {
    for (int kind = 0; kind < HOOK_N_KINDS; kind++)
        g_assert_cmpint(hook_kind_by_name(hook_kind_name((HookKind) kind)), ==, kind);
    g_assert_cmpint(hook_kind_by_name("sourcehut"), ==, -1);
    g_assert_cmpint(hook_kind_by_name(NULL), ==, -1);
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/judge/github", test_github);
    g_test_add_func("/judge/changed-body", test_changed_body);
    g_test_add_func("/judge/downgrade", test_downgrade);
    g_test_add_func("/judge/forgejo", test_forgejo);
    g_test_add_func("/judge/standard-webhooks", test_standard_webhooks);
    g_test_add_func("/judge/words", test_words);
    g_test_add_func("/judge/names", test_names);
    return g_test_run();
}
