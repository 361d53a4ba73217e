/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <glib.h>
#include <string.h>

#include "kitchen/model/builds/build-create.h"
#include "kitchen/model/builds/builds.h"
#include "kitchen/model/builds/events.h"
#include "kitchen/model/builds/jobs.h"
#include "kitchen/model/builds/queue.h"
#include "kitchen/model/builds/requests.h"
#include "kitchen/model/projects/projects.h"
#include "kitchen/model/results/objects.h"
#include "kitchen/model/results/releases.h"
#include "world.h"

static void assert_build(World *world, gint64 id, BuildState state) {
    g_autoptr(Build) build = build_get(world->model, id, NULL);

    g_assert_cmpstr(build_state_to_string(build->state), ==, build_state_to_string(state));
}

static void assert_job(World *world, gint64 id, JobState state) {
    g_autoptr(Job) job = job_get(world->model, id, NULL);

    g_assert_cmpstr(job_state_to_string(job->state), ==, job_state_to_string(state));
}

/* The last attempt at the N-th target. */
static gint64 job_of(World *world, gint64 build, guint n) {
    g_autoptr(GPtrArray) jobs = job_list(world->model, build, NULL);

    g_assert_cmpuint(jobs->len, >, n);
    return ((Job *) jobs->pdata[n])->id;
}

static void go(World *world, gint64 job, JobState state) {
    g_autoptr(GError) error = NULL;

    g_assert_true(job_transition(world->model, job, state, NULL, &error));
    g_assert_no_error(error);
}

/* Takes JOB from queued to claimed; returns the token. */
static char *claim(World *world, gint64 id) {
    g_autoptr(GError) error = NULL;
    g_autofree char *ticket = job_submit(world->model, id, &error);
    g_autofree char *token = model_secret_new();
    g_autoptr(Job) job = ticket ? job_claim(world->model, ticket, token, "worker", &error) : NULL;

    g_assert_no_error(error);
    g_assert_cmpint(job->id, ==, id);
    return g_steal_pointer(&token);
}

static void build_job(World *world, gint64 id) {
    g_autofree char *token = claim(world, id);

    go(world, id, JOB_RUNNING);
    go(world, id, JOB_UPLOADED);
    go(world, id, JOB_DONE);
}

static void skip_job(World *world, gint64 id) {
    g_autofree char *token = claim(world, id);
    JobChange change = {.skipped = TRUE, .detail = "Nothing changed since #1"};

    g_assert_true(job_transition(world->model, id, JOB_DONE, &change, NULL));
}

static void test_names(World *world, gconstpointer data) {
    static const char *const bad[] = {"", "A", "-a", "a/b", "a.b", "..", "ä", "a b", "a\n"};
    g_autoptr(GError) error = NULL;
    Target target = {.project_id = world->project, .name = (char *) "t", .image_id = (char *) "LongerThan10"};

    for (guint i = 0; i < G_N_ELEMENTS(bad); i++)
        g_assert_false(name_is_valid(bad[i]));
    g_assert_true(name_is_valid("x86-64_2"));
    g_assert_cmpint(target_create(world->model, &target, &error), ==, 0);
    g_assert_error(error, MODEL_ERROR, MODEL_ERROR_INVALID);
}

static void test_states(World *world, gconstpointer data) {
    for (int from = 0; from < BUILD_N_STATES; from++) {
        g_assert_cmpint(build_state_from_string(build_state_to_string(from)), ==, from);
        /* A state that ends never changes, and nothing waits twice. */
        for (int to = 0; to < BUILD_N_STATES; to++)
            if (build_state_is_final(from) || to == BUILD_WAITING || from == to)
                g_assert_false(build_state_may_follow(from, to));
    }
    for (int from = 0; from < JOB_N_STATES; from++) {
        g_assert_cmpint(job_state_from_string(job_state_to_string(from)), ==, from);
        for (int to = 0; to < JOB_N_STATES; to++)
            if (job_state_is_final(from) || from == to)
                g_assert_false(job_state_may_follow(from, to));
    }
    g_assert_cmpint(build_state_from_string("nonsense"), ==, -1);
}

