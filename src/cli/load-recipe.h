/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the command line makes of reading a recipe: programs of the recipe run in a sandbox. */

#include "cli/arguments/arguments.h"
#include "cli/event-streams.h"
#include "recipe/result/recipe.h"

/* As soon as the command line is known: the task of this thread (events/task.h) gets the flags that ARGUMENTS ask for,
 * STREAMS begin, and no child inherits what is not for it. */
gboolean begin_task(const Arguments *arguments, EventStreams *streams, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Reads the recipe of ARGUMENTS, as far as their verb needs it. */
Recipe *load_recipe(const Arguments *arguments, GError **error);

/* The same for no directory at all: the images that the assignments of ARGUMENTS alone describe. */
Recipe *load_recipe_of_nothing(const Arguments *arguments, GError **error);
