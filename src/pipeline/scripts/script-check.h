/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Whether a script can be run, said before it is. */

#include "pipeline/scripts/script-run.h"

/* An error unless SCRIPT can be run where it will be. */
gboolean script_check(const ScriptRun *run, const char *script, gboolean chroot, GError **error) G_GNUC_WARN_UNUSED_RESULT;
