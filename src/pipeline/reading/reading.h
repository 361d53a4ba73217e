/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Programs that a recipe brings for its own reading: a stranger's, run by somebody who may only have wanted
 * to look. They get the host's programs and, to read, the recipe with the repository that holds it, without
 * what is known by its name to be secret or made by builds; no network, nothing of the caller's environment
 * but short words that they name, no terminal. Who trusts the recipe (--trust-recipe) runs them as the caller. */

#include "pipeline/reading/reading-place.h"
#include "recipe/reading/load.h"

/* What PROGRAM prints, owned by the caller. */
char *reading_run_program(const RecipeProgram *program, GError **error);

/* The same, as the caller would start it. */
char *reading_run_trusted(const RecipeProgram *program, GError **error);

/* What git needs to read the repository of PLACE, whose top is shown already. */
void reading_add_git(Sandbox *sandbox, const ReadingPlace *place);

/* Has git read repositories of other users, and write nothing. */
void reading_trust_git(Sandbox *sandbox);
