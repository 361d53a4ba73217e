/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Channels as devices see them: 100 of them, one in each bucket, which look at what their address offers. */

#include <glib.h>
#include <string.h>

#include "kitchen/model/results/approvals.h"
#include "kitchen/model/results/rollout.h"
#include "kitchen/publish/rollout.h"
#include "world.h"

#define DAY G_GINT64_CONSTANT(86400000)

static World *open_world(void) {
    g_autofree char *path = world_new_path();

    return world_open(path);
}

static void end_world(World *world) {
    g_autofree char *path = g_strdup(world->path);

    world_close(world);
    world_remove(path);
}

/* What CHANNEL offers to BUCKET (ROLLOUT_ALL: to who knows none): the commit; NULL: nothing. sha256sum judges all of it. */
static char *offered(World *world, const char *channel, int bucket) {
    g_autofree char *place = bucket < 0 ? g_strdup_printf("%s/pub/ada/desktop/x86-64/%s", world->path, channel)
                                        : g_strdup_printf("%s/pub/ada/desktop/x86-64/%s/b/%02d", world->path, channel, bucket);
    g_autofree char *name = g_strdup_printf("x86-64.%s.Os_latest.efi", channel);
    g_autofree char *latest = g_build_filename(place, name, NULL);
    char *text = NULL;

    return g_file_get_contents(latest, &text, NULL, NULL) ? text : NULL;
}

/* What each bucket is offered, in one text: "1" for a bucket with COMMIT, "." for one without. */
static char *buckets_with(World *world, const char *channel, const char *commit) {
    GString *text = g_string_new(NULL);

    for (int i = 0; i < ROLLOUT_BUCKETS; i++) {
        g_autofree char *has = offered(world, channel, i);

        g_string_append_c(text, g_strcmp0(has, commit) == 0 ? '1' : '.');
    }
    return g_string_free(text, FALSE);
}

static guint count_with(World *world, const char *channel, const char *commit) {
    g_autofree char *text = buckets_with(world, channel, commit);
    guint n = 0;

    for (const char *at = text; *at; at++)
        n += *at == '1';
    return n;
}

static void assert_all(World *world, const char *channel, const char *commit) {
    g_autofree char *all = offered(world, channel, ROLLOUT_ALL);

    g_assert_cmpstr(all, ==, commit);
}

static gint64 build_of(World *world, const char *commit) {
    g_autofree char *sql = g_strdup_printf("SELECT id FROM build WHERE commit_id = '%s'", commit);

    return database_integer(model_database(world->model), sql, DB_NONE, 0, NULL);
}

static gint64 add_channel(World *world, const char *name, const char *schedule) {
    g_autoptr(GError) error = NULL;
    const Channel channel = {.project_id = world->project, .name = (char *) name, .schedule = (char *) schedule};
    gint64 id = channel_create(world->model, &channel, &error);

    g_assert_no_error(error);
    return id;
}

static gint64 release(World *world, gint64 channel, const char *commit, int percent) {
    g_autoptr(GError) error = NULL;
    const ReleaseWish wish = {.percent = percent};
    gint64 id = release_wish(world->model, channel, build_of(world, commit), &wish, &error);

    g_assert_no_error(error);
    world_run(world, 2);
    return id;
}

static void refuse(World *world, gint64 channel, gint64 build, int percent, const char *words) {
    g_autoptr(GError) error = NULL;
    const ReleaseWish wish = {.percent = percent};

    g_assert_cmpint(release_wish(world->model, channel, build, &wish, &error), ==, 0);
    g_assert_nonnull(error);
    if (!strstr(error->message, words))
        g_error("\"%s\" does not say \"%s\"", error->message, words);
}

static void push(World *world, const char *commit) {
    world_push(world, commit);
    g_assert_true(world_settle(world, 20));
}

static guint count_events(World *world, const char *kind) {
    g_autofree char *sql = g_strdup_printf("SELECT count(*) FROM event WHERE kind = 'release.%s'", kind);

    return (guint) database_integer(model_database(world->model), sql, DB_NONE, 0, NULL);
}

