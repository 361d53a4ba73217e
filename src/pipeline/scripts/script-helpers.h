/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Programs in the PATH of scripts that act on the image: mkosi-chroot, the package manager's, useradd. */

#include "pipeline/scripts/script-run.h"

/* The programs that act on the image. */
void script_helpers(Sandbox *sandbox, const ScriptRun *run);
