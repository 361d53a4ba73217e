/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What messages and steps share: the lock around standard error and the live area (lines below the log that are
 * redrawn in place). Private to this room. */

#include <glib.h>

/* Everything that writes to standard error holds this lock. */
void ui_output_lock(void);
void ui_output_unlock(void);

/* Called with the lock held: takes the live lines away so that a log line can be written in their place. */
void ui_live_erase(void);

/* Called with the lock held: shows LINES (LENGTH lines, without newlines, already shortened). */
void ui_live_show(const char *text, unsigned lines);

/* Redraws the live area; set by the steps. Called with the lock held. */
typedef void (*UiLiveDraw)(void);
void ui_live_set_draw(UiLiveDraw draw);
void ui_live_redraw(void);

/* Writes all of TEXT to standard error. */
void ui_write(const char *text, gsize length);
