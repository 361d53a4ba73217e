/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What standard output and standard error are, and how much people want to see there. */

#include <glib.h>

#include "text/style.h"

typedef enum {
    UI_COLOUR_RED,
    UI_COLOUR_GREEN,
    UI_COLOUR_YELLOW,
    UI_COLOUR_BLUE,
    UI_COLOUR_BOLD,
    UI_COLOUR_DIM,
    UI_COLOUR_RESET,
} UiColour;

/* Decides once about colour and terminal behaviour (NO_COLOR, TERM=dumb, isatty). DEBUG shows debug messages and commands. */
void ui_init(gboolean debug, gboolean debug_timing);

gboolean ui_debug_enabled(void) G_GNUC_WARN_UNUSED_RESULT;

/* The escape sequence of COLOUR when standard error (standard output with ui_out_colour) is a terminal that
 * has colours, else "". */
const char *ui_colour(UiColour colour);
const char *ui_out_colour(UiColour colour);

/* FALSE when standard error is a pipe or a file: plain lines, no cursor movement. */
gboolean ui_is_terminal(void) G_GNUC_WARN_UNUSED_RESULT;

/* What the program prints on standard output is emphasised with this. */
const TextStyle *ui_out_style(void);

gboolean ui_timing_enabled(void) G_GNUC_WARN_UNUSED_RESULT;

/* The character set of messages can show "✓". */
gboolean ui_has_utf8(void) G_GNUC_WARN_UNUSED_RESULT;

/* Columns of the terminal, at least 20; 80 when unknown. */
unsigned ui_columns(void);
