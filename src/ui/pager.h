/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Long output of a verb, one screen at a time. */

#include <glib.h>

/* Sends standard output through $PAGER, or less, when it is a terminal and ENABLED. Without either program
 * (or with PAGER set to nothing or cat) output goes where it went. $MKOSI_LESS replaces the options of less.
 * Colours must have been decided before (ui_init()). */
void ui_pager_start(gboolean enabled);

/* Waits until the reader has seen enough. Does nothing without a pager. */
void ui_pager_finish(void);
