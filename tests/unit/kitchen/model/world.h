/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A database in memory with a clock that stands still: a project with a target, and more when a test asks. */

#include "kitchen/model/database/model.h"

#define WORLD_START G_GINT64_CONSTANT(1764468000000) /* 2025-11-30 02:00:00 */

typedef struct {
    Model *model;
    gint64 now;
    gint64 project, target;
} World;

void world_set_up(World *world, gconstpointer data);
void world_tear_down(World *world, gconstpointer data);

/* Each returns the number of what it added. */
gint64 world_add_project(World *world, const char *space, const char *name);
gint64 world_add_target(World *world, gint64 project, const char *name, gboolean required);
gint64 world_add_build(World *world, gint64 project, const char *commit);
