/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <glib.h>
#include <string.h>

#include "kitchen/model/projects/credential.h"
#include "world.h"

static World *open_world(void) {
    g_autofree char *path = world_new_path();

    return world_open(path);
}

static void end_world(World *world) {
    g_autofree char *path = g_strdup(world->path);

    world_close(world);
    world_remove(path);
}

static void assert_newest(World *world, gint64 number, BuildState state) {
    g_autoptr(Build) build = world_newest(world);

    g_assert_cmpint(build->number, ==, number);
    g_assert_cmpstr(build_state_to_string(build->state), ==, build_state_to_string(state));
}

static void assert_offered(World *world, const char *commit) {
    g_autofree char *offered = world_offered(world);

    g_assert_cmpstr(offered, ==, commit);
}

static void test_push(void) {
    World *world = open_world();
    g_autofree char *author = NULL;
    g_autofree char *subject = NULL;

    world_push(world, "c1");
    g_assert_true(world_settle(world, 10));
    assert_newest(world, 1, BUILD_PUBLISHED);
    assert_offered(world, "c1");
    g_assert_true(commit_lookup(world->model, world->project, "c1", &author, &subject, NULL));
    g_assert_cmpstr(author, ==, "Ada");
    /* The same commit again is no build. */
    world_push(world, "c1");
    g_assert_true(world_settle(world, 10));
    assert_newest(world, 1, BUILD_PUBLISHED);
    world_push(world, "c2");
    g_assert_true(world_settle(world, 10));
    assert_newest(world, 2, BUILD_PUBLISHED);
    assert_offered(world, "c2");
    end_world(world);
}

static void test_git_fails(void) {
    World *world = open_world();
    g_autoptr(Project) project = NULL;

    world->git_fails = TRUE;
    world_push(world, "c1");
    g_assert_false(world_settle(world, 10));
    project = project_get(world->model, world->project, NULL);
    g_assert_cmpstr(project->poll_error, ==, "The repository does not answer");
    world->git_fails = FALSE;
    /* The wish is still there. */
    g_assert_true(world_settle(world, 60));
    assert_offered(world, "c1");
    end_world(world);
}

static void test_lost(void) {
    World *world = open_world();
    g_autoptr(Build) build = NULL;
    g_autoptr(GPtrArray) jobs = NULL;

    world->workers_die = TRUE;
    world_push(world, "c1");
    g_assert_true(world_settle(world, 30));
    build = world_newest(world);
    g_assert_cmpint(build->failure, ==, FAILURE_LOST);
    jobs = job_list(world->model, build->id, NULL);
    g_assert_cmpuint(jobs->len, ==, JOB_ATTEMPTS_MAX);
    end_world(world);
}

/* Once it dies, then the next one does it. */
static void test_second_attempt(void) {
    World *world = open_world();

    world->workers_die = TRUE;
    world_push(world, "c1");
    world_run(world, 3);
    world->workers_die = FALSE;
    g_assert_true(world_settle(world, 30));
    assert_newest(world, 1, BUILD_PUBLISHED);
    end_world(world);
}

static void test_hang(void) {
    World *world = open_world();
    g_autoptr(Build) build = NULL;

    world->workers_hang = TRUE;
    world_push(world, "c1");
    g_assert_true(world_settle(world, 3 * (JOB_CLAIM_MAX / 1000 + 60)));
    build = world_newest(world);
    g_assert_cmpint(build->failure, ==, FAILURE_LOST);
    end_world(world);
}

static void test_cancel(void) {
    World *world = open_world();
    g_autoptr(Build) build = NULL;

    world->workers_hang = TRUE;
    world_push(world, "c1");
    world_run(world, 3);
    build = world_newest(world);
    g_assert_true(build_cancel(world->model, build->id, 0, NULL));
    g_assert_true(world_settle(world, 3));
    assert_newest(world, 1, BUILD_CANCELLED);
    end_world(world);
}