/* Five percentages, a hundred buckets, and nobody loses what was offered. */
static void test_raise(void) {
    static const int percents[] = {5, 25, 50, 75, 100};
    World *world = open_world();
    gint64 stable = add_channel(world, "stable", NULL);
    g_autofree char *before = g_strnfill(ROLLOUT_BUCKETS, '.');

    push(world, "c1");
    push(world, "c2");
    assert_all(world, "testing", "c2");
    assert_all(world, "stable", NULL);
    release(world, stable, "c1", -1);
    assert_all(world, "stable", "c1");
    for (guint i = 0; i < G_N_ELEMENTS(percents); i++) {
        g_autofree char *now = NULL;

        release(world, stable, "c2", percents[i]);
        now = buckets_with(world, "stable", "c2");
        g_assert_cmpuint(count_with(world, "stable", "c2"), ==, (guint) percents[i]);
        g_assert_cmpuint(count_with(world, "stable", "c1"), ==, (guint) (100 - percents[i]));
        for (int bucket = 0; bucket < ROLLOUT_BUCKETS; bucket++)
            g_assert_true(now[bucket] == '1' || before[bucket] == '.');
        assert_all(world, "stable", percents[i] == 100 ? "c2" : "c1");
        g_free(before);
        before = g_steal_pointer(&now);
    }
    refuse(world, stable, build_of(world, "c2"), 50, "percentages only grow");
    g_assert_cmpuint(count_events(world, "raised"), ==, 4);
    end_world(world);
}

/* A bad release reaches five of a hundred, and is halted: all are offered the one before again. The next one goes its way, and
 * those five are not its first. */
static void test_halt(void) {
    World *world = open_world();
    gint64 stable = add_channel(world, "stable", NULL), bad = 0;
    g_autofree char *first = NULL;
    g_autofree char *later = NULL;
    g_autoptr(GError) error = NULL;

    push(world, "c1");
    push(world, "c2");
    push(world, "c3");
    release(world, stable, "c1", -1);
    bad = release(world, stable, "c2", 5);
    first = buckets_with(world, "stable", "c2");
    g_assert_cmpuint(count_with(world, "stable", "c2"), ==, 5);
    g_assert_true(release_halt(world->model, bad, 0, &error));
    g_assert_true(release_halt(world->model, bad, 0, &error));
    world_run(world, 2);
    g_assert_cmpuint(count_with(world, "stable", "c1"), ==, 100);
    /* Its files stay: who loads them ends that. It goes on where it was, when somebody says so. */
    release(world, stable, "c2", 5);
    later = buckets_with(world, "stable", "c2");
    g_assert_cmpstr(later, ==, first);
    g_assert_true(release_halt(world->model, bad, 0, &error));
    release(world, stable, "c3", 5);
    g_assert_cmpuint(count_with(world, "stable", "c3"), ==, 5);
    g_assert_cmpuint(count_with(world, "stable", "c1"), ==, 95);
    g_free(later);
    later = buckets_with(world, "stable", "c3");
    g_assert_cmpstr(later, !=, first);
    g_assert_cmpuint(count_events(world, "halted"), ==, 2);
    end_world(world);
}

/* A newer one at a quarter leaves the one before with those that have it already. */
static void test_two_at_once(void) {
    World *world = open_world();
    gint64 stable = add_channel(world, "stable", NULL);
    g_autofree char *half = NULL;
    g_autofree char *quarter = NULL;
    g_autofree char *oldest = NULL;

    push(world, "c1");
    push(world, "c2");
    push(world, "c3");
    release(world, stable, "c1", -1);
    release(world, stable, "c2", 50);
    half = buckets_with(world, "stable", "c2");
    release(world, stable, "c3", 25);
    quarter = buckets_with(world, "stable", "c3");
    oldest = buckets_with(world, "stable", "c1");
    for (int i = 0; i < ROLLOUT_BUCKETS; i++)
        g_assert_true(quarter[i] == '1' || (half[i] == '1') == (oldest[i] != '1'));
    assert_all(world, "stable", "c1");
    /* Each day all of it is signed anew, and stays as it is. */
    for (guint i = 0; i < 3; i++) {
        g_autofree char *now = NULL;

        world->now += DAY;
        world_run(world, 4);
        now = buckets_with(world, "stable", "c3");
        g_assert_cmpstr(now, ==, quarter);
        g_free(now);
        now = buckets_with(world, "stable", "c1");
        g_assert_cmpstr(now, ==, oldest);
    }
    end_world(world);
}

