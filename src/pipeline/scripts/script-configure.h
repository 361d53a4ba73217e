/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Configure scripts: each gets the configuration of an image and prints a changed one. */

#include "recipe/result/recipe.h"

/* Runs the configure scripts of all images; RECIPE is changed to what they say. For every verb that builds
 * or needs an image, before anything is done with the recipe. */
gboolean build_configure(Recipe *recipe, GError **error) G_GNUC_WARN_UNUSED_RESULT;
