/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include "kitchen/http/form.h"

static void test_fields(void) {
    const char *text = "a=1&b=x+y%20z&c=&d&%C3%A9=%E2%9C%93&&e=a%3Db%26c";
    g_autoptr(GError) error = NULL;
    g_autoptr(GHashTable) form = form_parse(text, strlen(text), &error);

    g_assert_no_error(error);
    g_assert_cmpuint(g_hash_table_size(form), ==, 6);
    g_assert_cmpstr(g_hash_table_lookup(form, "b"), ==, "x y z");
    g_assert_cmpstr(g_hash_table_lookup(form, "c"), ==, "");
    g_assert_cmpstr(g_hash_table_lookup(form, "d"), ==, "");
    g_assert_cmpstr(g_hash_table_lookup(form, "é"), ==, "✓");
    g_assert_cmpstr(g_hash_table_lookup(form, "e"), ==, "a=b&c");
}

static void test_wrong(void) {
    static const char *const wrong[] = {
            "a=%", "a=%4", "a=%zz", "a=%00", "%00=a", "a=%ff", "a=\xff", "a=1&a=2", "a=1&%61=2"};

    for (gsize i = 0; i < G_N_ELEMENTS(wrong); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(GHashTable) form = form_parse(wrong[i], strlen(wrong[i]), &error);

        g_assert_null(form);
        g_assert_nonnull(error);
    }
}

static void test_limits(void) {
    g_autoptr(GString) text = g_string_new(NULL);
    g_autoptr(GError) error = NULL;
    g_autoptr(GHashTable) form = NULL;

    for (guint i = 0; i < FORM_FIELDS_MAX; i++)
        g_string_append_printf(text, "f%u=1&", i);
    form = form_parse(text->str, text->len, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(g_hash_table_size(form), ==, FORM_FIELDS_MAX);
    g_string_append(text, "more=1");
    g_assert_null(form_parse(text->str, text->len, NULL));
    g_assert_cmpuint(g_hash_table_size(form), ==, FORM_FIELDS_MAX);
}

static void test_cookies(void) {
    static const struct {
        const char *header, *value;
    } cases[] = {{"kitchen=abc", "abc"}, {"a=b; kitchen=abc; c=d", "abc"}, {"kitchen=", ""}, {"xkitchen=abc", NULL},
            {"kitchen", NULL}, {"kitchen=a; kitchen=b", NULL}, {"", NULL}, {NULL, NULL}, {"Kitchen=abc", NULL}};

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *value = cookie_find(cases[i].header, "kitchen");

        g_assert_cmpstr(value, ==, cases[i].value);
    }
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/form/fields", test_fields);
    g_test_add_func("/form/wrong", test_wrong);
    g_test_add_func("/form/limits", test_limits);
    g_test_add_func("/form/cookies", test_cookies);
    return g_test_run();
}
