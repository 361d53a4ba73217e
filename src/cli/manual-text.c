/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* From the manual's text to lines for reading, where there is no man. */
#include <string.h>

#include "cli/manual-blocks.h"
#include "cli/manual.h"
#include "ui/log.h"

#define MARGIN 7 /* of text, as in man */
#define STEP 7   /* of definitions below their term */

typedef struct {
    GString *out;
    int width, indent;
    int at;             /* columns used in this line */
    gboolean word_open; /* the last thing written is part of a word */
} Page;

static const char *look(SpanKind kind) {
    return ui_out_colour(kind == SPAN_PLAIN    ? UI_COLOUR_RESET
                         : kind == SPAN_ITALIC ? UI_COLOUR_GREEN
                                               : UI_COLOUR_BOLD);
}

static void new_line(Page *page) {
    g_string_append_c(page->out, '\n');
    page->at = 0;
    page->word_open = FALSE;
}

static void add_word(Page *page, const char *word, SpanKind kind, gboolean joined) {
    int length = g_utf8_strlen(word, -1);
    int behind = kind == SPAN_PLAIN ? 0 : 3; /* room for punctuation that may be joined to it */
    if (!joined && page->at > page->indent && page->at + 1 + length + behind > page->width)
        new_line(page);
    if (page->at == 0)
        g_string_append_printf(page->out, "%*s", page->at = page->indent, "");
    else if (!joined) {
        g_string_append_c(page->out, ' ');
        page->at++;
    }
    gboolean plain = kind == SPAN_PLAIN;
    g_string_append_printf(
            page->out, "%s%s%s", plain ? "" : look(kind), word, plain ? "" : look(SPAN_PLAIN));
    page->at += length;
}

static void add_span(SpanKind kind, const char *text, gsize length, gpointer data) {
    Page *page = data;
    g_autofree char *copy = g_strndup(text, length);
    g_auto(GStrv) words = g_strsplit(copy, " ", -1);
    for (char **word = words; *word; word++) {
        if (word != words)
            page->word_open = FALSE;
        if (!**word)
            continue;
        add_word(page, *word, kind, page->word_open);
        page->word_open = TRUE;
    }
}

static void add_text(Page *page, const char *text, int indent) {
    page->indent = indent;
    manual_spans(text, add_span, page);
    new_line(page);
}

static void add_code(Page *page, const char *text, int indent) {
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    for (char **line = lines; *line; line++)
        g_string_append_printf(page->out, "%*s%s\n", **line ? indent : 0, "", *line);
}

static void add_heading(Page *page, const char *text, int indent) {
    g_string_append_printf(page->out, "%*s%s%s%s\n", indent, "", ui_out_colour(UI_COLOUR_BOLD), text,
            ui_out_colour(UI_COLOUR_RESET));
}

static void add_block(Page *page, const Block *block, const Block *before) {
    int indent = MARGIN + (block->inside ? STEP : 0);
    gboolean close = !before || before->kind == BLOCK_SECTION || before->kind == BLOCK_SUBSECTION ||
                     before->kind == BLOCK_TERM;
    if (before && (!close || block->kind == BLOCK_SECTION || block->kind == BLOCK_SUBSECTION))
        g_string_append_c(page->out, '\n');
    switch (block->kind) {
    case BLOCK_TITLE:
    case BLOCK_SECTION:
        add_heading(page, block->text, 0);
        break;
    case BLOCK_SUBSECTION:
        add_heading(page, block->text, 3);
        break;
    case BLOCK_TERM:
        if (strpbrk(block->text, "`*"))
            add_text(page, block->text, MARGIN);
        else
            add_heading(page, block->text, MARGIN);
        break;
    case BLOCK_PARAGRAPH:
        add_text(page, block->text, indent);
        break;
    case BLOCK_ITEM:
        g_string_append_printf(page->out, "%*s-", indent, "");
        page->at = indent + 1;
        page->indent = indent + 2;
        page->word_open = FALSE;
        manual_spans(block->text, add_span, page);
        new_line(page);
        break;
    case BLOCK_CODE:
        add_code(page, block->text, indent + 4);
        break;
    }
}

char *manual_to_text(const char *markdown, int width) {
    g_autoptr(GPtrArray) blocks = manual_blocks(markdown);
    Page page = {.out = g_string_new(NULL), .width = width};
    for (guint i = 0; i < blocks->len; i++)
        add_block(&page, blocks->pdata[i], i > 0 ? blocks->pdata[i - 1] : NULL);
    return g_string_free(page.out, FALSE);
}
