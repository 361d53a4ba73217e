/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "vm/console/console.h"
#include "vm/console/plain-text.h"

#include <string.h>

static void test_keys(void) {
    static const struct {
        const char *typed, *sent;
        gboolean leaves;
    } cases[] = {
            {"ls\r", "ls\r", FALSE},
            {"\x1d\x1d\x1d", "\x1d\x1d", TRUE},
            {"\x1d\x1d"
             "a\x1d",
                    "\x1d\x1d"
                    "a\x1d",
                    FALSE},
            {"\001x", "", TRUE},
            {"\001\001", "\001", FALSE},
            {"\001\001x", "\001x", FALSE},
            {"\001c", "\001c", FALSE},
            {"ab\001xcd", "ab", TRUE},
    };
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        VmConsoleKeys keys = {0};
        g_autoptr(GByteArray) sent = g_byte_array_new();
        gboolean leaves = vm_console_filter_input(
                &keys, (const guint8 *) cases[i].typed, strlen(cases[i].typed), 1, sent);
        g_assert_cmpint(leaves, ==, cases[i].leaves);
        g_assert_cmpmem(sent->data, sent->len, cases[i].sent, strlen(cases[i].sent));
    }
}

/* A sequence counts across reads, but only within a second. */
static void test_keys_over_time(void) {
    static const guint8 bracket = 0x1d;
    static const struct {
        gint64 times[3];
        gboolean leaves;
    } cases[] = {
            {{0, 400000, 900000}, TRUE},
            {{0, 400000, 1100000}, FALSE},
    };
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        VmConsoleKeys keys = {0};
        gboolean leaves = FALSE;
        g_autoptr(GByteArray) sent = g_byte_array_new();
        for (guint j = 0; j < 3; j++)
            leaves = vm_console_filter_input(&keys, &bracket, 1, cases[i].times[j], sent);
        g_assert_cmpint(leaves, ==, cases[i].leaves);
    }
}

static void test_plain_text(void) {
    static const struct {
        const char *output, *text;
    } cases[] = {
            {"plain\r\n", "plain\n"},
            {"\033[0;32m  OK  \033[0m] Started", "  OK  ] Started"},
            {"\033[!p\033]104\007\033[?7hx", "x"},
            {"\033]0;title\033\\x", "x"},
            {"\033(Bx", "x"},
            {"\033[2J\033[01;01HBdsDxe", "BdsDxe"},
            {"\033]no end\nnext", "\nnext"},
            {"\033[\n", "\n"},
            {"\xc3\xa9\x7f\x01", "\xc3\xa9"},
    };
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        VmTextState state = VM_TEXT_PLAIN;
        g_autoptr(GString) text = g_string_new(NULL);
        for (const char *c = cases[i].output; *c; c++)
            if (vm_plain_text(&state, *c))
                g_string_append_c(text, *c);
        g_assert_cmpstr(text->str, ==, cases[i].text);
    }
}

int main(int argc, char *argv[]) {
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/vm/console/keys", test_keys);
    g_test_add_func("/vm/console/keys-over-time", test_keys_over_time);
    g_test_add_func("/vm/console/plain-text", test_plain_text);
    return g_test_run();
}
