/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Building all images of a recipe. */

#include <glib.h>

#include "pipeline/state/build-options.h"
#include "crypto/key-session.h"
#include "recipe/result/recipe.h"

/* Builds every image of RECIPE, images that do not depend on each other side by side, and moves the results
 * into the output directory when all of them succeeded; on failure the outputs of earlier builds are
 * untouched. Its keys are opened in SESSION, which the caller keeps. Needs sandbox_become_root() before, and
 * a umask of 0022, because modes in trees are decided by recipes. It reports to the task of this thread, and stops when that is
 * cancelled; several may run in a process at once, each in a thread of its own with a task of its own. */
gboolean build_run(const Recipe *recipe, const BuildOptions *options, KeySession *session, GError **error);

/* Runs the configure scripts of all images; RECIPE is changed to what they say. For every verb that builds
 * or needs an image, before anything is done with the recipe. */
gboolean build_configure(Recipe *recipe, GError **error);

/* Path of the main output of CONFIG, where a build puts it; owned by the caller. */
char *build_output_path(const ImageConfig *config);

/* Empties the build directories of all images. */
gboolean build_wipe_build_directories(const Recipe *recipe, GError **error);

/* Runs the clean scripts of all images. */
gboolean build_run_clean_scripts(const Recipe *recipe, GError **error);

/* Removes outputs; with force 1 also cached layers and the build directory's content, with force 2 package
 * caches. */
gboolean build_clean(const Recipe *recipe, int force, GError **error);