static void test_versions(World *world, gconstpointer data) {
    static const char *const wanted[] = {"20251130020000", "20251130020001", "20251130020002"};
    g_autoptr(Project) project = NULL;

    for (guint i = 0; i < G_N_ELEMENTS(wanted); i++) {
        g_autoptr(Build) build = build_get(world->model, world_add_build(world, world->project, "c"), NULL);

        g_assert_cmpstr(build->version, ==, wanted[i]);
        g_assert_cmpint(build->number, ==, i + 1);
        /* The clock of the host jumps back. */
        world->now -= 3600 * 1000;
    }
    project = project_get(world->model, world->project, NULL);
    g_assert_cmpstr(project->version, ==, "20251130020002");
}

static void test_supersede(World *world, gconstpointer data) {
    gint64 first = world_add_build(world, world->project, "a"), second = 0, third = 0;
    g_autofree char *token = NULL;

    second = world_add_build(world, world->project, "b");
    assert_build(world, first, BUILD_SUPERSEDED);
    assert_job(world, job_of(world, first, 0), JOB_CANCELLED);
    token = claim(world, job_of(world, second, 0));
    assert_build(world, second, BUILD_RUNNING);
    third = world_add_build(world, world->project, "c");
    assert_build(world, second, BUILD_RUNNING);
    assert_build(world, third, BUILD_WAITING);
}

static void test_flow(World *world, gconstpointer data) {
    gint64 build = world_add_build(world, world->project, "a");
    static const char *const kinds[] = {"build.waiting", "job.submitted", "job.claimed", "build.running", "job.running",
            "job.uploaded", "job.done", "build.checking", "build.publishing", "build.published"};
    g_autoptr(GPtrArray) events = NULL;

    build_job(world, job_of(world, build, 0));
    assert_build(world, build, BUILD_CHECKING);
    g_assert_true(build_transition(world->model, build, BUILD_PUBLISHING, NULL, NULL));
    g_assert_true(build_transition(world->model, build, BUILD_PUBLISHED, NULL, NULL));
    g_assert_false(build_transition(world->model, build, BUILD_FAILED, NULL, NULL));
    events = event_list(world->model, 0, world->project, build, 100, NULL);
    g_assert_cmpuint(events->len, ==, G_N_ELEMENTS(kinds));
    for (guint i = 0; i < events->len; i++)
        g_assert_cmpstr(((Event *) events->pdata[i])->kind, ==, kinds[i]);
}

static void test_tickets(World *world, gconstpointer data) {
    gint64 build = world_add_build(world, world->project, "a"), id = job_of(world, build, 0);
    g_autofree char *old = job_submit(world->model, id, NULL);
    g_autofree char *ticket = NULL;
    g_autoptr(GError) error = NULL;
    g_autoptr(Job) job = NULL;

    /* Submitted again: the former ticket is void. */
    go(world, id, JOB_QUEUED);
    ticket = job_submit(world->model, id, NULL);
    g_assert_null(job_claim(world->model, old, "token", "w", &error));
    g_assert_error(error, MODEL_ERROR, MODEL_ERROR_DENIED);
    g_clear_error(&error);
    job = job_claim(world->model, ticket, "token", "w", &error);
    g_assert_no_error(error);
    g_assert_cmpint(job->state, ==, JOB_CLAIMED);
    g_clear_pointer(&job, job_free);
    /* The answer was lost: the same worker asks again. Another one does not get it. */
    job = job_claim(world->model, ticket, "token", "w", &error);
    g_assert_nonnull(job);
    g_clear_pointer(&job, job_free);
    g_assert_null(job_claim(world->model, ticket, "other", "w", &error));
    g_assert_error(error, MODEL_ERROR, MODEL_ERROR_DENIED);
    g_clear_error(&error);
    job = job_authenticate(world->model, "token", &error);
    g_assert_cmpint(job->id, ==, id);
    g_assert_null(job_authenticate(world->model, "other", NULL));
    world->now += 100 * 3600 * 1000;
    g_assert_null(job_authenticate(world->model, "token", &error));
    g_assert_error(error, MODEL_ERROR, MODEL_ERROR_DENIED);
}

