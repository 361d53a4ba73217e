/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The argument of the verbs sign and attach. */

#include "recipe/result/recipe.h"
#include "signing/request-directory.h"

/* Loads the directory that is the one argument of VERB. */
SigningDirectory *load_signing_directory(const Recipe *recipe, const char *verb, GError **error);
