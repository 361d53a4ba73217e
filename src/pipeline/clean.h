/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Removing what builds leave: outputs, layers, build directories, packages. */

#include "recipe/result/recipe.h"

/* Empties the build directories of all images. */
gboolean build_wipe_build_directories(const Recipe *recipe, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Runs the clean scripts of all images. */
gboolean build_run_clean_scripts(const Recipe *recipe, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Removes outputs; with force 1 also cached layers and the build directory's content, with force 2 package
 * caches. */
gboolean build_clean(const Recipe *recipe, int force, GError **error) G_GNUC_WARN_UNUSED_RESULT;
