/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Messages to people, on standard error. Thread-safe: a message never tears a progress line or another
 * message. */

#include "events/event.h"

/* Writes EVENT to standard error if it is a message. */
void ui_show_message(const Event *event);
