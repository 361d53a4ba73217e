/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Whatever the text is, it becomes text: no sign of markup that was not there before, and valid UTF-8. */
#include <string.h>

#include "kitchen/html/html.h"
#include "kitchen/html/url.h"

int LLVMFuzzerTestOneInput(const guint8 *data, gsize size);

static void check(Html *html, const char *tags) {
    g_autoptr(GBytes) bytes = html_take(html);
    gsize length = 0, counted = 0;
    const char *text = g_bytes_get_data(bytes, &length);

    g_assert_true(g_utf8_validate(text, (gssize) length, NULL));
    for (gsize i = 0; i < length; i++) {
        g_assert_true((guint8) text[i] >= 0x20 || text[i] == '\n' || text[i] == '\t');
        counted += text[i] == '<' || text[i] == '>' || text[i] == '"';
    }
    g_assert_cmpuint(counted, ==, strlen(tags));
}

int LLVMFuzzerTestOneInput(const guint8 *data, gsize size) {
    g_autoptr(Html) html = html_new();
    g_autofree char *text = g_strndup((const char *) data, size);
    g_autofree char *path = url_path("a", text, NULL);

    html_text_bytes(html, (const char *) data, size);
    check(html, "");
    html_element(html, "a", text, "title", text, "href", path, NULL);
    check(html, "<\"\"\"\"><>");
    html_element(html, "a", "x", "href", text, NULL);
    if (url_is_local(text))
        check(html, "<\"\"><>");
    else
        check(html, "<><>");
    return 0;
}
