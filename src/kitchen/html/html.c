/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "html.h"

#include <string.h>

#include "kitchen/html/url.h"

struct Html {
    GString *text;
    GPtrArray *open; /* static strings */
};

/* Without script, style, iframe, object, embed, base, meta, form-less plugins: what a page of ours needs. */
static const char *const elements[] = {"a", "article", "aside", "button", "caption", "code", "dd", "details", "div",
        "dl", "dt", "em", "fieldset", "footer", "form", "h1", "h2", "h3", "header", "label", "legend", "li", "main",
        "nav", "ol", "option", "p", "pre", "section", "select", "small", "span", "strong", "summary", "table", "tbody",
        "td", "textarea", "th", "thead", "time", "tr", "ul", "progress",
        /* drawings */
        "g", "rect", "text", NULL};

static const char *const empty_elements[] = {"br", "hr", "input", "img", NULL};

static const char *const addresses[] = {"action", "href", "src", NULL};

static const char *const attributes[] = {"action", "alt", "aria-current", "aria-describedby", "aria-hidden",
        "aria-label", "aria-labelledby", "aria-live", "autocomplete", "autofocus", "checked", "class", "colspan",
        "cols", "data-end", "data-events", "data-live", "data-offset", "data-state", "datetime", "download", "disabled",
        "enctype", "fill", "font-family", "font-size", "for", "height", "href", "id", "maxlength", "max", "method",
        "min", "minlength", "name", "open", "pattern", "placeholder", "readonly", "rel", "required", "role", "rows",
        "rx", "scope", "selected", "size", "spellcheck", "src", "tabindex", "text-anchor", "title", "type", "value",
        "width", "x", "y", NULL};

/* Those that stand alone. */
static const char *const flags[] = {
        "autofocus", "checked", "disabled", "download", "open", "readonly", "required", "selected", NULL};

Html *html_new(void) {
    Html *html = g_new0(Html, 1);

    html->text = g_string_sized_new(16 * 1024);
    html->open = g_ptr_array_new();
    return html;
}

void html_free(Html *html) {
    if (!html)
        return;
    g_string_free(html->text, TRUE);
    g_ptr_array_unref(html->open);
    g_free(html);
}

static void append_character(GString *text, gunichar character) {
    switch (character) {
    case '<':
        g_string_append(text, "&lt;");
        return;
    case '>':
        g_string_append(text, "&gt;");
        return;
    case '&':
        g_string_append(text, "&amp;");
        return;
    case '"':
        g_string_append(text, "&quot;");
        return;
    case '\'':
        g_string_append(text, "&#39;");
        return;
    case '\n':
    case '\t':
        g_string_append_c(text, (char) character);
        return;
    default:
        break;
    }
    /* Control characters as their pictures; what changes the direction of writing, or is no character, as a mark. */
    if (character < 0x20)
        g_string_append_unichar(text, 0x2400 + character);
    else if (character == 0x7f)
        g_string_append_unichar(text, 0x2421);
    else if ((character >= 0x80 && character < 0xa0) || (character >= 0x202a && character <= 0x202e) ||
             (character >= 0x2066 && character <= 0x2069) || (character & 0xfffe) == 0xfffe ||
             (character >= 0xfdd0 && character <= 0xfdef))
        g_string_append_unichar(text, 0xfffd);
    else
        g_string_append_unichar(text, character);
}

static void append_escaped(GString *text, const char *from, gsize length) {
    const char *end = from + length;

    while (from < end) {
        /* GLib takes a NUL for the end. */
        gunichar character = *from ? g_utf8_get_char_validated(from, end - from) : 0;

        if (character == 0) {
            append_character(text, 0);
            from++;
        } else if (character == (gunichar) -1 || character == (gunichar) -2) {
            append_character(text, 0xfffe);
            from++;
        } else {
            append_character(text, character);
            from = g_utf8_next_char(from);
        }
    }
}

void html_text_bytes(Html *html, const char *text, gsize length) {
    append_escaped(html->text, text, length);
}

void html_text(Html *html, const char *text) {
    if (text)
        append_escaped(html->text, text, strlen(text));
}

