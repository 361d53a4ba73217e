/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ui/log.h"

#include <string.h>

#include "text/size.h"
#include "ui/live.h"
#include "ui/terminal.h"

/* MESSAGE is without secrets. */
static void write_message(UiColour colour, const char *prefix, const char *message) {
    g_autoptr(GString) line = g_string_new(NULL);
    if (*prefix)
        g_string_append_printf(line, "%s%s%s", ui_colour(colour), prefix, ui_colour(UI_COLOUR_RESET));
    g_string_append(line, message);
    if (line->len == 0 || line->str[line->len - 1] != '\n')
        g_string_append_c(line, '\n');

    ui_output_lock();
    ui_live_erase();
    ui_write(line->str, line->len);
    ui_live_redraw();
    ui_output_unlock();
}

static void show_program_line(const Event *event) {
    if (!ui_debug_enabled()) {
        write_message(UI_COLOUR_RESET, "", event->text);
        return;
    }
    g_autofree char *line = g_strdup_printf("%s: %s", event->program, event->text);
    write_message(UI_COLOUR_DIM, "debug: ", line);
}

static void show_result(const Event *event) {
    g_autofree char *size = text_format_size(event->bytes), *used = text_format_size(event->used);
    g_autofree char *line =
            g_strdup_printf("%s%s%s: %s, of which %s are used; built in %.1f s", ui_colour(UI_COLOUR_BOLD), event->path,
                    ui_colour(UI_COLOUR_RESET), size, used, event->duration / (double) G_USEC_PER_SEC);
    write_message(UI_COLOUR_RESET, "", line);
}

void ui_show_message(const Event *event) {
    switch (event->type) {
    case EVENT_ERROR:
        write_message(UI_COLOUR_RED, "error: ", event->text);
        break;
    case EVENT_WARNING:
        write_message(UI_COLOUR_YELLOW, "warning: ", event->text);
        break;
    case EVENT_INFO:
        /* Whoever watches a terminal wants to know each time; a log has it once. */
        if (!event->again || ui_is_terminal())
            write_message(UI_COLOUR_RESET, "", event->text);
        break;
    case EVENT_DEBUG:
        if (ui_debug_enabled())
            write_message(UI_COLOUR_DIM, "debug: ", event->text);
        break;
    case EVENT_COMMAND:
        if (ui_debug_enabled())
            write_message(UI_COLOUR_DIM, "debug: + ", event->text);
        break;
    case EVENT_PROGRAM_LINE:
        show_program_line(event);
        break;
    case EVENT_RESULT:
        show_result(event);
        break;
    default:
        break;
    }
}