static void test_lost(World *world, gconstpointer data) {
    gint64 build = world_add_build(world, world->project, "a");
    g_autoptr(Build) found = NULL;

    for (guint attempt = 0; attempt < JOB_ATTEMPTS_MAX; attempt++) {
        gint64 id = job_of(world, build, attempt);
        g_autofree char *token = claim(world, id);
        guint n = 0;

        go(world, id, JOB_RUNNING);
        world->now += JOB_SILENCE_MAX - 1;
        g_assert_true(job_heartbeat(world->model, id, 10, "packages", NULL));
        world->now += JOB_SILENCE_MAX;
        g_assert_true(jobs_expire(world->model, 0, &n, NULL));
        g_assert_cmpuint(n, ==, 0);
        world->now += 1;
        g_assert_true(jobs_expire(world->model, 1, &n, NULL));
        g_assert_cmpuint(n, ==, 0);
        g_assert_true(jobs_expire(world->model, 0, &n, NULL));
        g_assert_cmpuint(n, ==, 1);
        assert_job(world, id, JOB_LOST);
        /* It may still live, and comes too late. */
        g_assert_null(job_authenticate(world->model, token, NULL));
    }
    found = build_get(world->model, build, NULL);
    g_assert_cmpint(found->state, ==, BUILD_FAILED);
    g_assert_cmpint(found->failure, ==, FAILURE_LOST);
}

static void test_timeout(World *world, gconstpointer data) {
    gint64 build = world_add_build(world, world->project, "a"), id = job_of(world, build, 0);
    g_autofree char *token = claim(world, id);
    g_autoptr(Build) found = NULL;

    go(world, id, JOB_RUNNING);
    world->now += 3600 * 1000 + 1;
    g_assert_true(job_heartbeat(world->model, id, 0, NULL, NULL));
    g_assert_true(jobs_expire(world->model, 0, NULL, NULL));
    found = build_get(world->model, build, NULL);
    g_assert_cmpint(found->failure, ==, FAILURE_TIMEOUT);
    assert_job(world, id, JOB_FAILED);
}

static void test_cancel(World *world, gconstpointer data) {
    gint64 build = world_add_build(world, world->project, "a"), id = job_of(world, build, 0);
    g_autofree char *token = claim(world, id);
    g_autoptr(Job) job = NULL;
    gint64 retried = 0;

    g_assert_true(build_cancel(world->model, build, 0, NULL));
    assert_build(world, build, BUILD_CANCELLED);
    job = job_get(world->model, id, NULL);
    g_assert_true(job->cancel);
    g_assert_cmpint(job->state, ==, JOB_CLAIMED);
    go(world, id, JOB_CANCELLED);
    g_assert_false(build_cancel(world->model, build, 0, NULL));
    retried = build_retry(world->model, build, 0, "ada", NULL);
    assert_build(world, retried, BUILD_WAITING);
    g_clear_pointer(&job, job_free);
    job = job_get(world->model, job_of(world, retried, 0), NULL);
    g_assert_true(job->force);
}

static void test_skip(World *world, gconstpointer data) {
    gint64 build = world_add_build(world, world->project, "a");
    g_autoptr(Build) found = NULL;

    skip_job(world, job_of(world, build, 0));
    found = build_get(world->model, build, NULL);
    g_assert_cmpint(found->state, ==, BUILD_SKIPPED);
    g_assert_cmpstr(found->detail, ==, "Nothing changed since #1");
}

/* One target had not changed, the other had: both are built. */
static void test_skip_one(World *world, gconstpointer data) {
    gint64 build = 0;
    g_autoptr(Job) job = NULL;

    world_add_target(world, world->project, "arm64", TRUE);
    build = world_add_build(world, world->project, "a");
    skip_job(world, job_of(world, build, 0));
    assert_build(world, build, BUILD_RUNNING);
    build_job(world, job_of(world, build, 1));
    assert_build(world, build, BUILD_RUNNING);
    job = job_get(world->model, job_of(world, build, 1), NULL);
    g_assert_cmpint(job->state, ==, JOB_QUEUED);
    g_assert_cmpint(job->attempt, ==, 2);
    g_assert_true(job->force);
    build_job(world, job->id);
    assert_build(world, build, BUILD_CHECKING);
}

