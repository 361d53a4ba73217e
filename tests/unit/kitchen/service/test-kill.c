/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The service is killed before each commit and each file operation in turn, and opened again: whatever was acknowledged is
 * published in the end, once, and nothing is stuck. */

#include <glib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "world.h"

#define KILLED 42

typedef struct {
    gint left;        /* operations until the end, atomic */
    int acknowledged; /* descriptor that gets the last commit whose push returned */
} Plan;

static void maybe_die(gpointer user, const char *where) {
    Plan *plan = user;

    if (g_atomic_int_add(&plan->left, -1) == 0)
        _exit(KILLED);
}

static void push(World *world, const Plan *plan, const char *commit) {
    world_push(world, commit);
    g_assert_cmpint(pwrite(plan->acknowledged, commit, 2, 0), ==, 2);
}

/* Two versions, one after the other, with a third that comes while the second one is at work. */
static void live(World *world, const Plan *plan) {
    push(world, plan, "c1");
    g_assert_true(world_settle(world, 20));
    push(world, plan, "c2");
    world_run(world, 1);
    push(world, plan, "c3");
    g_assert_true(world_settle(world, 20));
}

/* A life that ends at operation N. WORKERS_DIE: all workers end with it. Exits. */
static void be_killed(const char *path, gint n, int acknowledged) {
    Plan plan = {.left = n, .acknowledged = acknowledged};
    World *world = world_open(path);

    world_set_fault(world, maybe_die, &plan);
    live(world, &plan);
    _exit(0);
}

static gint64 count(World *world, const char *sql) {
    return database_integer(model_database(world->model), sql, DB_NONE, -1, NULL);
}

/* Opens the world again, lets it go on, and judges it. Exits. */
static void be_judged(const char *path, const char *acknowledged) {
    World *world = world_open(path);
    g_autoptr(GError) error = NULL;
    g_autofree char *offered = NULL;

    g_assert_true(coordinator_start(world->coordinator, &error));
    g_assert_no_error(error);
    g_assert_true(world_settle(world, 300));
    offered = world_offered(world);
    /* Nothing that was acknowledged is lost; what was not may be there all the same. */
    if (*acknowledged)
        g_assert_cmpstr(offered, >=, acknowledged);
    /* Nothing is half, and nothing was done twice. */
    g_assert_cmpint(count(world, "SELECT count(*) FROM release WHERE state <> 'published'"), ==, 0);
    g_assert_cmpint(count(world, "SELECT count(*) FROM build WHERE state = 'published'"), ==,
            count(world, "SELECT count(*) FROM release"));
    g_assert_cmpint(count(world, "SELECT count(*) FROM (SELECT build_id FROM event WHERE kind = 'release.published' "
                                 "GROUP BY build_id HAVING count(*) > 1)"),
            ==, 0);
    g_assert_cmpint(
            count(world, "SELECT count(*) - count(DISTINCT commit_id) FROM build WHERE state = 'published'"), ==, 0);
    g_assert_cmpint(count(world, "SELECT count(*) FROM build WHERE state = 'failed'"), ==, 0);
    world_close(world);
    _exit(0);
}

static int wait_for(pid_t pid) {
    int status = 0;

    g_assert_cmpint(waitpid(pid, &status, 0), ==, pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void remove_workers(const char *path) {
    g_autofree char *command = g_strdup_printf("rm -f %s/worker-*", path);

    g_assert_cmpint(system(command), ==, 0);
}

/* One life and its judgement. Returns whether it was killed. */
static gboolean try(gint n, gboolean workers_die) {
    g_autofree char *path = world_new_path();
    g_autofree char *note = NULL;
    char acknowledged[3] = "";
    int fd = g_file_open_tmp("acknowledged-XXXXXX", &note, NULL), status = 0;
    pid_t pid = 0;

    if ((pid = fork()) == 0)
        be_killed(path, n, fd);
    status = wait_for(pid);
    g_assert_true(status == 0 || status == KILLED);
    g_assert_cmpint(pread(fd, acknowledged, 2, 0), >=, 0);
    if (workers_die)
        remove_workers(path);
    if ((pid = fork()) == 0)
        be_judged(path, acknowledged);
    if (wait_for(pid) != 0)
        g_error("Killed before operation %d (workers %s): see %s", n, workers_die ? "die" : "go on", path);
    close(fd);
    unlink(note);
    world_remove(path);
    return status == KILLED;
}

static void kill_everywhere(gboolean workers_die) {
    gint n = 0;

    while (try(n, workers_die))
        n++;
    g_test_message("killed before each of %d operations", n);
    g_assert_cmpint(n, >, 60);
}

static void test_workers_go_on(void) {
    kill_everywhere(FALSE);
}

static void test_workers_die(void) {
    kill_everywhere(TRUE);
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/kitchen/kill/workers-go-on", test_workers_go_on);
    g_test_add_func("/kitchen/kill/workers-die", test_workers_die);
    return g_test_run();
}
