/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What a build was told on its command line, for later verbs (reference, chapter 12). */

#include "recipe/reading/image-parser.h"

/* Adds what the last build was told to the CLI namespace, where the request wants that. */
gboolean history_read(ImageParser *main, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* A snapshot of the CLI settings as JSON, to be written when the recipe says History=yes. */
char *history_snapshot(ImageParser *main);

/* Writes SNAPSHOT, if the request starts a build and History= is on. */
gboolean history_write(ImageParser *main, const char *snapshot, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Forgets what History=yes kept of earlier builds. */
gboolean recipe_remove_history(const Recipe *recipe, GError **error) G_GNUC_WARN_UNUSED_RESULT;
