/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* How steps show. On a terminal a running step is a live line below the log; in a pipe a step is a line when it ends
 * (and one when it begins if it lasts over two seconds). Several steps may run at once. The first step starts a thread
 * that moves the clocks, so sandbox_become_root() comes before it. */

#include <glib.h>

#include "events/event.h"

/* Shows EVENT on standard error if it is about a step or the terminal. */
void ui_show_step(const Event *event);

/* Hides the live lines while somebody else uses the terminal. */
void ui_pause(void);
void ui_resume(void);

/* Prints the table of --debug-timing: every step that was shown with its wall time. Does nothing without
 * debug_timing (ui_init). */
void ui_print_timing(void);