static void test_required(World *world, gconstpointer data) {
    JobChange change = {.failure = FAILURE_PACKAGES, .detail = "No such package"};
    g_autofree char *token = NULL;
    gint64 build = 0;

    world_add_target(world, world->project, "extra", FALSE);
    build = world_add_build(world, world->project, "a");
    token = claim(world, job_of(world, build, 1));
    g_assert_true(job_transition(world->model, job_of(world, build, 1), JOB_FAILED, &change, NULL));
    assert_build(world, build, BUILD_RUNNING);
    build_job(world, job_of(world, build, 0));
    assert_build(world, build, BUILD_CHECKING);
    /* The other way around. */
    g_assert_true(build_transition(world->model, build, BUILD_FAILED, NULL, NULL));
    build = world_add_build(world, world->project, "b");
    g_assert_true(job_transition(world->model, job_of(world, build, 0), JOB_FAILED, &change, NULL));
    assert_build(world, build, BUILD_FAILED);
    assert_job(world, job_of(world, build, 1), JOB_CANCELLED);
}

static gint64 next(World *world, guint slots) {
    g_autoptr(GError) error = NULL;
    gint64 id = queue_next(world->model, &(QueueState){.slots = slots}, &error);

    g_assert_no_error(error);
    return id;
}

static void assert_waits(World *world, gint64 build, const QueueState *state, const char *reason) {
    g_autoptr(Build) found = NULL;
    g_autoptr(GError) error = NULL;

    g_assert_true(queue_explain(world->model, state, &error));
    found = build_get(world->model, build, NULL);
    g_assert_cmpstr(found->wait_reason, ==, reason);
}

static void test_turns(World *world, gconstpointer data) {
    gint64 ada = world_add_build(world, world->project, "a");
    gint64 ada2 = world_add_build(world, world->project + 0, "a2"), other = 0, urgent = 0, job = 0;
    gint64 project = 0;
    g_autofree char *first = NULL;
    g_autofree char *second = NULL;

    assert_build(world, ada, BUILD_SUPERSEDED);
    project = world_add_project(world, "bob", "phone");
    world_add_target(world, project, "arm64", TRUE);
    other = world_add_build(world, project, "b");
    job = next(world, 2);
    g_assert_cmpint(job, ==, job_of(world, ada2, 0));
    first = claim(world, job);
    /* Ada has one at work: it is Bob's turn, though another project of hers came earlier. */
    project = world_add_project(world, "ada", "server");
    world_add_target(world, project, "x86-64", TRUE);
    urgent = world_add_build(world, project, "c");
    g_assert_cmpint(next(world, 2), ==, job_of(world, other, 0));
    /* Until somebody says that it is urgent. */
    g_assert_true(database_run(model_database(world->model), "UPDATE build SET priority = 1 WHERE id = ?",
            DB_VALUES(DB_INT(urgent)), NULL));
    g_assert_cmpint(next(world, 2), ==, job_of(world, urgent, 0));
    second = claim(world, job_of(world, urgent, 0));
    g_assert_cmpint(next(world, 2), ==, 0);
    g_assert_cmpint(next(world, 3), ==, job_of(world, other, 0));
    assert_waits(world, other, &(QueueState){.slots = 2}, "All 2 slots are at work; this is the next job");
    assert_waits(
            world, other, &(QueueState){.slots = 2, .stopped = "4 % of the disk are free"}, "4 % of the disk are free");
    assert_waits(world, other, &(QueueState){.slots = 3}, NULL);
}

static void test_one_at_a_time(World *world, gconstpointer data) {
    gint64 first = world_add_build(world, world->project, "a"), second = 0;
    g_autofree char *token = claim(world, job_of(world, first, 0));

    second = world_add_build(world, world->project, "b");
    g_assert_cmpint(next(world, 5), ==, 0);
    assert_waits(
            world, second, &(QueueState){.slots = 5}, "Build #1 of this project is at work; one follows the other");
    g_assert_true(build_cancel(world->model, first, 0, NULL));
    g_assert_cmpint(next(world, 5), ==, job_of(world, second, 0));
}