void html_textf(Html *html, const char *format, ...) {
    g_autofree char *text = NULL;
    va_list arguments;

    va_start(arguments, format);
    text = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    html_text(html, text);
}

static void append_attribute(Html *html, const char *name, const char *value) {
    if (!g_strv_contains(attributes, name))
        g_error("HTML: \"%s\" is no attribute that pages use", name);
    if (g_strv_contains(addresses, name) && !url_is_local(value))
        return;
    g_string_append_printf(html->text, " %s", name);
    if (value[0] == '\0' && g_strv_contains(flags, name))
        return;
    g_string_append(html->text, "=\"");
    append_escaped(html->text, value, strlen(value));
    g_string_append_c(html->text, '"');
}

static void append_tag(Html *html, const char *element, va_list pairs) {
    gboolean empty = g_strv_contains(empty_elements, element);

    if (!empty && !g_strv_contains(elements, element))
        g_error("HTML: \"%s\" is no element that pages use", element);
    g_string_append_printf(html->text, "<%s", element);
    for (const char *name; (name = va_arg(pairs, const char *));) {
        const char *value = va_arg(pairs, const char *);

        if (value)
            append_attribute(html, name, value);
    }
    g_string_append_c(html->text, '>');
    if (!empty)
        g_ptr_array_add(html->open, (gpointer) g_intern_string(element));
}

void html_open(Html *html, const char *element, ...) {
    va_list pairs;

    va_start(pairs, element);
    append_tag(html, element, pairs);
    va_end(pairs);
    /* Parsers drop a newline that comes first. */
    if (strcmp(element, "pre") == 0 || strcmp(element, "textarea") == 0)
        g_string_append_c(html->text, '\n');
}

void html_close(Html *html, const char *element) {
    const char *last = html->open->len > 0 ? html->open->pdata[html->open->len - 1] : "nothing";

    if (strcmp(last, element) != 0)
        g_error("HTML: %s is closed where %s is open", element, last);
    g_ptr_array_set_size(html->open, (int) html->open->len - 1);
    g_string_append_printf(html->text, "</%s>", element);
}

void html_element(Html *html, const char *element, const char *text, ...) {
    va_list pairs;

    va_start(pairs, text);
    append_tag(html, element, pairs);
    va_end(pairs);
    if (strcmp(element, "pre") == 0 || strcmp(element, "textarea") == 0)
        g_string_append_c(html->text, '\n');
    html_text(html, text);
    html_close(html, element);
}

void html_link(Html *html, const char *url, const char *text) {
    if (!url || !url_is_web(url)) {
        html_text(html, text);
        return;
    }
    g_string_append(html->text, "<a rel=\"noopener noreferrer nofollow\" href=\"");
    append_escaped(html->text, url, strlen(url));
    g_string_append(html->text, "\">");
    html_text(html, text);
    g_string_append(html->text, "</a>");
}

void html_begin_page(Html *html, const char *title, const char *style, const char *script) {
    g_assert(html->text->len == 0 && url_is_local(style) && url_is_local(script));
    g_string_append(html->text, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
                                "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
                                "<meta name=\"color-scheme\" content=\"light dark\">\n<title>");
    html_text(html, title);
    g_string_append(html->text, "</title>\n<link rel=\"stylesheet\" href=\"");
    html_text(html, style);
    g_string_append(html->text, "\">\n<script src=\"");
    html_text(html, script);
    g_string_append(html->text, "\" defer></script>\n</head>\n<body>\n");
}

void html_end_page(Html *html) {
    g_string_append(html->text, "\n</body>\n</html>\n");
}

void html_begin_svg(Html *html, guint width, guint height, const char *title) {
    g_assert(html->text->len == 0);
    g_string_append_printf(html->text,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%u\" height=\"%u\" role=\"img\">\n<title>", width,
            height);
    html_text(html, title);
    g_string_append(html->text, "</title>\n");
}

void html_end_svg(Html *html) {
    g_string_append(html->text, "</svg>\n");
}

GBytes *html_take(Html *html) {
    GString *text = html->text;

    if (html->open->len > 0)
        g_error("HTML: %s is not closed", (const char *) html->open->pdata[html->open->len - 1]);
    html->text = g_string_sized_new(16 * 1024);
    return g_string_free_to_bytes(text);
}
