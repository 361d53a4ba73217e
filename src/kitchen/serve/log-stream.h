/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A log as it grows: server-sent events whose identifier is the offset behind what they carry. Each viewer pulls the
 * next piece from the file when the last one is written: one that stops reading costs nothing. */

#include "kitchen/site/visit.h"

/* GET /api/v1/jobs/J/log: from Last-Event-ID, or from "offset", on. */
void log_stream(Visit *visit);

/* GET /api/v1/jobs/J/log.txt: the file. */
void log_raw(Visit *visit);
