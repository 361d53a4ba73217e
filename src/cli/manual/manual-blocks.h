/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A page of the manual, taken apart. */

#include <glib.h>

typedef enum {
    BLOCK_TITLE,
    BLOCK_SECTION,
    BLOCK_SUBSECTION,
    BLOCK_TERM,
    BLOCK_PARAGRAPH,
    BLOCK_ITEM,
    BLOCK_CODE, /* several lines */
} BlockKind;

typedef struct {
    BlockKind kind;
    gboolean inside; /* belongs to the term before it */
    char *text;
} Block;

/* The blocks of MARKDOWN, as an array of Block; owned by the caller. */
GPtrArray *manual_blocks(const char *markdown);

typedef enum { SPAN_PLAIN, SPAN_CODE, SPAN_BOLD, SPAN_ITALIC } SpanKind;

/* Calls EMIT for each run of text with one look. */
typedef void (*SpanFunc)(SpanKind kind, const char *text, gsize length, gpointer data);
void manual_spans(const char *text, SpanFunc emit, gpointer data);
