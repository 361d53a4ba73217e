/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* How values are taken apart (reference, chapter 3, "Lists"). */

#include <glib.h>

#include "recipe/language/settings.h"

/* The elements of TEXT, empty ones dropped. NULL with ERROR set when a quote is left open. */
char **split_value(const char *text, SettingSplit split, GError **error);
