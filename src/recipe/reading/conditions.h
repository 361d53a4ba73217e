/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* [Match], [TriggerMatch], [Assert] and [TriggerAssert] (reference, chapter 6). */

#include "recipe/reading/image-parser.h"
#include "recipe/values/ini.h"

gboolean is_condition_section(const char *section);

/* Judges the conditions of FILE (parsed with is_condition_section). RET_UNMET is NULL when the match kinds
 * hold, else it says which condition does not, with file and line; owned by the caller. An assertion that
 * fails is an error. PATH is for messages. */
gboolean conditions_check(ImageParser *parser, const IniFile *file, const char *path, char **ret_unmet, GError **error) G_GNUC_WARN_UNUSED_RESULT;