static void test_requests(World *world, gconstpointer data) {
    BuildWish push = {.project_id = world->project, .cause = "push", .caused_by = "hook 1"};
    BuildWish packages = {.project_id = world->project, .cause = "packages", .caused_by = "https://packages.example"};
    BuildWish manual = {.project_id = world->project, .cause = "manual", .caused_by = "ada", .force = TRUE};
    g_auto(BuildRequest) request = {0};
    g_autoptr(GError) error = NULL;
    gint64 build = 0;
    gboolean wants = FALSE;

    g_assert_false(build_request_pending(world->model, world->project, &request, &error));
    g_assert_no_error(error);
    g_assert_cmpint(build_request_add(world->model, &push, NULL), >, 0);
    g_assert_true(build_request_pending(world->model, world->project, &request, NULL));
    g_assert_cmpstr(request.cause, ==, "push");
    /* One that comes while the first is looked at is not answered with it. */
    g_assert_cmpint(build_request_add(world->model, &push, NULL), >, 0);
    g_assert_true(build_request_answer(world->model, world->project, &request, "c1", "00", &build, NULL));
    g_assert_cmpint(build, >, 0);
    g_assert_true(build_request_pending(world->model, world->project, &request, NULL));
    g_assert_true(build_request_wants(world->model, world->project, &request, "c1", &wants, NULL));
    g_assert_false(wants);
    g_assert_true(build_request_answer(world->model, world->project, &request, "c1", NULL, &build, NULL));
    g_assert_cmpint(build, ==, 0);
    g_assert_false(build_request_pending(world->model, world->project, &request, NULL));
    /* Who insists gets a build of the same commit. */
    g_assert_cmpint(build_request_add(world->model, &push, NULL), >, 0);
    g_assert_cmpint(build_request_add(world->model, &manual, NULL), >, 0);
    g_assert_true(build_request_pending(world->model, world->project, &request, NULL));
    g_assert_cmpstr(request.caused_by, ==, "ada");
    g_assert_true(build_request_answer(world->model, world->project, &request, "c1", "00", &build, NULL));
    g_assert_cmpint(build, >, 0);
    g_assert_false(build_request_pending(world->model, world->project, &request, NULL));
    /* Packages that changed are not forgotten because the branch was looked at before, and had nothing new. */
    g_assert_cmpint(build_request_add(world->model, &push, NULL), >, 0);
    g_assert_cmpint(build_request_add(world->model, &packages, NULL), >, 0);
    g_assert_true(build_request_pending(world->model, world->project, &request, NULL));
    g_assert_cmpstr(request.cause, ==, "packages");
    g_assert_true(build_request_answer(world->model, world->project, &request, "c1", "00", &build, NULL));
    g_assert_cmpint(build, >, 0);
}

static void test_objects(World *world, gconstpointer data) {
    gint64 build = world_add_build(world, world->project, "a"), job = job_of(world, build, 0);
    g_autofree char *digest = g_strnfill(64, 'a');
    g_autofree char *left = g_strnfill(64, 'b');
    Artifact artifact = {.job_id = job, .name = (char *) "x.efi", .kind = (char *) "uki", .digest = digest, .size = 5};
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) unused = NULL;

    g_assert_false(artifact_add(world->model, &artifact, &error));
    g_assert_error(error, MODEL_ERROR, MODEL_ERROR_INVALID);
    g_clear_error(&error);
    /* Another job has sent it: that does not count. */
    g_assert_true(object_note(world->model, digest, 5, 0, NULL));
    g_assert_true(object_note(world->model, left, 5, 0, NULL));
    g_assert_cmpint(object_is_of_job(world->model, digest, job, NULL), ==, 0);
    g_assert_false(artifact_add(world->model, &artifact, NULL));
    g_assert_true(object_note(world->model, digest, 5, job, NULL));
    g_assert_true(artifact_add(world->model, &artifact, &error));
    g_assert_true(artifact_add(world->model, &artifact, &error));
    world->now += 1;
    unused = object_list_unused(world->model, world->now, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(unused->len, ==, 1);
    g_assert_cmpstr(unused->pdata[0], ==, left);
    g_assert_true(build_cancel(world->model, build, 0, NULL));
    world->now += 1;
    g_ptr_array_unref(unused);
    unused = object_list_unused(world->model, world->now, &error);
    g_assert_cmpuint(unused->len, ==, 2);
}

