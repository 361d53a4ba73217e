/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "events/printable.h"

#include <string.h>

#include "events/redact.h"

#define COLUMNS 80
#define INDENT 2
#define ROWS 16
/* Of one line: characters that are shown. */
#define LONGEST 300
#define SHOWN_END 180
/* Of a text: bytes that can matter. */
#define LONGEST_TAIL (64 * 1024)

/* What follows the escape character at AT: "[...m" and its like. Returns where it ends. */
static const char *skip_escape(const char *at) {
    if (*at == '[') {
        at += 1 + strspn(at + 1, "0123456789;:<=>?!\"#$%&'()*+,-./ ");
        return *at ? at + 1 : at;
    }
    /* Titles and links end with BEL or with ESC \. */
    if (*at == ']') {
        while (*at && *at != '\a' && *at != '\033')
            at++;
        return *at == '\a' ? at + 1 : *at && at[1] == '\\' ? at + 2 : at;
    }
    return *at > ' ' && *at < 0x7f ? at + 1 : at;
}

static char *without_controls(const char *line) {
    g_autofree char *valid = g_strchomp(g_utf8_make_valid(line, -1));
    g_autoptr(GString) text = g_string_new(NULL);

    for (const char *at = valid; *at;) {
        gunichar character = g_utf8_get_char(at);
        at = g_utf8_next_char(at);
        if (character == '\033')
            at = skip_escape(at);
        else if (character == '\t')
            g_string_append_c(text, ' ');
        else if (g_unichar_iscntrl(character) || g_unichar_type(character) == G_UNICODE_FORMAT)
            g_string_append_unichar(text, 0xfffd);
        else
            g_string_append_unichar(text, character);
    }
    return g_string_free(g_steal_pointer(&text), FALSE);
}

char *printable_line(const char *line) {
    g_autofree char *text = without_controls(line);

    g_strchomp(text);
    if (g_utf8_strlen(text, -1) <= LONGEST)
        return g_steal_pointer(&text);
    g_autofree char *safe = redact_text(text);
    glong length = g_utf8_strlen(safe, -1);
    if (length <= LONGEST)
        return g_steal_pointer(&safe);
    g_autofree char *begin = g_utf8_substring(safe, 0, LONGEST - SHOWN_END);
    g_autofree char *end = g_utf8_substring(safe, length - SHOWN_END, length);
    return g_strdup_printf("%s ... %s", begin, end);
}

char *printable_lines(const char *const *lines, guint count) {
    g_autoptr(GString) tail = g_string_new(NULL);
    guint rows = 0;

    while (count-- > 0) {
        g_autofree char *line = printable_line(lines[count]);
        if (!*line && tail->len == 0)
            continue;
        rows += 1 + (g_utf8_strlen(line, -1) + INDENT - 1) / COLUMNS;
        if (rows > ROWS)
            break;
        g_string_prepend(tail, line);
        g_string_prepend(tail, "\n  ");
    }
    return g_string_free(g_steal_pointer(&tail), FALSE);
}

char *printable_tail(const char *text, gsize length) {
    gsize skipped = length > LONGEST_TAIL ? length - LONGEST_TAIL : 0;
    g_autofree char *end = g_malloc(length - skipped + 1);

    for (gsize i = skipped; i < length; i++)
        end[i - skipped] = text[i] == '\0' ? ' ' : text[i] == '\r' ? '\n' : text[i];
    end[length - skipped] = '\0';
    g_auto(GStrv) lines = g_strsplit(end, "\n", -1);
    return printable_lines((const char *const *) lines, g_strv_length(lines));
}
