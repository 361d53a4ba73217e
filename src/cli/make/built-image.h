/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The image that verbs such as vm, shell and burn work on. */

#include "cli/verbs.h"

/* Makes sure that the main image of the recipe is there: builds it when --force asks for it (in a process of its
 * own, because a build becomes root of a user namespace), else it must have been built before. Does nothing
 * for verbs that need no image. */
gboolean built_image_prepare(const VerbCall *call, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Locks the file or directory PATH against other users of the image, until the descriptor is closed. -1 with
 * ERROR set when somebody has it. */
int built_image_lock(const char *path, GError **error);

/* A copy of the file or directory PATH in DIRECTORY, for Ephemeral=; owned by the caller. */
char *built_image_copy(const char *path, const char *directory, GError **error);

/* For verbs that only look at what was built: runs configure scripts, if the recipe has any, which needs a user
 * namespace that nothing else of such a verb needs. */
gboolean configure_built_image(Recipe *recipe, GError **error) G_GNUC_WARN_UNUSED_RESULT;
