/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include "kitchen/html/html.h"

/* What HTML holds so far, as a string. */
static char *take(Html *html) {
    g_autoptr(GBytes) bytes = html_take(html);

    return g_strndup(g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes));
}

static void test_text(void) {
    static const struct {
        const char *text, *html;
        gssize length;
    } cases[] = {
            {"plain", "plain", -1},
            {"<script>alert('x')</script>", "&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;", -1},
            {"a & b \"c\"", "a &amp; b &quot;c&quot;", -1},
            {"&lt;", "&amp;lt;", -1},
            {"two\nlines\tand a tab", "two\nlines\tand a tab", -1},
            {"\033[31mred\033[0m\r", "␛[31mred␛[0m␍", -1},
            {"nul\0byte", "nul␀byte", 8},
            {"del\177", "del␡", -1},
            {"\xff\xfe<", "��&lt;", -1},
            {"cut \xe2\x82", "cut ��", -1},
            {"\xe2\x80\xaegnp.exe", "�gnp.exe", -1}, /* right-to-left override */
            {"\xe2\x81\xa6isolate", "�isolate", -1},
            {"\xc2\x9b"
             "31m",
                    "�31m", -1},
            {"größer ✓", "größer ✓", -1},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(Html) html = html_new();
        g_autofree char *text = NULL;

        html_text_bytes(html, cases[i].text, cases[i].length < 0 ? strlen(cases[i].text) : (gsize) cases[i].length);
        text = take(html);
        g_assert_cmpstr(text, ==, cases[i].html);
    }
}

static void test_attributes(void) {
    g_autoptr(Html) html = html_new();
    g_autofree char *text = NULL;

    html_element(html, "a", "x", "href", "/a?b=1&c=2", "title", "\"><img src=x onerror=y>", "class", NULL, NULL);
    html_open(html, "input", "type", "checkbox", "checked", "", "value", "", NULL);
    text = take(html);
    g_assert_cmpstr(text, ==,
            "<a href=\"/a?b=1&amp;c=2\" title=\"&quot;&gt;&lt;img src=x onerror=y&gt;\">x</a>"
            "<input type=\"checkbox\" checked value=\"\">");
}

/* No address that leaves the service or runs something gets into a page. */
static void test_addresses(void) {
    static const char *const bad[] = {"javascript:alert(1)", "JaVaScRiPt:alert(1)", " javascript:alert(1)",
            "java\nscript:alert(1)", "data:text/html,<script>", "//evil.example/", "/\\evil.example/", "vbscript:x",
            "https://evil.example/", "", "relative", "\t//evil.example", "/a\nb"};

    for (gsize i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autoptr(Html) html = html_new();
        g_autofree char *text = NULL;

        html_element(html, "a", "x", "href", bad[i], NULL);
        text = take(html);
        g_assert_cmpstr(text, ==, "<a>x</a>");
    }
}

static void test_links(void) {
    static const struct {
        const char *url, *html;
    } cases[] = {
            {"https://example.org/a?b=\"c", "x"},
            {"https://example.org/a?b=c&d",
                    "<a rel=\"noopener noreferrer nofollow\" href=\"https://example.org/a?b=c&amp;d\">x</a>"},
            {"javascript:alert(1)//https://", "x"},
            {"https://user:secret@example.org/", "x"},
            {"ssh://git@example.org/x", "x"},
            {"https:///x", "x"},
            {NULL, "x"},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(Html) html = html_new();
        g_autofree char *text = NULL;

        html_link(html, cases[i].url, "x");
        text = take(html);
        g_assert_cmpstr(text, ==, cases[i].html);
    }
}

static void test_page(void) {
    g_autoptr(Html) html = html_new();
    g_autofree char *text = NULL;

    html_begin_page(html, "</title><script>", "/style.css", "/live.js");
    html_element(html, "pre", "\nfirst", NULL);
    html_end_page(html);
    text = take(html);
    g_assert_nonnull(strstr(text, "<title>&lt;/title&gt;&lt;script&gt;</title>"));
    /* Parsers drop the first newline of these: ours is that one. */
    g_assert_nonnull(strstr(text, "<pre>\n\nfirst</pre>"));
}

/* Mistakes of the program end it, before they become pages. */
static void test_mistakes(void) {
    if (g_test_subprocess()) {
        g_autoptr(Html) html = html_new();
        html_element(html, "script", "x", NULL);
        return;
    }
    g_test_trap_subprocess("/html/mistakes", 0, G_TEST_SUBPROCESS_DEFAULT);
    g_test_trap_assert_failed();
    g_test_trap_assert_stderr("*\"script\" is no element*");
}

static void test_handlers(void) {
    if (g_test_subprocess()) {
        g_autoptr(Html) html = html_new();
        html_element(html, "a", "x", "onclick", "x", NULL);
        return;
    }
    g_test_trap_subprocess("/html/handlers", 0, G_TEST_SUBPROCESS_DEFAULT);
    g_test_trap_assert_failed();
    g_test_trap_assert_stderr("*\"onclick\" is no attribute*");
}

static void test_order(void) {
    if (g_test_subprocess()) {
        g_autoptr(Html) html = html_new();
        html_open(html, "p", NULL);
        html_open(html, "em", NULL);
        html_close(html, "p");
        return;
    }
    g_test_trap_subprocess("/html/order", 0, G_TEST_SUBPROCESS_DEFAULT);
    g_test_trap_assert_failed();
    g_test_trap_assert_stderr("*p is closed where em is open*");
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/html/text", test_text);
    g_test_add_func("/html/attributes", test_attributes);
    g_test_add_func("/html/addresses", test_addresses);
    g_test_add_func("/html/links", test_links);
    g_test_add_func("/html/page", test_page);
    g_test_add_func("/html/mistakes", test_mistakes);
    g_test_add_func("/html/handlers", test_handlers);
    g_test_add_func("/html/order", test_order);
    return g_test_run();
}
