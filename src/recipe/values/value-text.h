/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Values of settings as a person would write them in a recipe. Secrets are not shown. */

#include "recipe/language/settings.h"
#include "recipe/values/value.h"

/* The elements of VALUE, or its one text; never empty. The caller owns the array and its strings. */
GPtrArray *setting_value_lines(const Setting *setting, const Value *value);

/* The same in one line; owned by the caller. */
char *setting_value_text(const Setting *setting, const Value *value);
