/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* VirtualMachineMonitor=vmspawn. */

#include "recipe/result/recipe.h"

/* Runs the image of RECIPE in systemd-vmspawn and passes its exit status on. */
gboolean vmspawn_run(Recipe *recipe, gboolean ephemeral, int *ret_exit_status, GError **error);
