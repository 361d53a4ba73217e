/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Files that the recipe's settings put into the tree. */

#include "build/image-build.h"

gboolean step_configure(ImageBuild *image, GError **error);

/* TEXT, an os-release file (os-release(5)), with NAME set to VALUE: replaced in place, or appended. Owned by
 * the caller. */
char *os_release_set(const char *text, const char *name, const char *value);

/* The value of NAME in an os-release file, without quotes; owned by the caller; NULL when it is not there.
 */
char *os_release_get(const char *text, const char *name);

/* What EnvironmentFiles= and Environment= of CONFIG say about the variable NAME, or NULL; owned by the
 * caller. */
char *configure_environment_value(const ImageConfig *config, const char *name);
