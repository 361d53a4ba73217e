/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Advice for those whose disk is full. */

#include <glib.h>

#include "recipe/result/recipe.h"

/* Where ERROR tells of a file system without room, adds to it which of the places where a build of CONFIG
 * writes are full, and the settings that name these places; nothing happens to other errors, nor to one that
 * has been here before. To be called before what fills the disk is removed. WORKSPACE: where temporary trees
 * are; NULL: where they would be. */
void full_disk_explain(const ImageConfig *config, const char *workspace, GError **error);
