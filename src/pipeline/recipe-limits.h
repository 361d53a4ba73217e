/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the recipe alone shows to be over a limit of what is made of it. */

#include "recipe/result/recipe.h"

/* An error that names the setting for names of outputs that are too long, a machine ID that is none, and a command
 * line that no kernel keeps; a warning for a version that systemd-sysupdate does not find. */
gboolean recipe_limits_check(const ImageConfig *config, GError **error) G_GNUC_WARN_UNUSED_RESULT;
