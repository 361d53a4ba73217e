/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Environment= and EnvironmentFiles=, where a step asks for a variable itself. */

#include "recipe/result/image-config.h"

/* What EnvironmentFiles= and Environment= of CONFIG say about the variable NAME, or NULL; owned by the
 * caller. */
char *recipe_environment_value(const ImageConfig *config, const char *name);
