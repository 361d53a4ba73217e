/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* From the manual's text to lines for reading, where there is no man. */
#include <string.h>

#include "cli/manual/manual-blocks.h"
#include "cli/manual/manual.h"
#include "ui/terminal.h"

#define MARGIN 7 /* of text, as in man */
#define STEP 7   /* of definitions below their term */

typedef struct {
    GString *out;
    int width, indent;
    int at;        /* columns used in this line */
    GString *word; /* not placed yet, with the sequences of its looks */
    int length;    /* of that word on the terminal */
} Page;

static const char *look(SpanKind kind) {
    return ui_out_colour(kind == SPAN_PLAIN ? UI_COLOUR_RESET : kind == SPAN_ITALIC ? UI_COLOUR_GREEN : UI_COLOUR_BOLD);
}

/* Puts the word into this line, or into the next if it does not fit. */
static void place_word(Page *page) {
    if (page->length == 0)
        return;
    if (page->at > page->indent && page->at + 1 + page->length > page->width) {
        g_string_append_c(page->out, '\n');
        page->at = 0;
    }
    if (page->at == 0)
        g_string_append_printf(page->out, "%*s", page->at = page->indent, "");
    else if (page->at > page->indent) {
        g_string_append_c(page->out, ' ');
        page->at++;
    }
    g_string_append(page->out, page->word->str);
    page->at += page->length;
    g_string_truncate(page->word, 0);
    page->length = 0;
}

static void end_line(Page *page) {
    place_word(page);
    g_string_append_c(page->out, '\n');
    page->at = 0;
}

/* Blanks end words; other spans may continue one. */
static void add_span(SpanKind kind, const char *text, gsize length, gpointer data) {
    Page *page = data;
    g_autofree char *copy = g_strndup(text, length);
    g_auto(GStrv) words = g_strsplit(copy, " ", -1);
    for (char **word = words; *word; word++) {
        if (word != words)
            place_word(page);
        if (!**word)
            continue;
        gboolean plain = kind == SPAN_PLAIN;
        g_string_append_printf(page->word, "%s%s%s", plain ? "" : look(kind), *word, plain ? "" : look(SPAN_PLAIN));
        page->length += g_utf8_strlen(*word, -1);
    }
}

static void add_text(Page *page, const char *text, int indent) {
    page->indent = indent;
    manual_spans(text, add_span, page);
    end_line(page);
}

static void add_code(Page *page, const char *text, int indent) {
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    for (char **line = lines; *line; line++)
        g_string_append_printf(page->out, "%*s%s\n", **line ? indent : 0, "", *line);
}

static void add_heading(Page *page, const char *text, int indent) {
    g_string_append_printf(
            page->out, "%*s%s%s%s\n", indent, "", ui_out_colour(UI_COLOUR_BOLD), text, ui_out_colour(UI_COLOUR_RESET));
}

static void add_block(Page *page, const Block *block, const Block *before) {
    int indent = MARGIN + (block->inside ? STEP : 0);
    gboolean close =
            !before || before->kind == BLOCK_SECTION || before->kind == BLOCK_SUBSECTION || before->kind == BLOCK_TERM;
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
        g_string_append_printf(page->out, "%*s- ", indent, "");
        page->at = page->indent = indent + 2;
        manual_spans(block->text, add_span, page);
        end_line(page);
        break;
    case BLOCK_CODE:
        add_code(page, block->text, indent + 4);
        break;
    }
}

char *manual_to_text(const char *markdown, int width) {
    g_autoptr(GPtrArray) blocks = manual_blocks(markdown);
    g_autoptr(GString) word = g_string_new(NULL);
    Page page = {.out = g_string_new(NULL), .width = width, .word = word};
    for (guint i = 0; i < blocks->len; i++)
        add_block(&page, blocks->pdata[i], i > 0 ? blocks->pdata[i - 1] : NULL);
    return g_string_free(page.out, FALSE);
}
