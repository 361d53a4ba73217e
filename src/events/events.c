/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "events/events.h"

#include "events/task.h"

static void say(EventType type, const char *format, va_list arguments) G_GNUC_PRINTF(2, 0);

static void say(EventType type, const char *format, va_list arguments) {
    g_autofree char *text = g_strdup_vprintf(format, arguments);
    task_report(task_current(), &(Event){.type = type, .text = text});
}

void events_error(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    say(EVENT_ERROR, format, arguments);
    va_end(arguments);
}

void events_warning(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    say(EVENT_WARNING, format, arguments);
    va_end(arguments);
}

void events_warning_once(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    g_autofree char *text = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    if (task_is_new(task_current(), text))
        events_warning("%s", text);
}

void events_info(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    say(EVENT_INFO, format, arguments);
    va_end(arguments);
}

void events_reminder(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    g_autofree char *text = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    gboolean again = !task_is_new(task_current(), format);
    task_report(task_current(), &(Event){.type = EVENT_INFO, .text = text, .again = again});
}

gboolean events_debug_enabled(void) {
    return task_has(task_current(), TASK_DEBUG);
}

void events_debug(const char *format, ...) {
    if (!events_debug_enabled())
        return;
    va_list arguments;
    va_start(arguments, format);
    say(EVENT_DEBUG, format, arguments);
    va_end(arguments);
}

void events_program_line(const char *name, const char *line) {
    task_report(task_current(), &(Event){.type = EVENT_PROGRAM_LINE, .program = name, .text = line});
}

void events_command(const char *line) {
    if (events_debug_enabled())
        task_report(task_current(), &(Event){.type = EVENT_COMMAND, .text = line});
}

void events_program_ended(
        const char *command, gint64 duration, gint64 cpu, guint64 bytes_read, guint64 bytes_written) {
    task_report(task_current(), &(Event){.type = EVENT_PROGRAM_ENDED,
                                        .text = command,
                                        .duration = duration,
                                        .cpu = cpu,
                                        .bytes_read = bytes_read,
                                        .bytes_written = bytes_written});
}

void events_artifact(const char *image, const char *path, guint64 bytes, const char *digest) {
    task_report(task_current(),
            &(Event){.type = EVENT_ARTIFACT, .image = image, .path = path, .bytes = bytes, .digest = digest});
}

void events_result(const char *path, guint64 bytes, guint64 used, gint64 duration) {
    task_report(task_current(),
            &(Event){.type = EVENT_RESULT, .path = path, .bytes = bytes, .used = used, .duration = duration});
}

void events_terminal_take(void) {
    task_report(task_current(), &(Event){.type = EVENT_TERMINAL_TAKEN});
}

void events_terminal_return(void) {
    task_report(task_current(), &(Event){.type = EVENT_TERMINAL_RETURNED});
}
