/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* From the manual's text to the source of man(7). */
#include "config.h"

#include <string.h>

#include "cli/manual/manual-blocks.h"
#include "cli/manual/manual.h"

/* Of the pages' last change; a date of the build would make builds differ. */
#define MANUAL_DATE "2026-11-23"

static void add_character(GString *out, char c, gboolean literal) {
    if (c == '\\')
        g_string_append(out, "\\e");
    else if (literal && strchr("-'^`~", c)) /* what is typed must not become typography */
        g_string_append(out, c == '-'    ? "\\-"
                             : c == '\'' ? "\\(aq"
                             : c == '^'  ? "\\(ha"
                             : c == '~'  ? "\\(ti"
                                         : "\\(ga");
    else
        g_string_append_c(out, c);
}

static void add_literal(GString *out, const char *text, gsize length, gboolean literal) {
    for (gsize i = 0; i < length; i++)
        add_character(out, text[i], literal);
}

static void add_span(SpanKind kind, const char *text, gsize length, gpointer data) {
    GString *out = data;
    if (kind == SPAN_PLAIN) {
        add_literal(out, text, length, FALSE);
        return;
    }
    g_string_append(out, kind == SPAN_ITALIC ? "\\fI" : "\\fB");
    add_literal(out, text, length, kind == SPAN_CODE);
    g_string_append(out, "\\fR");
}

/* A line of text: at its start a dot or an apostrophe would be a request. */
static void add_text(GString *out, const char *text) {
    if (*text == '.' || *text == '\'')
        g_string_append(out, "\\&");
    manual_spans(text, add_span, out);
    g_string_append_c(out, '\n');
}

static void add_code(GString *out, const char *text) {
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    g_string_append(out, ".IP\n.nf\n");
    for (char **line = lines; *line; line++) {
        if (**line == '.' || **line == '\'')
            g_string_append(out, "\\&");
        add_literal(out, *line, strlen(*line), TRUE);
        g_string_append_c(out, '\n');
    }
    g_string_append(out, ".fi\n");
}

/* "NAME(SECTION): TITLE" */
static void add_title(GString *out, const char *text) {
    g_auto(GStrv) parts = g_strsplit_set(text, "()", 3);
    if (g_strv_length(parts) < 3)
        return;
    g_autofree char *upper = g_ascii_strup(parts[0], -1);
    g_string_append_printf(out,
            ".TH %s %s %s \"particleos " PARTICLEOS_VERSION "\" \"particleos\"\n.SH NAME\n%s \\- %s\n", upper, parts[1],
            MANUAL_DATE, parts[0], parts[2] + strspn(parts[2], ": "));
}

static void add_paragraph(GString *out, const Block *block, const Block *before) {
    gboolean first = !before || before->kind == BLOCK_SECTION || before->kind == BLOCK_SUBSECTION;
    if (block->inside && before && before->kind != BLOCK_TERM)
        g_string_append(out, ".IP\n");
    else if (!block->inside && !first)
        g_string_append(out, ".PP\n");
    add_text(out, block->text);
}

static void add_block(GString *out, const Block *block, const Block *before) {
    switch (block->kind) {
    case BLOCK_TITLE:
        add_title(out, block->text);
        break;
    case BLOCK_SECTION:
        g_string_append_printf(out, ".SH \"%s\"\n", block->text);
        break;
    case BLOCK_SUBSECTION:
        g_string_append_printf(out, ".SS \"%s\"\n", block->text);
        break;
    case BLOCK_TERM:
        g_string_append(out, before && before->kind == BLOCK_TERM ? ".TQ\n" : ".TP\n");
        if (strpbrk(block->text, "`*"))
            add_text(out, block->text);
        else {
            g_autofree char *code = g_strdup_printf("`%s`", block->text);
            add_text(out, code);
        }
        break;
    case BLOCK_PARAGRAPH:
        add_paragraph(out, block, before);
        break;
    case BLOCK_ITEM:
        g_string_append(out, ".IP \\(bu 2\n");
        add_text(out, block->text);
        break;
    case BLOCK_CODE:
        add_code(out, block->text);
        break;
    }
}

char *manual_to_roff(const char *markdown) {
    g_autoptr(GPtrArray) blocks = manual_blocks(markdown);
    GString *out = g_string_new(".\\\" Made by \"particleos --doc-format=roff documentation\".\n");
    for (guint i = 0; i < blocks->len; i++)
        add_block(out, blocks->pdata[i], i > 0 ? blocks->pdata[i - 1] : NULL);
    return g_string_free(out, FALSE);
}