static void test_superseded(void) {
    World *world = open_world();
    g_autoptr(GPtrArray) builds = NULL;
    static const BuildState wanted[] = {BUILD_PUBLISHED, BUILD_SUPERSEDED, BUILD_PUBLISHED};

    world_push(world, "c1");
    world_run(world, 1);
    world->workers_hang = TRUE;
    /* The first one is claimed, but its worker takes its time. */
    g_assert_true(database_run(model_database(world->model), "UPDATE build SET state = 'running'", DB_NONE, NULL));
    world_push(world, "c2");
    world_run(world, 1);
    world_push(world, "c3");
    world_run(world, 1);
    world->workers_hang = FALSE;
    g_assert_true(world_settle(world, 30));
    builds = build_list(world->model, world->project, 0, 10, NULL);
    g_assert_cmpuint(builds->len, ==, 3);
    for (guint i = 0; i < 3; i++)
        g_assert_cmpstr(
                build_state_to_string(((Build *) builds->pdata[i])->state), ==, build_state_to_string(wanted[i]));
    assert_offered(world, "c3");
    end_world(world);
}

static void test_skipped(void) {
    World *world = open_world();
    BuildWish packages = {.project_id = world->project, .cause = "packages"};

    world->inputs = "{}";
    world_push(world, "c1");
    g_assert_true(world_settle(world, 10));
    g_assert_cmpint(build_request_add(world->model, &packages, NULL), >, 0);
    g_assert_true(world_settle(world, 10));
    assert_newest(world, 2, BUILD_SKIPPED);
    end_world(world);
}

static void test_signer(void) {
    World *world = open_world();
    g_autoptr(Build) build = NULL;

    world_push(world, "c1");
    world_run(world, 2);
    world->signer_fails = TRUE;
    world_run(world, 20);
    build = world_newest(world);
    g_assert_cmpint(build->state, ==, BUILD_PUBLISHING);
    g_assert_cmpstr(build->wait_reason, ==, "testing of x86-64: Nobody answers");
    world->signer_fails = FALSE;
    g_assert_true(world_settle(world, 20));
    assert_offered(world, "c1");
    /* For ten minutes, not for ever. */
    world_push(world, "c2");
    world_run(world, 2);
    world->signer_fails = TRUE;
    g_assert_true(world_settle(world, 700));
    build_free(build);
    build = world_newest(world);
    g_assert_cmpint(build->failure, ==, FAILURE_REFUSED);
    assert_offered(world, "c1");
    end_world(world);
}

static void test_retention(void) {
    World *world = open_world();
    g_autoptr(Channel) channel = channel_find(world->model, world->project, "testing", NULL);
    g_autoptr(GPtrArray) releases = NULL;
    g_autofree char *sets = g_build_filename(world->path, "pub/ada/desktop/x86-64/.sets", NULL);
    g_autoptr(GDir) directory = NULL;
    guint n = 0;

    for (guint i = 0; i < RELEASES_KEPT + 3; i++) {
        g_autofree char *commit = g_strdup_printf("c%u", i);
        world_push(world, commit);
        g_assert_true(world_settle(world, 10));
    }
    /* What is old goes, then the newest one is signed anew, then its former set goes. */
    world->now += 15 * G_GINT64_CONSTANT(86400000);
    world_run(world, 1);
    world->now += 3600 * 1000;
    world_run(world, 1);
    releases = release_list(world->model, channel->id, TRUE, NULL);
    g_assert_cmpuint(releases->len, ==, RELEASES_KEPT);
    directory = g_dir_open(sets, 0, NULL);
    while (g_dir_read_name(directory))
        n++;
    g_assert_cmpuint(n, ==, RELEASES_KEPT);
    assert_offered(world, "c7");
    end_world(world);
}

#define INPUTS(package, digest)                                                                                        \
    "{\"package\": \"" package "\", \"repositories\": [{\"metadata\": \"" WORLD_REPOSITORY "\", \"digest\": \"" digest \
    "\"}]}"

