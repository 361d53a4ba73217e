/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* POST /hooks/ID: what forges deliver. */

#include "kitchen/site/visit.h"

/* Bytes of a payload; forges cut longer ones themselves. */
#define DELIVER_BODY_MAX (5 * 1024 * 1024)
/* Deliveries of one hook in ten minutes. */
#define DELIVER_LIMIT 120

/* Judges a delivery, keeps it with its answer, and has the branch looked at when it is good and about that. */
void deliver(Visit *visit);
