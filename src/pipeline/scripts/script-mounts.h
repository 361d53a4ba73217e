/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What scripts see of the file system: /work, the tree, the programs. */

#include "pipeline/scripts/script-run.h"

/* A sandbox in which SCRIPT is at its place and sees what its kind sees. */
Sandbox *script_sandbox(const ScriptRun *run, const char *script, gboolean chroot);

/* Before the first script and after the last one: removes mount points that were made in the tree. */
void script_mounts_remember(ScriptRun *run);
gboolean script_mounts_clean(const ScriptRun *run, GError **error) G_GNUC_WARN_UNUSED_RESULT;
