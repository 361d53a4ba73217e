/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "recipe/values/ini.h"

#include <string.h>

#include "recipe/language/error.h"

typedef struct {
    const char *start;
    gsize length; /* without the line's end */
} Span;

/* Takes the next line off TEXT; FALSE at its end. */
static gboolean next_line(Span *text, Span *ret) {
    if (text->length == 0)
        return FALSE;
    const char *end = memchr(text->start, '\n', text->length);
    gsize taken = end ? (gsize) (end - text->start) + 1 : text->length;
    ret->start = text->start;
    ret->length = end ? taken - 1 : taken;
    if (ret->length > 0 && ret->start[ret->length - 1] == '\r')
        ret->length--;
    text->start += taken;
    text->length -= taken;
    return TRUE;
}

static gboolean is_blank(Span line) {
    for (gsize i = 0; i < line.length; i++)
        if (!g_ascii_isspace(line.start[i]))
            return FALSE;
    return TRUE;
}

static gsize leading_whitespace(Span line) {
    gsize n = 0;
    while (n < line.length && g_ascii_isspace(line.start[n]))
        n++;
    return n;
}

/* The longest run of whitespace that all lines begin with. */
static gsize common_indentation(Span text) {
    Span line, margin = {NULL, 0};
    while (next_line(&text, &line)) {
        if (is_blank(line))
            continue;
        gsize own = leading_whitespace(line);
        if (!margin.start) {
            margin = (Span){line.start, own};
            continue;
        }
        gsize same = 0;
        while (same < own && same < margin.length && margin.start[same] == line.start[same])
            same++;
        margin.length = same;
    }
    return margin.length;
}

static Span strip(Span span) {
    while (span.length > 0 && g_ascii_isspace(span.start[0]))
        span.start++, span.length--;
    while (span.length > 0 && g_ascii_isspace(span.start[span.length - 1]))
        span.length--;
    return span;
}

static void entry_clear(gpointer data) {
    IniEntry *entry = data;
    g_free(entry->name);
    g_free(entry->value);
}

typedef struct {
    IniFile *file;
    const char *section; /* NULL before the first one */
    guint section_line;
    gboolean section_counts;
    GString *open_value; /* of the last entry while it may still be continued */
} Parser;

static void close_value(Parser *parser) {
    if (!parser->open_value)
        return;
    IniEntry *last = &g_array_index(parser->file->entries, IniEntry, parser->file->entries->len - 1);
    last->value = g_string_free(g_steal_pointer(&parser->open_value), FALSE);
}

static void close_section(Parser *parser) {
    if (!parser->section || !parser->section_counts)
        return;
    IniEntry end = {parser->section, NULL, NULL, parser->section_line};
    g_array_append_val(parser->file->entries, end);
}

static gboolean open_section(
        Parser *parser, Span line, guint number, gboolean (*counts)(const char *section), GError **error) {
    if (line.start[line.length - 1] != ']') {
        g_set_error(error, RECIPE_ERROR, RECIPE_ERROR_SYNTAX, "The section name is not closed by \"]\": %.*s",
                (int) MIN(line.length, 200), line.start);
        return FALSE;
    }
    Span name = strip((Span){line.start + 1, line.length - 2});
    if (name.length == 0) {
        g_set_error_literal(error, RECIPE_ERROR, RECIPE_ERROR_SYNTAX, "The section has no name");
        return FALSE;
    }
    close_section(parser);
    g_autofree char *copy = g_strndup(name.start, name.length);
    parser->section = g_string_chunk_insert_const(parser->file->strings, copy);
    parser->section_line = number;
    parser->section_counts = counts(parser->section);
    return TRUE;
}

static gboolean open_setting(Parser *parser, Span line, guint number, GError **error) {
    const char *equals = memchr(line.start, '=', line.length);
    if (!equals) {
        g_set_error(error, RECIPE_ERROR, RECIPE_ERROR_SYNTAX,
                "\"%.*s\" has no equals sign; a line must read Setting=value", (int) MIN(line.length, 200), line.start);
        return FALSE;
    }
    Span name = strip((Span){line.start, equals - line.start});
    Span value = strip((Span){equals + 1, line.start + line.length - equals - 1});
    if (name.length == 0) {
        g_set_error_literal(
                error, RECIPE_ERROR, RECIPE_ERROR_SYNTAX, "There is no name of a setting before the equals sign");
        return FALSE;
    }
    IniEntry entry = {parser->section, g_strndup(name.start, name.length), NULL, number};
    g_array_append_val(parser->file->entries, entry);
    parser->open_value = g_string_new_len(value.start, value.length);
    return TRUE;
}

static gboolean parse_line(
        Parser *parser, Span line, guint number, gboolean (*counts)(const char *section), GError **error) {
    const char *comment = memchr(line.start, '#', line.length);
    if (comment)
        line.length = comment - line.start;
    if (is_blank(line))
        return TRUE;

    gboolean indented = g_ascii_isspace(line.start[0]);
    line = strip(line);
    if (parser->open_value && indented) {
        g_string_append_c(parser->open_value, '\n');
        g_string_append_len(parser->open_value, line.start, line.length);
        return TRUE;
    }
    close_value(parser);

    if (line.start[0] == '[')
        return open_section(parser, line, number, counts, error);
    if (!parser->section) {
        g_set_error(error, RECIPE_ERROR, RECIPE_ERROR_SYNTAX,
                "\"%.*s\" stands before any [Section]; put it below the section it belongs to",
                (int) MIN(line.length, 200), line.start);
        return FALSE;
    }
    return !parser->section_counts || open_setting(parser, line, number, error);
}

IniFile *ini_parse(
        const char *text, gsize length, gboolean (*counts)(const char *section), guint *ret_line, GError **error) {
    g_autoptr(IniFile) file = g_new0(IniFile, 1);
    file->entries = g_array_new(FALSE, FALSE, sizeof(IniEntry));
    g_array_set_clear_func(file->entries, entry_clear);
    file->strings = g_string_chunk_new(256);

    const char *nul = length > 0 ? memchr(text, 0, length) : NULL;
    if (nul || !g_utf8_validate_len(text, length, NULL)) {
        *ret_line = 1;
        g_set_error_literal(error, RECIPE_ERROR, RECIPE_ERROR_SYNTAX, "The file is not UTF-8 text");
        return NULL;
    }

    Parser parser = {.file = file};
    Span rest = {text, length}, line;
    gsize margin = common_indentation(rest);
    for (guint number = 1; next_line(&rest, &line); number++) {
        gsize removed = MIN(margin, leading_whitespace(line));
        line.start += removed;
        line.length -= removed;
        if (!parse_line(&parser, line, number, counts, error)) {
            close_value(&parser);
            *ret_line = number;
            return NULL;
        }
    }
    close_value(&parser);
    close_section(&parser);
    return g_steal_pointer(&file);
}

void ini_file_free(IniFile *file) {
    if (!file)
        return;
    g_array_unref(file->entries);
    g_string_chunk_free(file->strings);
    g_free(file);
}
