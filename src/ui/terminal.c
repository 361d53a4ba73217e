/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ui/terminal.h"

#include <langinfo.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

static const char *const sequences[] = {
        [UI_COLOUR_RED] = "\033[31m",
        [UI_COLOUR_GREEN] = "\033[32m",
        [UI_COLOUR_YELLOW] = "\033[33m",
        [UI_COLOUR_BLUE] = "\033[34m",
        [UI_COLOUR_BOLD] = "\033[1m",
        [UI_COLOUR_DIM] = "\033[2m",
        [UI_COLOUR_RESET] = "\033[0m",
};

static struct {
    gboolean debug;
    gboolean debug_timing;
    gboolean error_terminal;
    gboolean error_colours;
    gboolean out_colours;
    TextStyle out_style;
    gboolean utf8;
} ui;

void ui_init(gboolean debug, gboolean debug_timing) {
    const char *term = g_getenv("TERM"), *no_colour = g_getenv("NO_COLOR");
    gboolean capable = term && *term && strcmp(term, "dumb") != 0;
    gboolean colours = capable && !(no_colour && *no_colour);

    ui.debug = debug;
    ui.debug_timing = debug_timing;
    ui.error_terminal = capable && isatty(STDERR_FILENO);
    ui.error_colours = colours && isatty(STDERR_FILENO);
    ui.out_colours = colours && isatty(STDOUT_FILENO);
    ui.out_style = (TextStyle){
            .red = ui_out_colour(UI_COLOUR_RED),
            .green = ui_out_colour(UI_COLOUR_GREEN),
            .yellow = ui_out_colour(UI_COLOUR_YELLOW),
            .blue = ui_out_colour(UI_COLOUR_BLUE),
            .bold = ui_out_colour(UI_COLOUR_BOLD),
            .dim = ui_out_colour(UI_COLOUR_DIM),
            .reset = ui_out_colour(UI_COLOUR_RESET),
    };
    ui.utf8 = strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
}

gboolean ui_debug_enabled(void) {
    return ui.debug;
}

gboolean ui_timing_enabled(void) {
    return ui.debug_timing;
}

gboolean ui_is_terminal(void) {
    return ui.error_terminal;
}

gboolean ui_has_utf8(void) {
    return ui.utf8;
}

const char *ui_colour(UiColour colour) {
    return ui.error_colours ? sequences[colour] : "";
}

const char *ui_out_colour(UiColour colour) {
    return ui.out_colours ? sequences[colour] : "";
}

const TextStyle *ui_out_style(void) {
    return &ui.out_style;
}

unsigned ui_columns(void) {
    struct winsize size;
    if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) < 0 || size.ws_col == 0)
        return 80;
    return MAX(size.ws_col, 20);
}
