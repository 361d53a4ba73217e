/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/manual/manual-blocks.h"

#include <string.h>

#define INDENT 4

static void block_free(gpointer data) {
    Block *block = data;
    g_free(block->text);
    g_free(block);
}

static void add_block(GPtrArray *blocks, BlockKind kind, gboolean inside, const char *text) {
    Block *block = g_new0(Block, 1);
    block->kind = kind;
    block->inside = inside;
    block->text = g_strdup(text);
    g_ptr_array_add(blocks, block);
}

static gboolean is_blank(const char *line) {
    return line[strspn(line, " ")] == 0;
}

/* Joins lines as long as they continue the block: not blank and indented by at least COLUMN. Returns the
 * number of lines taken. */
static guint take_lines(char **lines, gsize column, GString *text, const char *separator) {
    guint n = 0;
    for (; lines[n] && !is_blank(lines[n]) && strspn(lines[n], " ") >= column; n++)
        g_string_append_printf(text, "%s%s", text->len > 0 ? separator : "", lines[n] + column);
    return n;
}

/* Code, in which single blank lines may stand. */
static guint take_code(char **lines, gsize column, GString *text) {
    guint n = take_lines(lines, column, text, "\n");
    while (lines[n] && is_blank(lines[n]) && lines[n + 1] && !is_blank(lines[n + 1]) &&
            strspn(lines[n + 1], " ") >= column) {
        g_string_append_c(text, '\n');
        n += 1 + take_lines(lines + n + 1, column, text, "\n");
    }
    return n;
}

/* A paragraph, an item or code that begins at COLUMN. */
static guint take_text(GPtrArray *blocks, char **lines, gsize column, gboolean inside) {
    g_autoptr(GString) text = g_string_new(NULL);
    if (strspn(lines[0], " ") >= column + INDENT) {
        guint n = take_code(lines, column + INDENT, text);
        add_block(blocks, BLOCK_CODE, inside, text->str);
        return n;
    }
    gboolean item = g_str_has_prefix(lines[0] + column, "- ");
    if (!item) {
        guint n = take_lines(lines, column, text, " ");
        add_block(blocks, BLOCK_PARAGRAPH, inside, text->str);
        return n;
    }
    g_string_append(text, lines[0] + column + 2);
    guint n = 1 + take_lines(lines + 1, column + 2, text, " ");
    add_block(blocks, BLOCK_ITEM, inside, text->str);
    return n;
}

/* What belongs to a definition: the text behind ":   " and everything indented below it. */
static guint take_definition(GPtrArray *blocks, char **lines) {
    g_autofree char *first = g_strconcat("    ", lines[0] + INDENT, NULL);
    char *saved = lines[0];
    lines[0] = first;
    guint n = take_text(blocks, lines, INDENT, TRUE);
    lines[0] = saved;
    for (;;) {
        guint next = n;
        while (lines[next] && is_blank(lines[next]))
            next++;
        if (!lines[next] || strspn(lines[next], " ") < INDENT)
            return n;
        n = next + take_text(blocks, lines + next, INDENT, TRUE);
    }
}

static gboolean begins_definition(char **lines) {
    return lines[0] && lines[1] &&
           (g_str_has_prefix(lines[1], ":   ") || (!is_blank(lines[1]) && begins_definition(lines + 1)));
}

static const struct {
    const char *mark;
    BlockKind kind;
} headings[] = {{"# ", BLOCK_TITLE}, {"## ", BLOCK_SECTION}, {"### ", BLOCK_SUBSECTION}};

static gboolean take_heading(GPtrArray *blocks, const char *line) {
    for (guint i = 0; i < G_N_ELEMENTS(headings); i++)
        if (g_str_has_prefix(line, headings[i].mark)) {
            add_block(blocks, headings[i].kind, FALSE, line + strlen(headings[i].mark));
            return TRUE;
        }
    return FALSE;
}

GPtrArray *manual_blocks(const char *markdown) {
    GPtrArray *blocks = g_ptr_array_new_with_free_func(block_free);
    g_auto(GStrv) lines = g_strsplit(markdown, "\n", -1);
    for (guint i = 0; lines[i];) {
        if (is_blank(lines[i]) || take_heading(blocks, lines[i])) {
            i++;
        } else if (g_str_has_prefix(lines[i], ":   ")) {
            i += take_definition(blocks, lines + i);
        } else if (lines[i][0] != ' ' && begins_definition(lines + i)) {
            add_block(blocks, BLOCK_TERM, FALSE, lines[i]);
            i++;
        } else {
            i += take_text(blocks, lines + i, 0, FALSE);
        }
    }
    return blocks;
}

void manual_spans(const char *text, SpanFunc emit, gpointer data) {
    static const struct {
        const char *mark;
        SpanKind kind;
    } marks[] = {{"`", SPAN_CODE}, {"**", SPAN_BOLD}, {"*", SPAN_ITALIC}};
    const char *plain = text;
    for (const char *p = text; *p;) {
        guint i = 0;
        while (i < G_N_ELEMENTS(marks) && !g_str_has_prefix(p, marks[i].mark))
            i++;
        gsize length = i < G_N_ELEMENTS(marks) ? strlen(marks[i].mark) : 0;
        const char *end = length > 0 ? strstr(p + length, marks[i].mark) : NULL;
        if (!end || end == p + length) {
            p += MAX(length, 1);
            continue;
        }
        if (p > plain)
            emit(SPAN_PLAIN, plain, p - plain, data);
        emit(marks[i].kind, p + length, end - p - length, data);
        p = plain = end + length;
    }
    if (*plain)
        emit(SPAN_PLAIN, plain, strlen(plain), data);
}
