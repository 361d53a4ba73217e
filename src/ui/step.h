/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Steps: what the program does, with time and size. On a terminal a running step is a live line below the
 * log; in a pipe a step is a line when it ends (and one when it begins if it lasts over two seconds).
 * Several steps may run at once, in several threads. The first step starts a thread that moves the clocks,
 * so sandbox_become_root() comes before it. */

#include <glib.h>

typedef struct UiStep UiStep;

/* Begins a step: IMAGE (or NULL) is shown as a prefix, the format gives the text ("Installing 305
 * packages"). */
UiStep *ui_step_begin(const char *image, const char *format, ...) G_GNUC_PRINTF(2, 3);

/* Replaces the text behind the step's name (a package, a file name, "120 of 305"); cheap, may be called
 * often. */
void ui_step_update(UiStep *step, const char *format, ...) G_GNUC_PRINTF(2, 3);

/* Fraction done, 0 to 1, and the bytes it amounts to (0: unknown). */
void ui_step_progress(UiStep *step, double fraction, guint64 bytes);

/* Ends the step successfully; the optional format is a remark for the finished line ("reused", "403 MB").
 * NULL for no remark. */
void ui_step_done(UiStep *step, const char *format, ...) G_GNUC_PRINTF(2, 3);

/* Ends a step that did not succeed. Does nothing when STEP is NULL. */
void ui_step_abandon(UiStep *step);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(UiStep, ui_step_abandon)

/* Hides the live lines while a child uses the terminal. */
void ui_pause(void);
void ui_resume(void);

/* Prints the table of --debug-timing: every step of this process with its wall time. Does nothing without
 * debug_timing (ui_init). */
void ui_print_timing(void);

/* "403.0 MB"; owned by the caller. */
char *ui_format_size(guint64 bytes);
