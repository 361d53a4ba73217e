/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Messages to people, on standard error. Thread-safe: a message never tears a progress line or another
 * message. */

#include <glib.h>

#include "events/event.h"
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

/* Writes EVENT to standard error if it is a message. */
void ui_show_message(const Event *event);
