/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "events/redact.h"
#include "events/task.h"

#include <string.h>

static const struct {
    const char *text, *expected;
} texts[] = {
        {"nothing to hide: a=b https://example.org/x?mail=a@b", NULL},
        {"Get:1 https://user:p@ss@deb.example.org/debian trixie", "Get:1 https://***@deb.example.org/debian trixie"},
        {"clone https://ghp_0123@example.org/x.git", "clone https://***@example.org/x.git"},
        {"ssh://git@example.org/x", NULL},
        {"ssh://git:pw@example.org/x", "ssh://git:***@example.org/x"},
        {"http://proxy:3128/ and user@example.org", NULL},
        {"Cannot load pkcs11:token=t;object=k?pin-value=12%334&x=y: no",
                "Cannot load pkcs11:token=t;object=k?pin-value=***&x=y: no"},
        {"+ p --setenv API_TOKEN=abc --setenv A=b", "+ p --setenv API_TOKEN=*** --setenv A=b"},
        {"export DB_PASSWORD='a b c' X=1", "export DB_PASSWORD=*** X=1"},
        {"GIT_AUTHOR_NAME=x KEYMAP=de PINNED=1 GIT_CONFIG_KEY_0=safe.directory", NULL},
        {"curl https://x/?access_token=abc&n=1", "curl https://x/?access_token=***&n=1"},
        {"mkosi.conf:3: RootPassword=: It must not be so", NULL},
        {"Passphrase=/etc/x SecureBootKey=mkosi.key", NULL},
        {"--root-password=hunter2 build", "--root-password=*** build"},
        {"type=11,value=io.systemd.credential.binary:a.b=c2VjcmV0,value=x",
                "type=11,value=io.systemd.credential.binary:a.b=***,value=x"},
        {"quiet systemd.set_credential=a:b ro", "quiet systemd.set_credential=*** ro"},
        {"Authorization: Basic abc==", "Authorization: ***"},
        {"{\"RootPassword\": [\"x\", false], \"Credentials\": {\"a\": \"b\"}, \"Format\": \"disk\"}",
                "{\"RootPassword\": \"***\", \"Credentials\": \"***\", \"Format\": \"disk\"}"},
        {"{\"Environment\": {\"A_TOKEN\": \"a\\\"b\", \"B\": \"c\"}, \"SecureBootKey\": \"/k\"}",
                "{\"Environment\": {\"A_TOKEN\": \"***\", \"B\": \"c\"}, \"SecureBootKey\": \"/k\"}"},
};

static void test_forms(void) {
    for (gsize i = 0; i < G_N_ELEMENTS(texts); i++) {
        g_autofree char *text = redact_text(texts[i].text);
        g_assert_cmpstr(text, ==, texts[i].expected ?: texts[i].text);
    }
}

static void test_arguments(void) {
    static const struct {
        const char *text, *expected;
    } arguments[] = {
            {"my_token=a b", "my_token=***"},
            {"DB_PASSWORD=it's \"x\" here", "DB_PASSWORD=***"},
            {"SSH_AUTH_SOCK=/run/x", "SSH_AUTH_SOCK=***"},
            {"--output=/dev/fd/3", "--output=/dev/fd/3"},
            {"PATH=/usr/bin:/bin", "PATH=/usr/bin:/bin"},
            {"printf x=https://u:p@h/", "printf x=https://***@h/"},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(arguments); i++) {
        g_autofree char *text = redact_argument(arguments[i].text);
        g_assert_cmpstr(text, ==, arguments[i].expected);
    }
}

static void assert_redacted(const char *text, const char *expected) {
    g_autofree char *result = redact_text(text);
    g_assert_cmpstr(result, ==, expected);
}

static void test_remembered(void) {
    redact_secret("long enough secret\n");
    redact_secret("p1n!");
    redact_secret("root"); /* an ordinary word */
    redact_secret("first line of it\nsecond line of it\r\n");
    redact_addresses("Mirror=https://u:per%20cent%2Fpassword@h/");
    assert_redacted("xlong enough secretx", "x***x");
    assert_redacted("the pin is p1n!", "the pin is ***");
    assert_redacted("xp1n! p1n!", "xp1n! ***");
    assert_redacted("/root and root", "/root and root");
    assert_redacted("second line of it", "***");
    g_autofree char *known =
            redact_known("A_TOKEN=other B_TOKEN='long enough secret' https://u:per%20cent%2Fpassword@h/");
    g_assert_cmpstr(known, ==, "A_TOKEN=other B_TOKEN='***' https://u:***@h/");
    assert_redacted("per%20cent%2Fpassword, per cent/password", "***, ***");
}

static void test_of_another_task(void) {
    g_autoptr(Task) other = task_new(0);
    g_autoptr(TaskScope) scope = task_enter(other);
    redact_secret("secret of the other");
    assert_redacted("secret of the other", "***");
    task_leave(g_steal_pointer(&scope));
    assert_redacted("secret of the other", "secret of the other");
}

/* Nothing is so long that it would take for ever, or come through. */
static void test_long(void) {
    g_autoptr(GString) text = g_string_new("A_TOKEN=");
    for (int i = 0; i < 200000; i++)
        g_string_append(text, i % 7 ? "x" : "\"");
    g_autofree char *result = redact_text(text->str);
    g_assert_true(g_utf8_validate(result, -1, NULL));

    g_string_assign(text, "{\"APassword\": \"");
    for (int i = 0; i < 200000; i++)
        g_string_append_c(text, 'y');
    g_string_append(text, "\"}");
    g_autofree char *json = redact_text(text->str);
    g_assert_null(strstr(json, "yyyyyyyy"));
}

static void test_names(void) {
    g_assert_true(redact_is_secret_name("CI_JOB_TOKEN"));
    g_assert_true(redact_is_secret_name("my_password"));
    g_assert_false(redact_is_secret_name("PATH"));
    g_assert_false(redact_is_secret_name("SecureBootKey"));
}

int main(int argc, char *argv[]) {
    g_test_init(&argc, &argv, NULL);
    g_autoptr(Task) task = task_new(0);
    g_autoptr(TaskScope) scope = task_enter(task);
    g_test_add_func("/redact/forms", test_forms);
    g_test_add_func("/redact/arguments", test_arguments);
    g_test_add_func("/redact/remembered", test_remembered);
    g_test_add_func("/redact/of-another-task", test_of_another_task);
    g_test_add_func("/redact/long", test_long);
    g_test_add_func("/redact/names", test_names);
    return g_test_run();
}
