/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <gio/gunixsocketaddress.h>
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

/* Whoever is behind the socket gets the ticket to its end, and lives as long as the connection. */
static void test_socket(void) {
    g_autofree char *directory = g_dir_make_tmp("executor-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(directory, "socket", NULL);
    g_autoptr(Executor) executor = executor_new_socket(path, 3);
    g_autoptr(GSocketAddress) address = g_unix_socket_address_new(path);
    g_autoptr(GSocket) listener = g_socket_new(G_SOCKET_FAMILY_UNIX, G_SOCKET_TYPE_STREAM, 0, NULL);
    g_autoptr(GSocket) worker = NULL;
    g_autoptr(GError) error = NULL;
    g_autofree char *id = NULL;
    g_autofree char *why = NULL;
    char ticket[64] = "";

    g_assert_null(executor->submit(executor, 1, "ticket", &error));
    g_assert_error(error, G_FILE_ERROR, G_FILE_ERROR_NOENT);
    g_clear_error(&error);
    g_assert_true(g_socket_bind(listener, address, FALSE, NULL) && g_socket_listen(listener, NULL));
    id = executor->submit(executor, 1, "tickettickettick", &error);
    g_assert_no_error(error);
    worker = g_socket_accept(listener, NULL, NULL);
    g_assert_cmpint(g_socket_receive(worker, ticket, sizeof ticket, NULL, NULL), ==, 16);
    g_assert_cmpstr(ticket, ==, "tickettickettick");
    g_assert_cmpint(g_socket_receive(worker, ticket, sizeof ticket, NULL, NULL), ==, 0);
    g_assert_cmpint(executor->poll(executor, id, &why), ==, EXECUTOR_RUNS);
    executor->cancel(executor, id);
    g_assert_cmpint(executor->poll(executor, id, &why), ==, EXECUTOR_RUNS);
    g_assert_true(g_socket_close(worker, NULL));
    g_assert_cmpint(executor->poll(executor, id, &why), ==, EXECUTOR_ENDED);
    g_assert_nonnull(strstr(why, "has ended"));
    g_assert_cmpint(executor->poll(executor, id, NULL), ==, EXECUTOR_ENDED);
    /* That of a service before: its heartbeat tells. */
    g_assert_cmpint(executor->poll(executor, "socket 1:5 0", NULL), ==, EXECUTOR_RUNS);
    g_unlink(path);
    g_rmdir(directory);
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/kitchen/executor/local", test_local);
    g_test_add_func("/kitchen/executor/missing", test_missing);
    g_test_add_func("/kitchen/executor/socket", test_socket);
    return g_test_run();
}
