/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <glib.h>
#include <string.h>

#include "kitchen/model/builds/build-create.h"
#include "kitchen/model/builds/sources.h"
#include "kitchen/model/projects/projects.h"
#include "world.h"

static void test_image_ids(World *world, gconstpointer data) {
    g_autoptr(GError) error = NULL;
    g_autofree char *first = target_free_image_id(world->model, "Test", NULL);
    g_autofree char *second = target_free_image_id(world->model, "my_long-project-name", NULL);
    g_autofree char *third = target_free_image_id(world->model, "_-", NULL);
    Target target = {.project_id = world->project, .name = (char *) "t", .image_id = (char *) "Test"};
    g_autofree char *fourth = NULL;

    g_assert_cmpstr(first, ==, "Test2");
    g_assert_cmpstr(second, ==, "mylong-pro");
    g_assert_cmpstr(third, ==, "image");
    g_assert_cmpint(target_create(world->model, &target, &error), ==, 0);
    g_assert_error(error, MODEL_ERROR, MODEL_ERROR_INVALID);
    g_assert_nonnull(strstr(error->message, "choose another one"));
    g_clear_error(&error);
    target.image_id = second;
    target.id = target_create(world->model, &target, &error);
    g_assert_no_error(error);
    fourth = target_free_image_id(world->model, "mylong-project", NULL);
    g_assert_cmpstr(fourth, ==, "mylong-pr2");
    /* What a target has already it may keep, what others have it does not get. */
    g_assert_true(target_update(world->model, &target, NULL));
    target.image_id = (char *) "Test";
    g_assert_false(target_update(world->model, &target, NULL));
}

static guint count_wishes(World *world, gint64 project, const char *cause) {
    return (guint) database_integer(model_database(world->model),
            "SELECT count(*) FROM build_request WHERE project_id = ? AND cause = ?",
            DB_VALUES(DB_INT(project), DB_TEXT(cause)), 0, NULL);
}

static gboolean note(World *world, const char *kind, const char *url, const char *branch, const char *revision) {
    const SourceState state = {
            .kind = (char *) kind, .url = (char *) url, .branch = (char *) branch, .revision = (char *) revision};

    return source_note(world->model, &state, NULL, NULL);
}

static gboolean add_source(World *world, gint64 project, const char *kind, const char *url, GError **error) {
    const Source source = {.project_id = project,
            .name = (char *) kind,
            .kind = (char *) kind,
            .url = (char *) url,
            .branch = (char *) "main"};

    return source_add(world->model, &source, error);
}

static gint64 new_build(World *world, gint64 project) {
    const Build what = {.project_id = project, .cause = (char *) "manual", .commit = (char *) "c"};

    return build_create(world->model, &what, FALSE, 0, NULL);
}

static char *compare_sources(World *world, gint64 before, gint64 after) {
    g_autoptr(GPtrArray) reasons = g_ptr_array_new_with_free_func((GDestroyNotify) build_reason_free);
    GString *text = g_string_new(NULL);

    g_assert_true(build_sources_compare(world->model, before, after, reasons, NULL));
    for (guint i = 0; i < reasons->len; i++)
        g_string_append_printf(text, "%s\n", ((BuildReason *) reasons->pdata[i])->text);
    return g_string_free(text, FALSE);
}

