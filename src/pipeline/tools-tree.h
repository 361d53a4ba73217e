/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The tools tree that ToolsTree=default asks for. */

#include <glib.h>

#include "pipeline/state/build-options.h"
#include "crypto/keys/key-session.h"
#include "recipe/result/recipe.h"

/* The tools image of a recipe, as a recipe of its own. */
typedef struct {
    Recipe recipe;
    ImageConfig *images[2];
} ToolsRecipe;

/* TOOLS borrows everything from RECIPE, which has a tools image. */
void tools_recipe_init(ToolsRecipe *tools, const Recipe *recipe);

/* Builds the tools image of RECIPE unless the tree in its output directory was built from the same inputs
 * (-ff builds it in any case). Does nothing for a recipe without one. Keys are opened in SESSION.
 * Needs sandbox_become_root() before. */
gboolean tools_tree_prepare(
        const Recipe *recipe, const BuildOptions *options, KeySession *session, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Whether another value of the setting NAME makes another tools tree. */
gboolean tools_tree_depends_on(const char *section, const char *name);

/* Removes it. */
gboolean tools_tree_clean(const Recipe *recipe, GError **error) G_GNUC_WARN_UNUSED_RESULT;
