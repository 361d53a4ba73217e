/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "cli/event-streams.h"
#include "recipe/result/recipe.h"

/* As recipe_load(), with programs of the recipe in a sandbox, which is what the command line makes of it. As soon as the
 * command line is known, the task of this thread (events/task.h) gets the flags that it asks for, and STREAMS (NULL:
 * none) begin. */
Recipe *load_recipe(int argc, char **argv, EventStreams *streams, GError **error);
