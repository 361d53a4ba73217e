/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What shapes a build, by name and before it begins: what layer keys digest, so that somebody can say what
 * is different from the last time (src/reasons). */

#include <glib.h>

#include "pipeline/state/build-options.h"
#include "recipe/result/recipe.h"

/* The inputs of a build of RECIPE as JSON text that ends with a newline; owned by the caller. Equal inputs
 * give equal bytes, wherever the recipe lies and whoever asks. Runs sync scripts and fetches metadata of
 * repositories, as a build does (and as CacheOnly= allows). Secrets are only told by what cannot be turned
 * back. After build_configure(); needs sandbox_become_root() before. */
char *input_set_text(const Recipe *recipe, const BuildOptions *options, GError **error);
