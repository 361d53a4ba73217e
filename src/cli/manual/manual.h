/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The manual. Its pages are text in a small subset of Markdown (docs/man), which are part of the program, so
 * that they can be read wherever it runs. The reference of the settings is completed from their table.
 *
 * The subset: "# NAME(SECTION): TITLE", "## SECTION", "### SUBSECTION", paragraphs, "- " items, code
 * indented by four blanks, definitions (a line with the term, then ":   " and text indented by four blanks),
 * and inside of text `code`, **bold** and *italic*. */

#include <glib.h>

typedef struct {
    const char *topic; /* as in "documentation TOPIC" */
    const char *page;  /* name of the manual page */
    int section;
} ManualPage;

/* Ends with an entry without topic; the first one is shown by default. */
extern const ManualPage manual_pages[];

/* By topic or by the name of the page; NULL if there is none. */
const ManualPage *manual_find_page(const char *name);

/* The Markdown text of PAGE, complete; owned by the caller. NULL with ERROR set when a setting has no
 * explanation. */
char *manual_load(const ManualPage *page, GError **error);

/* The Markdown text about the one setting NAME (in any case); NULL if there is no such setting. */
char *manual_load_setting(const char *name);

/* The page as source of man(7); owned by the caller. */
char *manual_to_roff(const char *markdown);

/* The page for reading, with lines of at most WIDTH columns, and bold where standard output has colours;
 * owned by the caller. */
char *manual_to_text(const char *markdown, int width);