/* By the clock; halted it waits, and it never jumps back. */
static void test_schedule(void) {
    World *world = open_world();
    gint64 stable = add_channel(world, "stable", "5@0h,25@24h,100@72h"), id = 0;
    g_autoptr(GError) error = NULL;

    push(world, "c1");
    release(world, stable, "c1", 100);
    push(world, "c2");
    id = release(world, stable, "c2", -1);
    g_assert_cmpuint(count_with(world, "stable", "c2"), ==, 5);
    world->now += DAY - 60 * 1000;
    world_run(world, 2);
    g_assert_cmpuint(count_with(world, "stable", "c2"), ==, 5);
    world->now += 60 * 1000;
    world_run(world, 2);
    g_assert_cmpuint(count_with(world, "stable", "c2"), ==, 25);
    /* A clock that goes back takes nothing away. */
    world->now -= DAY;
    world_run(world, 2);
    g_assert_cmpuint(count_with(world, "stable", "c2"), ==, 25);
    g_assert_true(release_halt(world->model, id, 0, &error));
    world->now += 3 * DAY;
    world_run(world, 2);
    g_assert_cmpuint(count_with(world, "stable", "c2"), ==, 0);
    release(world, stable, "c2", -1);
    g_assert_cmpuint(count_with(world, "stable", "c2"), ==, 25);
    world->now += DAY;
    world_run(world, 2);
    g_assert_cmpuint(count_with(world, "stable", "c2"), ==, 25);
    world->now += DAY;
    world_run(world, 2);
    g_assert_cmpuint(count_with(world, "stable", "c2"), ==, 100);
    assert_all(world, "stable", "c2");
    end_world(world);
}

/* Withdrawn: no channel offers it, the signer is told until it knows, and nobody releases it again. */
static void test_withdraw(void) {
    World *world = open_world();
    gint64 stable = add_channel(world, "stable", NULL);
    g_autoptr(Build) build = NULL;
    g_autoptr(GError) error = NULL;

    push(world, "c1");
    push(world, "c2");
    release(world, stable, "c1", -1);
    release(world, stable, "c2", 25);
    build = build_get(world->model, build_of(world, "c2"), NULL);
    world->signer_fails = TRUE;
    g_assert_true(version_withdraw(world->model, world->project, build->version, 0, &error));
    g_assert_true(version_withdraw(world->model, world->project, build->version, 0, &error));
    world_run(world, 2);
    assert_all(world, "testing", "c1");
    g_assert_cmpuint(count_with(world, "testing", "c1"), ==, 100);
    g_assert_cmpuint(count_with(world, "stable", "c1"), ==, 100);
    g_assert_cmpuint(world->n_withdrawn, ==, 0);
    world->signer_fails = FALSE;
    world_run(world, 20);
    g_assert_cmpuint(world->n_withdrawn, ==, 1);
    refuse(world, stable, build->id, 100, "withdrawn");
    g_assert_cmpuint(count_events(world, "withdrawn"), ==, 2);
    /* The last one, too: then there is nothing. */
    build_free(build);
    build = build_get(world->model, build_of(world, "c1"), NULL);
    g_assert_true(version_withdraw(world->model, world->project, build->version, 0, &error));
    world_run(world, 2);
    assert_all(world, "testing", NULL);
    g_assert_cmpuint(count_with(world, "testing", "c1"), ==, 0);
    g_assert_false(version_withdraw(world->model, world->project, "20000101000000", 0, &error));
    g_assert_error(error, MODEL_ERROR, MODEL_ERROR_STATE);
    end_world(world);
}

static void test_promote(void) {
    World *world = open_world();
    gint64 stable = add_channel(world, "stable", NULL);
    const ReleaseWish wish = {.percent = -1};
    g_autoptr(Channel) testing = channel_find(world->model, world->project, "testing", NULL);
    g_autoptr(GError) error = NULL;

    g_assert_cmpint(release_promote(world->model, testing->id, stable, &wish, &error), ==, 0);
    g_assert_error(error, MODEL_ERROR, MODEL_ERROR_STATE);
    g_clear_error(&error);
    push(world, "c1");
    g_assert_cmpint(release_promote(world->model, testing->id, stable, &wish, &error), !=, 0);
    g_assert_no_error(error);
    world_run(world, 2);
    assert_all(world, "stable", "c1");
    end_world(world);
}

