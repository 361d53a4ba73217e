/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Configuration files in systemd's way (systemd.syntax(7)): sections in brackets, lines of Setting=value, comments that
 * begin with "#" or ";", and lines that a backslash continues. What sections and settings mean is for the caller. */

#include <glib.h>

/* Functions of the caller. LINE is counted from 1; of a continued line the first one. Texts are without blanks around
 * them, UTF-8, and may be changed. All set ERROR and return FALSE to stop. */
typedef struct {
    /* A section: LINE_TEXT is "[Name]". */
    gboolean (*section)(gpointer data, guint line, const char *line_text, GError **error);
    /* NAME=VALUE, after the last section that was told, or before any. */
    gboolean (*assign)(gpointer data, guint line, const char *name, const char *value, GError **error);
    /* Whether lines of the section are skipped, whatever they are. */
    gboolean (*skips)(gpointer data);
    /* The text is wrong there: sets ERROR to MESSAGE in the caller's way, and returns FALSE. */
    gboolean (*fail)(gpointer data, guint line, const char *message, GError **error);
} UnitFileReader;

/* Reads LENGTH bytes of TEXT and hands over what is in it. FALSE: one of the functions said so. */
gboolean unit_file_parse(const char *text, gsize length, const UnitFileReader *reader, gpointer data,
        GError **error) G_GNUC_WARN_UNUSED_RESULT;
