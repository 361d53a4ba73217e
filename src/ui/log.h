/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Messages to people, on standard error. Thread-safe: a message never tears a progress line or another
 * message. */

#include <glib.h>

typedef enum {
    UI_COLOUR_RED,
    UI_COLOUR_GREEN,
    UI_COLOUR_YELLOW,
    UI_COLOUR_BLUE,
    UI_COLOUR_BOLD,
    UI_COLOUR_DIM,
    UI_COLOUR_RESET,
} UiColour;

/* Decides once about colour and terminal behaviour (NO_COLOR, TERM=dumb, isatty). DEBUG shows ui_debug(). */
void ui_init(gboolean debug, gboolean debug_timing);

gboolean ui_debug_enabled(void);

/* The escape sequence of COLOUR when standard error (standard output with ui_out_colour) is a terminal that
 * has colours, else "". */
const char *ui_colour(UiColour colour);
const char *ui_out_colour(UiColour colour);

/* FALSE when standard error is a pipe or a file: plain lines, no cursor movement. */
gboolean ui_is_terminal(void);

void ui_error(const char *format, ...) G_GNUC_PRINTF(1, 2);
void ui_warning(const char *format, ...) G_GNUC_PRINTF(1, 2);
/* The same, unless this process said just that before: for what is looked at more than once. */
void ui_warning_once(const char *format, ...) G_GNUC_PRINTF(1, 2);
void ui_info(const char *format, ...) G_GNUC_PRINTF(1, 2);
void ui_debug(const char *format, ...) G_GNUC_PRINTF(1, 2);

/* A LINE that the program NAME of the recipe printed, for its author. */
void ui_program_line(const char *name, const char *line);