static void test_packages(void) {
    World *world = open_world();

    world->inputs = INPUTS("262-1", "one");
    world->metadata = "one";
    world_push(world, "c1");
    g_assert_true(world_settle(world, 10));
    world_run(world, 2);
    g_assert_cmpuint(world->n_watched, ==, 1);
    assert_newest(world, 1, BUILD_PUBLISHED);
    /* Nothing new, or no answer: no build, and no more looks than one in ten minutes. */
    world_run(world, 700);
    world->metadata = NULL;
    world_run(world, 600);
    g_assert_cmpuint(world->n_watched, ==, 3);
    assert_newest(world, 1, BUILD_PUBLISHED);
    /* Something new that does not concern the image: one job that skips, once. */
    world->metadata = "two";
    world->inputs = INPUTS("262-1", "two");
    world_run(world, 1300);
    assert_newest(world, 2, BUILD_SKIPPED);
    /* And something that does. */
    world->metadata = "three";
    world->inputs = INPUTS("262-2", "three");
    world_run(world, 1300);
    assert_newest(world, 3, BUILD_PUBLISHED);
    g_assert_true(database_run(model_database(world->model), "UPDATE project SET packages = 'never'", DB_NONE, NULL));
    world->metadata = "four";
    world_run(world, 1300);
    assert_newest(world, 3, BUILD_PUBLISHED);
    end_world(world);
}

/* Forges hear of each state of a commit once; one that is away hears later. */
static void test_forge(void) {
    World *world = open_world();
    g_autoptr(GError) error = NULL;

    world_push(world, "c1");
    g_assert_true(world_settle(world, 10));
    g_assert_cmpstr(world->told->str, ==, ""); /* there is no token */
    g_assert_true(credential_set(model_database(world->model), world->box, world->project, "forge", "github", "sesame",
            world->now, NULL, &error));
    world_push(world, "c2");
    world_run(world, 20);
    g_assert_nonnull(strstr(world->told->str, "1 c2 https://kitchen.example/ada/desktop/builds/2 sesame\n"));
    g_assert_nonnull(strstr(world->told->str, "1 c1 "));
    world_run(world, 20);
    g_assert_null(strstr(strstr(world->told->str, "1 c2 ") + 1, "1 c2 "));
    world->forge_fails = TRUE;
    g_string_truncate(world->told, 0);
    g_test_expect_message("particleos", G_LOG_LEVEL_WARNING, "*the forge is away*");
    world_push(world, "c3");
    world_run(world, 60);
    g_test_assert_expected_messages();
    g_assert_cmpstr(world->told->str, ==, "");
    world->forge_fails = FALSE;
    world_run(world, 180);
    g_assert_cmpstr(world->told->str, ==, "1 c3 https://kitchen.example/ada/desktop/builds/3 sesame\n");
    end_world(world);
}

/* A manifest is signed anew each day, and stays the newest. */
static void test_best_before(void) {
    World *world = open_world();
    g_autofree char *channel = g_build_filename(world->path, "pub/ada/desktop/x86-64/testing", NULL);
    g_autofree char *first = g_build_filename(channel, "BEST-BEFORE-2025-12-14", NULL);
    g_autofree char *next = g_build_filename(channel, "BEST-BEFORE-2025-12-15", NULL);

    world_push(world, "c1");
    g_assert_true(world_settle(world, 10));
    g_assert_true(g_file_test(first, G_FILE_TEST_EXISTS));
    world->now += G_GINT64_CONSTANT(86400000);
    world_run(world, 3);
    g_assert_false(g_file_test(first, G_FILE_TEST_EXISTS));
    g_assert_true(g_file_test(next, G_FILE_TEST_EXISTS));
    assert_offered(world, "c1");
    world_push(world, "c2");
    g_assert_true(world_settle(world, 10));
    assert_offered(world, "c2");
    end_world(world);
}

int main(int argc, char **argv) {
    static const struct {
        const char *name;
        void (*function)(void);
    } tests[] = {{"push", test_push}, {"git-fails", test_git_fails}, {"lost", test_lost},
            {"second-attempt", test_second_attempt}, {"hang", test_hang}, {"cancel", test_cancel},
            {"superseded", test_superseded}, {"skipped", test_skipped}, {"signer", test_signer},
            {"retention", test_retention}, {"packages", test_packages}, {"forge", test_forge}, {"best-before", test_best_before}};

    g_test_init(&argc, &argv, NULL);
    for (guint i = 0; i < G_N_ELEMENTS(tests); i++) {
        g_autofree char *path = g_strconcat("/kitchen/coordinator/", tests[i].name, NULL);

        g_test_add_func(path, tests[i].function);
    }
    return g_test_run();
}