static void test_sources(World *world, gconstpointer data) {
    gint64 other = world_add_project(world, "eve", "phone");
    gint64 first = 0, second = 0;
    g_autoptr(GPtrArray) due = NULL;
    g_autofree char *same = NULL;
    g_autofree char *words = NULL;
    g_autofree char *removed = NULL;

    world_add_target(world, other, "main", TRUE);
    g_assert_true(add_source(world, world->project, SOURCE_GIT, "https://git.example/lib", NULL));
    g_assert_true(add_source(world, other, SOURCE_GIT, "https://git.example/lib", NULL));
    g_assert_true(add_source(world, world->project, SOURCE_URL, "https://example.org/firmware", NULL));
    g_assert_false(add_source(world, world->project, SOURCE_URL, "https://example.org/again", NULL));
    g_assert_false(add_source(world, world->project, "svn", "https://example.org/again", NULL));
    /* Each once, however many projects name it. */
    due = source_list_due(world->model, 1000, NULL);
    g_assert_cmpuint(due->len, ==, 2);
    g_assert_true(note(world, SOURCE_GIT, "https://git.example/lib", "main", "0123456789abcdef"));
    g_assert_true(note(world, SOURCE_URL, "https://example.org/firmware", "", "digest"));
    g_assert_cmpuint(count_wishes(world, world->project, "source"), ==, 2);
    g_assert_cmpuint(count_wishes(world, other, "source"), ==, 1);
    g_clear_pointer(&due, g_ptr_array_unref);
    due = source_list_due(world->model, 1000, NULL);
    g_assert_cmpuint(due->len, ==, 0);
    first = new_build(world, world->project);
    /* The same again is nobody's wish; another branch is another source. */
    g_assert_true(note(world, SOURCE_GIT, "https://git.example/lib", "main", "0123456789abcdef"));
    g_assert_true(note(world, SOURCE_GIT, "https://git.example/lib", "stable", "ffff"));
    g_assert_cmpuint(count_wishes(world, world->project, "source"), ==, 2);
    second = new_build(world, world->project);
    same = compare_sources(world, first, second);
    g_assert_cmpstr(same, ==, "");
    g_assert_true(note(world, SOURCE_GIT, "https://git.example/lib", "main", "fedcba9876543210"));
    g_assert_true(note(world, SOURCE_URL, "https://example.org/firmware", "", "other"));
    second = new_build(world, world->project);
    words = compare_sources(world, first, second);
    g_assert_cmpstr(
            words, ==, "source `git`: 0123456 → fedcba9\nsource `url` changed (https://example.org/firmware)\n");
    g_assert_true(source_remove(world->model, world->project, SOURCE_URL, NULL));
    g_assert_false(source_remove(world->model, world->project, SOURCE_URL, NULL));
    second = new_build(world, world->project);
    removed = compare_sources(world, first, second);
    g_assert_cmpstr(removed, ==, "source `git`: 0123456 → fedcba9\nsource `url` was removed\n");
}

static void test_bases(World *world, gconstpointer data) {
    gint64 other = world_add_project(world, "eve", "phone");
    g_autoptr(GError) error = NULL;

    world_add_target(world, other, "main", TRUE);
    /* Others' private projects are not there. */
    g_assert_false(add_source(world, other, SOURCE_BASE, "ada/desktop/x86-64", &error));
    g_assert_error(error, MODEL_ERROR, MODEL_ERROR_NOT_FOUND);
    g_clear_error(&error);
    g_assert_true(database_run(model_database(world->model), "UPDATE project SET public = 1", DB_NONE, NULL));
    g_assert_false(add_source(world, other, SOURCE_BASE, "ada/desktop/absent", NULL));
    g_assert_false(add_source(world, other, SOURCE_BASE, "eve/phone/main", &error));
    g_assert_error(error, MODEL_ERROR, MODEL_ERROR_INVALID);
    g_clear_error(&error);
    g_assert_true(add_source(world, other, SOURCE_BASE, "ada/desktop/x86-64", NULL));
    /* One on the other, and back. */
    g_assert_false(add_source(world, world->project, SOURCE_BASE, "eve/phone/main", &error));
    g_assert_error(error, MODEL_ERROR, MODEL_ERROR_INVALID);
    g_clear_error(&error);
    /* It has published nothing yet, so there is nothing to build on. */
    g_assert_cmpint(new_build(world, other), ==, 0);
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    g_test_add("/kitchen/sources/image-ids", World, NULL, world_set_up, test_image_ids, world_tear_down);
    g_test_add("/kitchen/sources/sources", World, NULL, world_set_up, test_sources, world_tear_down);
    g_test_add("/kitchen/sources/bases", World, NULL, world_set_up, test_bases, world_tear_down);
    return g_test_run();
}
