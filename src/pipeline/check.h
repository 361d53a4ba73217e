/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "recipe/result/recipe.h"

/* An error for values of settings that this program knows but cannot act on yet, and for combinations that
 * cannot be built. What a whole setting lacks is in the settings table (recipe_check_implemented()). */
gboolean build_check(const Recipe *recipe, GError **error) G_GNUC_WARN_UNUSED_RESULT;
