/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Steps: stages of a task, with time and size. Several may run at once, in several threads, and a step may be
 * continued in another thread than the one that began it: it belongs to the task of that one. */

#include <glib.h>

typedef struct EventsStep EventsStep;

/* Begins a step: IMAGE (or NULL) is what it works on, the format gives the text ("Installing 305 packages"). Returns
 * NULL, which all functions below accept, where there is no task. */
EventsStep *events_step_begin(const char *image, const char *format, ...) G_GNUC_PRINTF(2, 3);

/* What the step is at (a package, a file name, "120 of 305"), in place of what was said before; cheap, may be called
 * often. */
void events_step_update(EventsStep *step, const char *format, ...) G_GNUC_PRINTF(2, 3);

/* Fraction done, 0 to 1, and the bytes it amounts to (0: unknown). */
void events_step_progress(EventsStep *step, double fraction, guint64 bytes);

/* Ends the step successfully and frees it; the optional format is a remark ("reused", "403 MB"). NULL for no
 * remark. */
void events_step_done(EventsStep *step, const char *format, ...) G_GNUC_PRINTF(2, 3);

/* Ends a step that did not succeed, and frees it. */
void events_step_abandon(EventsStep *step);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(EventsStep, events_step_abandon)
