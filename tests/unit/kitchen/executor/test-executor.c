/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <glib.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>

#include "kitchen/executor/executor.h"

static char *make_worker(const char *directory, const char *script) {
    char *path = g_build_filename(directory, "worker", NULL);

    g_assert_true(g_file_set_contents(path, script, -1, NULL));
    g_assert_cmpint(g_chmod(path, 0700), ==, 0);
    return path;
}

static void wait_for_end(Executor *executor, const char *id, char **why) {
    for (guint i = 0; i < 500; i++) {
        if (executor->poll(executor, id, why) == EXECUTOR_ENDED)
            return;
        g_usleep(10000);
    }
    g_error("It does not end");
}

static void test_local(void) {
    g_autofree char *directory = g_dir_make_tmp("executor-XXXXXX", NULL);
    /* The ticket is neither in the arguments nor in the environment. */
    g_autofree char *worker = make_worker(directory,
            "#!/bin/sh\nread -r ticket || true\n"
            "{ echo \"$ticket\"; echo \"$@\"; tr '\\0' '\\n' </proc/$$/environ; } >$(dirname $0)/seen\n"
            "case $ticket in slow) sleep 60;; stubborn) trap '' TERM; sleep 60; sleep 60;; esac\nexit 3\n");
    LocalExecutorSettings settings = {
            .slots = 2, .program = worker, .url = "http://x/worker", .builder = "/bin/particleos", .work = directory};
    g_autoptr(Executor) executor = executor_new_local(&settings);
    g_autofree char *seen_path = g_build_filename(directory, "seen", NULL);
    g_autofree char *seen = NULL;
    g_autofree char *why = NULL;
    g_autoptr(GError) error = NULL;
    g_autofree char *id = executor->submit(executor, 1, "tickettickettick", &error);
    g_autofree char *slow = NULL;

    g_assert_no_error(error);
    wait_for_end(executor, id, &why);
    g_assert_cmpstr(why, ==, "The worker ended with status 3");
    g_assert_true(g_file_get_contents(seen_path, &seen, NULL, NULL));
    g_assert_true(g_str_has_prefix(seen, "tickettickettick\n--url=http://x/worker --builder=/bin/particleos --work="));
    g_assert_null(strstr(seen + 10, "tickettickettick"));
    slow = executor->submit(executor, 2, "slow", &error);
    g_assert_no_error(error);
    g_assert_cmpint(executor->poll(executor, slow, NULL), ==, EXECUTOR_RUNS);
    executor->cancel(executor, slow);
    wait_for_end(executor, slow, NULL);
    executor->cancel(executor, slow);
    /* One of an earlier life of this machine. */
    g_assert_cmpint(executor->poll(executor, "1:5", NULL), ==, EXECUTOR_ENDED);
    g_unlink(seen_path);
    g_unlink(worker);
    g_rmdir(directory);
}

static void test_missing(void) {
    LocalExecutorSettings settings = {
            .slots = 1, .program = "/nonexistent/worker", .url = "x", .builder = "x", .work = "/"};
    g_autoptr(Executor) executor = executor_new_local(&settings);
    g_autoptr(GError) error = NULL;

    g_assert_null(executor->submit(executor, 1, "t", &error));
    g_assert_error(error, G_FILE_ERROR, G_FILE_ERROR_NOENT);
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/kitchen/executor/local", test_local);
    g_test_add_func("/kitchen/executor/missing", test_missing);
    return g_test_run();
}
