/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The syntax of configuration files (reference, chapter 2): a pure function from text to lines. */

#include <glib.h>

typedef struct {
    const char *section; /* interned in the file */
    char *name;          /* NULL: this entry is the end of a section */
    char *value;
    guint line; /* where the name stands, or the section's header for its end; counted from 1 */
} IniEntry;

typedef struct {
    GArray *entries;       /* of IniEntry, in order */
    GStringChunk *strings; /* owns the section names */
} IniFile;

/* Parses TEXT (LENGTH bytes, not necessarily terminated). Lines in sections for which COUNTS returns FALSE
 * are skipped. Every section that counts is followed by an entry without name. On failure returns NULL and
 * sets ERROR to a message without file and line, and RET_LINE to the line. */
IniFile *ini_parse(
        const char *text, gsize length, gboolean (*counts)(const char *section), guint *ret_line, GError **error);
void ini_file_free(IniFile *file);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(IniFile, ini_file_free)
