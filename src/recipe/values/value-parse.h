/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* From the text of one assignment to a value (reference, chapter 3). */

#include <glib.h>

#include "recipe/language/settings.h"
#include "recipe/values/parse-context.h"
#include "recipe/values/value.h"

/* What a namespace keeps of one setting. */
typedef struct {
    Value *value;   /* NULL: null */
    gboolean given; /* assigned at least once, even if to nothing */
    gboolean reset; /* assigned the empty value at least once */
    gboolean unsorted;
    const char *origin; /* interned: "mkosi.conf:12" or "--option" of the latest assignment */
} Slot;

void slot_clear(Slot *slot);

/* The value with pending sorting done; borrowed. */
Value *slot_value(Slot *slot, const Setting *setting);

/* Assigns TEXT (specifiers expanded already) to SLOT. Errors say what is wrong with the text; the caller
 * adds where and which setting. SLOT is unchanged on failure. */
gboolean slot_assign(Slot *slot, const Setting *setting, const char *text, const ParseContext *context, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Appends the one element TEXT to a list without taking it apart at blanks. */
gboolean slot_append(Slot *slot, const Setting *setting, const char *text, const ParseContext *context, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The default of SETTING that the table of settings has; the caller owns the reference. */
Value *setting_fixed_default(const Setting *setting);

/* One scalar, or one element of a list. */
Value *value_parse(const Setting *setting, const char *text, const ParseContext *context, GError **error);

/* Whether TEXT can be a value of SETTING, or an element of its list: it becomes a name of a file, a line of
 * another file, an argument of a program. Errors say what is wrong with the text. */
gboolean value_check_text(const Setting *setting, const char *text, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The same for a VALUE that was not parsed from text; settings without text of their own are not checked. */
gboolean value_check(const Setting *setting, const Value *value, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The version of the recipe language that this implementation follows (MinimumVersion=). */
#define RECIPE_LANGUAGE_VERSION "27.1"
