/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ui/people.h"

#include "ui/log.h"
#include "ui/step.h"

void ui_listen_for_people(const Event *event, gpointer data) {
    ui_show_message(event);
    ui_show_step(event);
}