/* What cannot be released, and why. */
static void test_refused(void) {
    static const char *const schedules[] = {"", "5", "5@0h", "5@1h,100@2h", "0@0h,100@1h", "50@0h,25@1h,100@2h",
            "5@0h,25@0h,100@1h", "5@0h,101@1h", "5@0h,100@1w", "5@0h,100@-1h", "5@0h,,100@1h", "5%@0h,100@1h"};
    World *world = open_world();
    gint64 stable = add_channel(world, "stable", NULL);
    g_autoptr(Build) build = NULL;

    for (guint i = 0; i < G_N_ELEMENTS(schedules); i++) {
        g_autoptr(GError) error = NULL;
        const Channel channel = {.project_id = world->project, .name = (char *) "x", .schedule = (char *) schedules[i]};

        g_assert_cmpint(channel_create(world->model, &channel, &error), ==, 0);
        g_assert_error(error, MODEL_ERROR, MODEL_ERROR_INVALID);
    }
    push(world, "c1");
    refuse(world, stable, build_of(world, "c1"), 0, "no percentage");
    refuse(world, stable, build_of(world, "c1"), 101, "no percentage");
    refuse(world, stable, 99, -1, "build");
    world->workers_hang = TRUE;
    world_push(world, "c2");
    world_run(world, 2);
    refuse(world, stable, build_of(world, "c2"), -1, "only what was built");
    end_world(world);
}

/* The signer refuses it for good: it failed, with the reason, and is tried again when somebody says so. */
static void test_signer(void) {
    World *world = open_world();
    gint64 stable = add_channel(world, "stable", NULL), id = 0;
    g_autoptr(Release) found = NULL;

    push(world, "c1");
    world->signer_fails = TRUE;
    id = release(world, stable, "c1", -1);
    world_run(world, 20);
    found = release_get(world->model, id, NULL);
    g_assert_cmpstr(found->state, ==, "publishing");
    g_assert_cmpstr(found->detail, ==, "stable of x86-64: Nobody answers");
    world_run(world, 700);
    release_free(found);
    found = release_get(world->model, id, NULL);
    g_assert_cmpstr(found->state, ==, "failed");
    world->signer_fails = FALSE;
    release(world, stable, "c1", -1);
    assert_all(world, "stable", "c1");
    end_world(world);
}

/* It waits for people, does not fail, holds up no other channel, and goes on when somebody approves. What was published before
 * stays when its policy changes. */
static void test_approval(void) {
    World *world = open_world();
    gint64 stable = add_channel(world, "stable", NULL), id = 0;
    gint64 target = database_integer(model_database(world->model), "SELECT id FROM target", DB_NONE, 0, NULL);
    g_autoptr(Release) found = NULL;
    g_autoptr(GError) error = NULL;

    world->approvals = "stable";
    push(world, "c1");
    assert_all(world, "testing", "c1");
    id = release(world, stable, "c1", -1);
    world_run(world, 700);
    found = release_get(world->model, id, NULL);
    g_assert_cmpstr(found->state, ==, "approval");
    g_assert_cmpstr(found->detail, ==, "It needs an approval");
    assert_all(world, "stable", NULL);
    push(world, "c2");
    assert_all(world, "testing", "c2");
    g_assert_false(approval_add(world->model, id, target + 1, 0, "SHA256:x", "s", "signature", &error));
    g_assert_error(error, MODEL_ERROR, MODEL_ERROR_STATE);
    g_clear_error(&error);
    g_assert_true(approval_add(
            world->model, id, target, 0, "SHA256:x", "s\nnot-after: 20251207000000\n", "signature", &error));
    world_run(world, 2);
    assert_all(world, "stable", "c1");
    /* Every build goes to a channel that follows, too, and is published in others meanwhile. */
    world->approvals = "testing";
    push(world, "c3");
    assert_all(world, "testing", "c2");
    g_assert_cmpuint(count_events(world, "approval"), ==, 2);
    world->now += DAY;
    world_run(world, 4);
    assert_all(world, "testing", "c2");
    end_world(world);
}

int main(int argc, char **argv) {
    static const struct {
        const char *name;
        void (*function)(void);
    } tests[] = {{"raise", test_raise}, {"halt", test_halt}, {"two-at-once", test_two_at_once},
            {"schedule", test_schedule}, {"withdraw", test_withdraw}, {"promote", test_promote},
            {"refused", test_refused}, {"signer", test_signer}, {"approval", test_approval}};

    g_test_init(&argc, &argv, NULL);
    for (guint i = 0; i < G_N_ELEMENTS(tests); i++) {
        g_autofree char *path = g_strconcat("/kitchen/rollout/", tests[i].name, NULL);

        g_test_add_func(path, tests[i].function);
    }
    return g_test_run();
}
