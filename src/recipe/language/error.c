/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "recipe/language/error.h"

G_DEFINE_QUARK(recipe - error - quark, recipe_error)
