/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Values that come as JSON: from a history file, or from a configure script. */

#include "recipe/language/settings.h"
#include "recipe/values/value.h"

/* The value that JSON (or null) means for SETTING; NULL is the value null. FALSE with ERROR set when it does not have the
 * shape that the setting asks for. */
gboolean value_checked_from_json(const Setting *setting, const Value *json, Value **ret, GError **error) G_GNUC_WARN_UNUSED_RESULT;
