/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/verbs.h"

#include <stdio.h>

#include "distro/snapshot.h"

gboolean verb_latest_snapshot(const VerbCall *call, int *ret_exit_status, GError **error) {
    g_autofree char *latest = snapshot_find_latest(call->recipe->main, error);
    if (latest)
        puts(latest);
    return latest != NULL;
}
