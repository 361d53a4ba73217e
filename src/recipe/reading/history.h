/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What a build was told on its command line, for later verbs (reference, chapter 12). Internal. */

#include "recipe/reading/image-parser.h"

/* Adds what the last build was told to the CLI namespace, where the verb wants that. */
gboolean history_read(ImageParser *main, GError **error);

/* A snapshot of the CLI settings as JSON, to be written when the recipe says History=yes. */
char *history_snapshot(ImageParser *main);

/* Writes SNAPSHOT, if this verb builds and History= is on. */
gboolean history_write(ImageParser *main, const char *snapshot, GError **error);

/* The value that JSON (or null) means for SETTING; NULL is the value null. FALSE with ERROR set when it has
 * not the shape that the setting asks for (history-value.c). */
gboolean history_value(const Setting *setting, const Value *json, Value **ret, GError **error);
