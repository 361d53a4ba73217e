/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The environment of scripts. Later assignments win over earlier ones: what the program knows, the files of
 * EnvironmentFiles=, Environment=, what the sandbox itself decides. */

#include "pipeline/scripts/script-run.h"

/* Sets all variables. */
gboolean script_environment(Sandbox *sandbox, const ScriptRun *run, gboolean chroot, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* TRUE when Environment= or EnvironmentFiles= set NAME to something true. */
gboolean script_environment_flag(const ImageConfig *config, const char *name);
