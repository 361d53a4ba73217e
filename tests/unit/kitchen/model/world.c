/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "world.h"

#include <glib.h>

#include "kitchen/model/builds/build-create.h"
#include "kitchen/model/projects/projects.h"

static gint64 clock_of_world(gpointer user) {
    return ((World *) user)->now;
}

gint64 world_add_project(World *world, const char *space, const char *name) {
    g_autoptr(GError) error = NULL;
    g_autoptr(Namespace) found = namespace_find(world->model, space, NULL);
    gint64 id = found ? found->id : namespace_create(world->model, space, &error);
    Project project = {.namespace_id = id,
            .name = (char *) name,
            .url = (char *) "https://example.org/x.git",
            .branch = (char *) "main",
            .packages = (char *) "at-once",
            .timeout = 3600};

    g_assert_no_error(error);
    id = project_create(world->model, &project, &error);
    g_assert_no_error(error);
    return id;
}

gint64 world_add_target(World *world, gint64 project, const char *name, gboolean required) {
    g_autoptr(GError) error = NULL;
    g_autofree char *image_id = target_free_image_id(world->model, "Test", &error);
    Target target = {.project_id = project, .name = (char *) name, .image_id = image_id, .required = required};
    gint64 id = target_create(world->model, &target, &error);

    g_assert_no_error(error);
    return id;
}

void world_set_up(World *world, gconstpointer data) {
    g_autoptr(GError) error = NULL;

    world->now = WORLD_START;
    world->model = model_open(":memory:", clock_of_world, world, &error);
    g_assert_no_error(error);
    world->project = world_add_project(world, "ada", "desktop");
    world->target = world_add_target(world, world->project, "x86-64", TRUE);
}

void world_tear_down(World *world, gconstpointer data) {
    model_free(world->model);
}

gint64 world_add_build(World *world, gint64 project, const char *commit) {
    g_autoptr(GError) error = NULL;
    Build what = {.project_id = project, .commit = (char *) commit, .cause = (char *) "push", .source = (char *) "00"};
    gint64 id = build_create(world->model, &what, FALSE, 0, &error);

    g_assert_no_error(error);
    g_assert_cmpint(id, >, 0);
    return id;
}
