/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Archives that keep every state of a distribution's packages (Snapshot=). */

#include <glib.h>

#include "recipe/result/image-config.h"

/* The name of the newest snapshot of CONFIG's distribution, asked of Mirror= or of the distribution's own
 * archive; owned by the caller. The error says so when the distribution keeps no snapshots. */
char *snapshot_find_latest(const ImageConfig *config, GError **error);

/* The same out of TEXT, what the archive answered; for tests and fuzzing. DISTRIBUTION keeps snapshots. */
char *snapshot_parse_answer(
        Distribution distribution, const char *release, const char *text, GError **error);
