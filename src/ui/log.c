/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "ui/log.h"
#include "ui/redact.h"
#include "ui/terminal.h"

#include <string.h>

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

static void print(UiColour colour, const char *prefix, const char *format, va_list arguments)
        G_GNUC_PRINTF(3, 0);

static void print(UiColour colour, const char *prefix, const char *format, va_list arguments) {
    g_autofree char *whole = g_strdup_vprintf(format, arguments);
    g_autofree char *message = redact_text(whole);
    write_message(colour, prefix, message);
}

void ui_error(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    print(UI_COLOUR_RED, "error: ", format, arguments);
    va_end(arguments);
}

void ui_warning(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    print(UI_COLOUR_YELLOW, "warning: ", format, arguments);
    va_end(arguments);
}

void ui_warning_once(const char *format, ...) {
    static GMutex lock;
    static GHashTable *said;
    va_list arguments;

    va_start(arguments, format);
    g_autofree char *message = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    g_mutex_lock(&lock);
    if (!said)
        said = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    gboolean is_new = g_hash_table_add(said, g_strdup(message));
    g_mutex_unlock(&lock);
    if (is_new)
        ui_warning("%s", message);
}

void ui_info(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    print(UI_COLOUR_RESET, "", format, arguments);
    va_end(arguments);
}

void ui_debug(const char *format, ...) {
    if (!ui_debug_enabled())
        return;
    va_list arguments;
    va_start(arguments, format);
    print(UI_COLOUR_DIM, "debug: ", format, arguments);
    va_end(arguments);
}

void ui_program_line(const char *name, const char *line) {
    g_autofree char *whole = ui_debug_enabled() ? g_strdup_printf("%s: %s", name, line) : g_strdup(line);
    g_autofree char *message = redact_known(whole);
    write_message(ui_debug_enabled() ? UI_COLOUR_DIM : UI_COLOUR_RESET, ui_debug_enabled() ? "debug: " : "",
            message);
}
