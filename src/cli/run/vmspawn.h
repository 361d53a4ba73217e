/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* VirtualMachineMonitor=vmspawn. */

#include "recipe/result/image-config.h"

/* Runs the image of CONFIG in systemd-vmspawn, which gets ARGUMENTS (NULL-terminated), and passes its exit status on. */
gboolean vmspawn_run(
        const ImageConfig *config, char *const *arguments, gboolean ephemeral, int *ret_exit_status, GError **error) G_GNUC_WARN_UNUSED_RESULT;
