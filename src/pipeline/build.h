/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Building all images of a recipe. */

#include <glib.h>

#include "pipeline/state/build-options.h"
#include "crypto/keys/key-session.h"
#include "recipe/result/recipe.h"

/* Builds every image of RECIPE, images that do not depend on each other side by side, and moves the results
 * into the output directory when all of them succeeded; on failure the outputs of earlier builds are
 * untouched. Its keys are opened in SESSION, which the caller keeps. Needs sandbox_become_root() before, and
 * a umask of 0022, because modes in trees are decided by recipes. It reports to the task of this thread, and stops when that is
 * cancelled; several may run in a process at once, each in a thread of its own with a task of its own. */
gboolean build_run(const Recipe *recipe, const BuildOptions *options, KeySession *session, GError **error) G_GNUC_WARN_UNUSED_RESULT;
