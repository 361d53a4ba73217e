/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <glib.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "kitchen/process/process.h"

static pid_t start(const char *script, int out, int events) {
    const char *argv[] = {"sh", "-c", script, NULL};
    ProcessPlan plan = {.argv = argv, .in = -1, .out = out, .err = -1, .events = events};
    g_autoptr(GError) error = NULL;
    pid_t pid = process_start(&plan, &error);

    g_assert_no_error(error);
    return pid;
}

static void test_streams(void) {
    int pipes[2], events[2], status = -1;
    char text[200] = "";

    g_assert_cmpint(pipe2(pipes, O_CLOEXEC), ==, 0);
    g_assert_cmpint(pipe2(events, O_CLOEXEC), ==, 0);
    g_assert_true(process_reap(start("echo out; echo step >&3; exit 3", pipes[1], events[1]), TRUE, &status));
    g_assert_cmpint(WEXITSTATUS(status), ==, 3);
    g_assert_cmpint(read(pipes[0], text, sizeof text - 1), ==, 4);
    g_assert_cmpstr(text, ==, "out\n");
    g_assert_cmpint(read(events[0], text, sizeof text - 1), ==, 5);
    /* It sees no other descriptor of ours. */
    g_assert_true(process_reap(
            start("ls /proc/self/fd | wc -l; ls -l /proc/self/fd/3 | wc -l", pipes[1], events[1]), TRUE, NULL));
    memset(text, 0, sizeof text);
    g_assert_cmpint(read(pipes[0], text, sizeof text - 1), >, 0);
    g_assert_cmpstr(text, ==, "5\n1\n");
    for (int i = 0; i < 2; i++) {
        close(pipes[i]);
        close(events[i]);
    }
}

static void test_missing(void) {
    const char *argv[] = {"/nonexistent/program", NULL};
    ProcessPlan plan = {.argv = argv, .in = -1, .out = -1, .err = -1, .events = -1};
    const char *good[] = {"true", NULL};
    ProcessPlan place = {.argv = good, .directory = "/nonexistent", .in = -1, .out = -1, .err = -1, .events = -1};
    g_autoptr(GError) error = NULL;

    g_assert_cmpint(process_start(&plan, &error), ==, -1);
    g_assert_error(error, G_FILE_ERROR, G_FILE_ERROR_NOENT);
    g_clear_error(&error);
    g_assert_cmpint(process_start(&place, &error), ==, -1);
    g_assert_error(error, G_FILE_ERROR, G_FILE_ERROR_NOENT);
}

/* The whole group ends, and a name never means another process. */
static void test_kill(void) {
    int pipes[2], status = 0;
    g_autofree char *name = NULL;
    g_autofree char *other = NULL;
    char byte = 0;
    pid_t pid = 0;

    g_assert_cmpint(pipe2(pipes, O_CLOEXEC), ==, 0);
    pid = start("sleep 60 & sleep 60", pipes[1], -1);
    close(pipes[1]);
    name = process_name(pid);
    other = g_strdup_printf("%d:1", (int) pid);
    g_assert_cmpint(process_find(name), ==, pid);
    g_assert_cmpint(process_find(other), ==, 0);
    g_assert_cmpint(process_find("1"), ==, 0);
    g_assert_false(process_reap(pid, FALSE, NULL));
    process_kill(pid, SIGKILL);
    g_assert_true(process_reap(pid, TRUE, &status));
    g_assert_true(WIFSIGNALED(status));
    /* The other sleep held the pipe as well. */
    g_assert_cmpint(read(pipes[0], &byte, 1), ==, 0);
    close(pipes[0]);
    g_assert_cmpint(process_find(name), ==, 0);
    g_assert_null(process_name(pid));
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/kitchen/process/streams", test_streams);
    g_test_add_func("/kitchen/process/missing", test_missing);
    g_test_add_func("/kitchen/process/kill", test_kill);
    return g_test_run();
}
