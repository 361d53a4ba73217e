/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "cli/event-streams.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/errors.h"
#include "cli/verbs.h"
#include "events/task.h"
#include "ui/people.h"

#define OPTION "--events-fd"

/* Standard error stays as it is for what went wrong: who looks there, looks for that. */
static void listen_for_errors(const Event *event, gpointer data) {
    if (event->type == EVENT_ERROR)
        ui_listen_for_people(event, data);
}

/* A copy of FD that no child inherits. FD itself is closed, or leads to standard error if it is standard output. */
static int take(int fd, GError **error) {
    int copy = fcntl(fd, F_DUPFD_CLOEXEC, 3);
    if (copy < 0) {
        set_errno_error(error, errno, "Cannot copy a descriptor");
        return -1;
    }
    if (fd == STDOUT_FILENO)
        (void) dup2(STDERR_FILENO, STDOUT_FILENO);
    if (fd == STDOUT_FILENO)
        task_set_output(task_current(), -1);
    else
        close(fd);
    return copy;
}

static JsonLines *start(int fd, const Arguments *arguments, GError **error) {
    int copy = take(fd, error);
    if (copy < 0)
        return NULL;
    JsonLines *lines =
            json_lines_new(copy, task_get_start(task_current()), "particleos " PARTICLEOS_VERSION, arguments->verb);
    task_listen(task_current(), json_lines_listen, lines);
    return lines;
}

static int parse_descriptor(const char *text, GError **error) {
    guint64 number;
    int fd = g_ascii_string_to_unsigned(text, 10, 0, G_MAXINT, &number, NULL) ? (int) number : -1;
    int flags = fd == STDOUT_FILENO || fd > STDERR_FILENO ? fcntl(fd, F_GETFL) : -1;

    if (flags >= 0 && (flags & O_ACCMODE) != O_RDONLY)
        return fd;
    g_set_error(error, RECIPE_ERROR, RECIPE_ERROR_USAGE,
            OPTION "=%s: It takes the number of a descriptor that is open for writing, as in \"" OPTION
                   "=3 3>FILE\", but not 2, where messages go",
            text);
    return -1;
}

/* Scripts that call mkosi get what mkosi prints: nothing. */
static gboolean replaces_text(const Arguments *arguments) {
    return arguments->json && strcmp(arguments->verb, "build") == 0 && !called_as_mkosi() && !arguments->help &&
           !arguments->version;
}

static gboolean start_timeline(EventStreams *streams, const Arguments *arguments, GError **error) {
    if (!arguments->timeline)
        return TRUE;
    streams->timeline = timeline_new(arguments->timeline, task_get_start(task_current()), error);
    if (!streams->timeline)
        return FALSE;
    streams->title = g_strdup_printf("particleos %s", arguments->verb);
    task_listen(task_current(), timeline_listen, streams->timeline);
    return TRUE;
}

static gboolean end_timeline(EventStreams *streams, GError **error) {
    if (!streams->timeline)
        return TRUE;
    task_unlisten(task_current(), timeline_listen, streams->timeline);
    g_autofree char *title = g_steal_pointer(&streams->title);
    return timeline_end(g_steal_pointer(&streams->timeline), title, error);
}

gboolean event_streams_begin(EventStreams *streams, const Arguments *arguments, GError **error) {
    int fd = -1;

    if (arguments->events_fd && (fd = parse_descriptor(arguments->events_fd, error)) < 0)
        return FALSE;
    if (fd == STDOUT_FILENO && replaces_text(arguments)) {
        g_set_error_literal(error, RECIPE_ERROR, RECIPE_ERROR_USAGE,
                OPTION "=1: With --json, standard output gets the events already");
        return FALSE;
    }
    if (fd >= 0 && !(streams->descriptor = start(fd, arguments, error)))
        return FALSE;
    if (!start_timeline(streams, arguments, error))
        return FALSE;
    if (!replaces_text(arguments))
        return TRUE;
    task_unlisten(task_current(), ui_listen_for_people, NULL);
    task_listen(task_current(), listen_for_errors, NULL);
    return (streams->output = start(STDOUT_FILENO, arguments, error)) != NULL;
}

static gboolean end(JsonLines *lines, int exit_status, GError **error) {
    if (!lines)
        return TRUE;
    task_unlisten(task_current(), json_lines_listen, lines);
    return json_lines_end(lines, exit_status, error);
}

gboolean event_streams_end(EventStreams *streams, int exit_status, GError **error) {
    gboolean written = end_timeline(streams, error);
    written = end(streams->output, exit_status, written ? error : NULL) && written;
    return end(streams->descriptor, exit_status, written ? error : NULL) && written;
}
