/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include "kitchen/hook/payload.h"

static void test_meanings(void) {
    static const struct {
        HookKind kind;
        const char *event, *body;
        HookMeaning meaning;
        const char *words;
    } cases[] = {
            {HOOK_GITHUB, "push", "{\"ref\":\"refs/heads/main\",\"after\":\"a1\",\"deleted\":false}", HOOK_LOOK,
                    "Looking at"},
            {HOOK_GITHUB, "push", "{\"ref\":\"refs/heads/other\",\"after\":\"a1\"}", HOOK_NOTHING,
                    "Only the branch \"main\""},
            {HOOK_GITHUB, "push", "{\"ref\":\"refs/heads/main2\",\"after\":\"a1\"}", HOOK_NOTHING, "Only the branch"},
            {HOOK_GITHUB, "push", "{\"ref\":\"refs/tags/main\",\"after\":\"a1\"}", HOOK_NOTHING, "Tags"},
            {HOOK_GITHUB, "push", "{\"ref\":\"refs/pull/1/head\"}", HOOK_NOTHING, "no branch"},
            {HOOK_GITHUB, "push", "{\"ref\":\"refs/heads/main\",\"deleted\":true}", HOOK_NOTHING, "was deleted"},
            {HOOK_GITLAB, "Push Hook",
                    "{\"ref\":\"refs/heads/main\",\"after\":\"0000000000000000000000000000000000000000\"}",
                    HOOK_NOTHING, "was deleted"},
            {HOOK_GITLAB, "Push Hook", "{\"ref\":\"refs/heads/main\",\"after\":null}", HOOK_LOOK, "Looking"},
            {HOOK_GITLAB, "Tag Push Hook", "{\"ref\":\"refs/tags/v1\"}", HOOK_NOTHING, "start nothing"},
            {HOOK_GITLAB, "push", "{\"ref\":\"refs/heads/main\"}", HOOK_NOTHING, "start nothing"},
            {HOOK_GITHUB, "ping", "not even JSON", HOOK_NOTHING, "Pong"},
            {HOOK_GITEA, "create", "{}", HOOK_NOTHING, "start nothing"},
            {HOOK_FORGEJO, "push", "{\"ref\":\"refs/heads/main\"}", HOOK_LOOK, "Looking"},
            {HOOK_GITHUB, NULL, "{\"ref\":\"refs/heads/main\"}", HOOK_WRONG, "header"},
            {HOOK_GITHUB, "push", "", HOOK_WRONG, "JSON"},
            {HOOK_GITHUB, "push", "payload=%7B%7D", HOOK_WRONG, "application/json"},
            {HOOK_GITHUB, "push", "[]", HOOK_WRONG, "object"},
            {HOOK_GITHUB, "push", "{}", HOOK_WRONG, "no ref"},
            {HOOK_GITHUB, "push", "{\"ref\":7}", HOOK_WRONG, "no ref"},
            {HOOK_GITHUB, "push", "{\"ref\":[\"refs/heads/main\"]}", HOOK_WRONG, "no ref"},
            {HOOK_GITHUB, "push", "{\"ref\":\"refs/heads/main\",/*", HOOK_WRONG, "JSON"},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GBytes) body = g_bytes_new(cases[i].body, strlen(cases[i].body));
        g_autofree char *words = NULL;

        g_assert_cmpint(hook_read_payload(cases[i].kind, cases[i].event, body, "main", &words), ==, cases[i].meaning);
        g_assert_nonnull(strstr(words, cases[i].words));
    }
}

/* Deep enough to end a parser that goes as deep as the text does. */
static void test_deep(void) {
    g_autofree char *text = g_strnfill(1000000, '[');
    g_autoptr(GBytes) body = g_bytes_new(text, 1000000);
    g_autofree char *words = NULL;

    g_assert_cmpint(hook_read_payload(HOOK_GITHUB, "push", body, "main", &words), ==, HOOK_WRONG);
    g_assert_nonnull(strstr(words, "nested"));
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/payload/meanings", test_meanings);
    g_test_add_func("/payload/deep", test_deep);
    return g_test_run();
}
