/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What shapes the layers of an image, as inputs of their keys. */

#include "pipeline/layers/layer.h"
#include "pipeline/state/image-build.h"

void inputs_add_list(LayerInputs *inputs, const char *name, char *const *list);
void inputs_add_number(LayerInputs *inputs, const char *name, gint64 number);

/* Content of every tree, and where each goes. EPOCH: SourceDateEpoch= for trees that become part of the image,
 * so that times count as far as they are older; else -1. */
gboolean inputs_add_trees(
        LayerInputs *inputs, const char *name, RecipeTree **trees, gint64 epoch, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Content of every file or directory. */
gboolean inputs_add_paths(LayerInputs *inputs, const char *name, char *const *paths, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Everything that the recipe says about IMAGE, apart from what only matters to running it, to where things
 * are kept, and to how packages are fetched (they count by their digests). Paths count relative to the
 * recipe, so that a recipe that is somewhere else is the same recipe. */
void inputs_add_configuration(LayerInputs *inputs, const ImageBuild *image);

/* Calls VISIT with each setting of IMAGE that shapes what a build makes, as JSON text with "%D" for the folder of the
 * recipe. OUTPUTS FALSE: that shapes the tree, which is what layers depend on. A random seed is null. */
typedef void (*InputsVisit)(const char *name, const char *json, gpointer data);
void inputs_each_setting(const ImageBuild *image, gboolean outputs, InputsVisit visit, gpointer data);

/* A TreeSkip (tree/tree.h) for build sources: what is hidden from scripts, and what git keeps for itself. MASKS is a
 * Masks of pipeline/layers/masks.h. */
gboolean inputs_skip_source(const char *path, gpointer masks);

/* What scripts find as their sources: BuildSources= without what is hidden from them (pipeline/layers/masks.h), and without
 * what git keeps for itself. */
gboolean inputs_add_sources(LayerInputs *inputs, const ImageBuild *image, GError **error) G_GNUC_WARN_UNUSED_RESULT;
