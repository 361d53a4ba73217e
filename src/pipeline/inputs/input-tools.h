/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The tools tree that a recipe makes, as an input: what is in it, and where that comes from. */

#include "pipeline/inputs/input-set-private.h"

/* The packages that the tools tree, which is there, has: "install" -> name -> version. Adds the repositories that it is made
 * from to REPOSITORIES, as input_packages_repositories() does. NULL with ERROR set. */
Value *input_tools_packages(const InputSet *set, Value *repositories, GError **error);