static void test_releases(World *world, gconstpointer data) {
    Channel what = {.project_id = world->project, .name = (char *) "testing", .follows = TRUE};
    gint64 channel = channel_create(world->model, &what, NULL), release = 0;
    gint64 build = world_add_build(world, world->project, "a"), later = world_add_build(world, world->project, "b");
    g_autoptr(GPtrArray) files = g_ptr_array_new_with_free_func((GDestroyNotify) release_file_free);
    g_autoptr(GPtrArray) list = NULL;
    g_autoptr(GError) error = NULL;

    g_ptr_array_add(files, release_file_new(world->target, "a.efi", "aa", 1));
    release = release_begin(world->model, channel, later, files, &error);
    g_assert_no_error(error);
    g_assert_cmpint(release_begin(world->model, channel, later, files, &error), ==, release);
    g_assert_true(release_published(world->model, release, NULL));
    g_assert_true(release_published(world->model, release, NULL));
    /* Nothing goes back. */
    g_assert_cmpint(release_begin(world->model, channel, build, files, &error), ==, 0);
    g_assert_error(error, MODEL_ERROR, MODEL_ERROR_STATE);
    g_clear_error(&error);
    /* A name keeps its bytes. */
    g_ptr_array_set_size(files, 0);
    g_ptr_array_add(files, release_file_new(world->target, "a.efi", "bb", 1));
    g_assert_cmpint(
            release_begin(world->model, channel, world_add_build(world, world->project, "c"), files, &error), ==, 0);
    g_assert_error(error, MODEL_ERROR, MODEL_ERROR_STATE);
    list = release_list(world->model, channel, TRUE, NULL);
    g_assert_cmpuint(list->len, ==, 1);
}

static void test_thousand(World *world, gconstpointer data) {
    gint64 begin = 0;

    for (guint i = 0; i < 1000; i++) {
        g_autofree char *name = g_strdup_printf("p%u", i);
        gint64 project = world_add_project(world, i % 2 ? "ada" : "bob", name);

        world_add_target(world, project, "t", TRUE);
        world_add_build(world, project, "c");
    }
    begin = g_get_monotonic_time();
    g_assert_cmpint(next(world, 1), >, 0);
    g_test_message("next of 1000: %" G_GINT64_FORMAT " us", g_get_monotonic_time() - begin);
    assert_waits(world, 1000, &(QueueState){.slots = 1, .stopped = "x"}, "x");
    g_test_message("explained: %" G_GINT64_FORMAT " us", g_get_monotonic_time() - begin);
}

int main(int argc, char **argv) {
    static const struct {
        const char *name;
        void (*function)(World *world, gconstpointer data);
    } tests[] = {{"names", test_names}, {"states", test_states}, {"versions", test_versions},
            {"supersede", test_supersede}, {"flow", test_flow}, {"tickets", test_tickets}, {"lost", test_lost},
            {"timeout", test_timeout}, {"cancel", test_cancel}, {"skip", test_skip}, {"skip-one", test_skip_one},
            {"required", test_required}, {"turns", test_turns}, {"one-at-a-time", test_one_at_a_time},
            {"requests", test_requests}, {"objects", test_objects}, {"releases", test_releases},
            {"thousand", test_thousand}};

    g_test_init(&argc, &argv, NULL);
    for (guint i = 0; i < G_N_ELEMENTS(tests); i++) {
        g_autofree char *path = g_strconcat("/kitchen/model/", tests[i].name, NULL);

        g_test_add(path, World, NULL, world_set_up, tests[i].function, world_tear_down);
    }
    return g_test_run();
}
