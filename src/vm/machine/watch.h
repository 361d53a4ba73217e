/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* An unattended boot: watch the console until a login prompt, hear the guest's report, power off. */

#include <glib.h>

#include "recipe/result/image-config.h"
#include "vm/console/report.h"

typedef struct {
    gboolean ephemeral;
    guint timeout; /* seconds until the report must be there, 0: the default */
} VmWatchOptions;

/* Boots the image of CONFIG with the credentials that spare it all questions, through as many resets as it
 * takes (the enrolment of keys ends with one). Progress is a step of ui. Returns the report, or NULL with an
 * error that shows the end of the console. Expects sandbox_become_root(). */
VmReport *vm_boot_until_login(const ImageConfig *config, const VmWatchOptions *options, GError **error);

/* What a line of the console says about how far the boot has come, for progress; NULL when nothing. */
const char *vm_watch_stage(const char *line);

/* Why a machine whose console shows LINE will not come up any more; NULL when it may. */
const char *vm_watch_failure(const char *line);

/* TRUE when LINE, the last one and maybe unfinished, is a login prompt. */
gboolean vm_watch_is_login(const char *line);
