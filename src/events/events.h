/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Events that are no steps (step.h), reported to the task that the thread works for (task.h). What each means is said
 * in event.h. Cheap where nobody listens. */

#include <glib.h>

void events_error(const char *format, ...) G_GNUC_PRINTF(1, 2);
void events_warning(const char *format, ...) G_GNUC_PRINTF(1, 2);
/* The same, unless this task said just that before: for what is looked at more than once. */
void events_warning_once(const char *format, ...) G_GNUC_PRINTF(1, 2);
void events_info(const char *format, ...) G_GNUC_PRINTF(1, 2);
/* The same; marked (Event.again) when this task has said something with this FORMAT before. */
void events_reminder(const char *format, ...) G_GNUC_PRINTF(1, 2);
void events_debug(const char *format, ...) G_GNUC_PRINTF(1, 2);

/* Whether somebody wants debug messages and commands: for what is expensive to say. */
gboolean events_debug_enabled(void) G_GNUC_WARN_UNUSED_RESULT;

/* A LINE that the program NAME of the recipe printed, for its author. */
void events_program_line(const char *name, const char *line);

/* A command that is about to run, as a shell reads it. Nothing without debug messages. */
void events_command(const char *line);

/* COMMAND, shortened, has run for DURATION and CPU microseconds, and read and written so many bytes of disks. */
void events_program_ended(
        const char *command, gint64 duration, gint64 cpu, guint64 bytes_read, guint64 bytes_written);

/* PATH has been made for IMAGE: a file of BYTES, or a directory. DIGEST is the file's SHA-256 in hexadecimal, or NULL
 * where nobody has computed it. */
void events_artifact(const char *image, const char *path, guint64 bytes, const char *digest);

/* A build has succeeded: its main output PATH is BYTES long, takes USED, and was made in DURATION microseconds. */
void events_result(const char *path, guint64 bytes, guint64 used, gint64 duration);

/* A child uses the terminal between the two. */
void events_terminal_take(void);
void events_terminal_return(void);
