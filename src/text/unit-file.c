/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "text/unit-file.h"

#include <string.h>

#define BLANKS " \t\n\r"
#define BYTE_ORDER_MARK "\xef\xbb\xbf"

/* No file and no line is longer, as for systemd. */
#define LONGEST_FILE (8u * 1024 * 1024)
#define LONGEST_LINE (1024u * 1024)

typedef struct {
    const UnitFileReader *reader;
    gpointer data;
    guint line;
} Parser;

static gboolean fail(const Parser *parser, GError **error, const char *format, ...) G_GNUC_PRINTF(3, 4);
static gboolean fail(const Parser *parser, GError **error, const char *format, ...) {
    g_autofree char *message = NULL;
    va_list arguments;

    va_start(arguments, format);
    message = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    return parser->reader->fail(parser->data, parser->line, message, error);
}

/* TEXT (changed) without blanks at both ends. */
static char *strip(char *text) {
    gsize length;

    text += strspn(text, BLANKS);
    for (length = strlen(text); length > 0 && strchr(BLANKS, text[length - 1]); length--)
        ;
    text[length] = '\0';
    return text;
}

static gboolean parse_line(const Parser *parser, char *text, GError **error) {
    const UnitFileReader *reader = parser->reader;
    char *line = strip(text);

    if (*line == '\0')
        return TRUE;
    if (!g_utf8_validate(line, -1, NULL))
        return fail(parser, error, "this line is not text in UTF-8");
    if (*line == '[') {
        if (line[strlen(line) - 1] != ']')
            return fail(parser, error, "\"]\" is missing after \"%s\"", line);
        return reader->section(parser->data, parser->line, line, error);
    }
    if (reader->skips && reader->skips(parser->data))
        return TRUE;
    char *equals = strchr(line, '=');
    if (!equals || equals == line)
        return fail(parser, error, "\"%s\" is neither a section nor of the form Setting=value", line);
    *equals = '\0';
    return reader->assign(parser->data, parser->line, strip(line), strip(equals + 1), error);
}

/* TRUE when a backslash ends the LENGTH bytes at LINE that no other one takes away. */
static gboolean continues(const char *line, gsize length) {
    gsize backslashes = 0;

    while (backslashes < length && line[length - 1 - backslashes] == '\\')
        backslashes++;
    return backslashes % 2 == 1;
}

static gboolean is_comment(const char *line, gsize length) {
    while (length > 0 && strchr(BLANKS, *line)) {
        line++;
        length--;
    }
    return length > 0 && (*line == '#' || *line == ';');
}

/* The length of the line at TEXT, and in RET_END where the next one begins: a carriage return ends lines, too,
 * and so does one with a line feed on either side. */
static gsize measure_line(const char *text, gsize length, gsize *ret_end) {
    gsize end = 0;

    while (end < length && text[end] != '\n' && text[end] != '\r')
        end++;
    *ret_end = MIN(end + 1, length);
    if (*ret_end < length && (text[*ret_end] == '\n' || text[*ret_end] == '\r') && text[*ret_end] != text[end])
        ++*ret_end;
    return end;
}

/* All lines of TEXT, continued ones joined with a blank. */
static gboolean parse_lines(Parser *parser, const char *text, gsize length, GError **error) {
    g_autoptr(GString) joined = g_string_new(NULL);
    gboolean open = FALSE;
    guint number = 0;

    for (gsize at = 0, end; at < length; at += end) {
        gsize line_length = measure_line(text + at, length - at, &end);
        const char *line = text + at;
        number++;
        if (!open)
            parser->line = number;
        /* A comment between the lines of a continued value is not part of it. */
        if (is_comment(line, line_length))
            continue;
        if (joined->len + line_length > LONGEST_LINE)
            return fail(parser, error, "this line is longer than %u bytes", LONGEST_LINE);
        open = continues(line, line_length);
        g_string_append_len(joined, line, line_length - (open ? 1 : 0));
        if (open) {
            g_string_append_c(joined, ' ');
            continue;
        }
        if (!parse_line(parser, joined->str, error))
            return FALSE;
        g_string_truncate(joined, 0);
    }
    return joined->len == 0 || parse_line(parser, joined->str, error);
}

gboolean unit_file_parse(const char *text, gsize length, const UnitFileReader *reader, gpointer data, GError **error) {
    Parser parser = {reader, data, 1};
    gsize mark = strlen(BYTE_ORDER_MARK);

    if (length > LONGEST_FILE || memchr(text, '\0', length))
        return fail(&parser, error, "this is not a text file");
    if (length >= mark && memcmp(text, BYTE_ORDER_MARK, mark) == 0) {
        text += mark;
        length -= mark;
    }
    return parse_lines(&parser, text, length, error);
}
