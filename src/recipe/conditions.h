/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* [Match], [TriggerMatch], [Assert] and [TriggerAssert] (reference, chapter 6). */

#include "recipe/image-parser.h"
#include "recipe/ini.h"

gboolean is_condition_section(const char *section);

/* Judges the conditions of FILE (parsed with is_condition_section). RET_HOLD is whether the match kinds
 * hold; an assertion that fails is an error. PATH is for messages. */
gboolean conditions_check(
        ImageParser *parser, const IniFile *file, const char *path, gboolean *ret_hold, GError **error);
