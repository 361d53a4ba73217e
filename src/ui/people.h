/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Events for people, on standard error: text, and live lines where that is a terminal. */

#include <glib.h>

#include "events/event.h"

/* An EventListener (events/task.h), for tasks one after the other. After ui_init(); DATA is not used. */
void ui_listen_for_people(const Event *event, gpointer data);
