/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "events/events.h"
#include "events/step.h"
#include "events/task.h"

#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* What a listener hears, a line for each event. */
static void hear(const Event *event, gpointer data) {
    GString *heard = data;
    g_string_append_printf(heard, "%d", event->type);
    if (event->step)
        g_string_append_printf(heard, " #%u", (unsigned) event->step);
    for (const char *const *text = (const char *const[]){event->image, event->text, event->remark, event->path},
                           *const *end = text + 4;
            text < end; text++)
        g_string_append_printf(heard, "%s%s", *text ? " " : "", *text ? *text : "");
    g_string_append_printf(heard, "%s\n", event->again ? " again" : "");
}

static Task *listened(GString *heard, TaskFlags flags) {
    Task *task = task_new(flags);
    task_listen(task, hear, heard);
    return task;
}

static void assert_heard(GString *heard, const char *expected) {
    g_assert_cmpstr(heard->str, ==, expected);
    g_string_truncate(heard, 0);
}

static void test_messages(void) {
    g_autoptr(GString) heard = g_string_new(NULL);
    g_autoptr(Task) task = listened(heard, 0);
    events_info("nobody works for a task");
    assert_heard(heard, "");
    g_autoptr(TaskScope) scope = task_enter(task);
    events_error("cannot open %s", "x");
    events_warning_once("odd");
    events_warning_once("odd");
    events_reminder("touch %s", "a");
    events_reminder("touch %s", "b");
    events_debug("invisible");
    events_command("invisible");
    assert_heard(heard, "0 cannot open x\n1 odd\n2 touch a\n2 touch b again\n");
    g_assert_false(events_debug_enabled());
    task_add_flags(task, TASK_DEBUG);
    g_assert_true(events_debug_enabled());
    events_debug("visible");
    events_command("run A_TOKEN=x");
    assert_heard(heard, "3 visible\n5 run A_TOKEN=***\n");
    events_artifact("main", "/x", 1, NULL);
    assert_heard(heard, "11 main /x\n");
    task_unlisten(task, hear, heard);
    events_info("no more");
    assert_heard(heard, "");
}

static void test_steps(void) {
    g_autoptr(GString) heard = g_string_new(NULL);
    g_autoptr(Task) task = listened(heard, 0);
    g_assert_null(events_step_begin(NULL, "no task"));
    events_step_update(NULL, "x");
    events_step_done(NULL, NULL);
    g_autoptr(TaskScope) scope = task_enter(task);
    EventsStep *first = events_step_begin("main", "first %d", 1);
    g_autoptr(EventsStep) second = events_step_begin(NULL, "second");
    task_leave(g_steal_pointer(&scope));
    /* It stays a step of its task. */
    events_step_update(first, "at %s", "x");
    events_step_progress(first, 0.5, 1);
    events_step_done(first, "reused");
    events_step_abandon(g_steal_pointer(&second));
    assert_heard(heard,
            "6 #1 main first 1\n6 #2 second\n7 #1 main first 1 at x\n8 #1 main first 1\n9 #1 main first 1 reused\n"
            "10 #2 second\n");
}

static void test_scopes(void) {
    g_autoptr(GString) heard = g_string_new(NULL);
    g_autoptr(Task) outer = listened(heard, 0), inner = task_new(0);
    g_assert_null(task_current());
    g_autoptr(TaskScope) scope = task_enter(outer);
    {
        g_autoptr(TaskScope) within = task_enter(inner);
        g_assert_true(task_current() == inner);
        events_info("inner");
    }
    g_assert_true(task_current() == outer);
    events_info("outer");
    assert_heard(heard, "2 outer\n");
}

static gpointer say_name(gpointer data) {
    for (int i = 0; i < 100; i++)
        events_info("%s", (const char *) data);
    return task_current();
}

static void test_threads(void) {
    g_autoptr(GString) zero = g_string_new(NULL), one = g_string_new(NULL);
    g_autoptr(Task) first = listened(zero, 0), second = listened(one, 0);
    GString *const heard[] = {zero, one};
    Task *const tasks[] = {first, second};
    GThread *threads[4];
    for (guint i = 0; i < G_N_ELEMENTS(threads); i++) {
        g_autoptr(TaskScope) scope = task_enter(tasks[i % 2]);
        threads[i] = task_thread_new("say", say_name, (gpointer) (i % 2 ? "one" : "zero"));
    }
    for (guint i = 0; i < G_N_ELEMENTS(threads); i++)
        g_assert_true(g_thread_join(threads[i]) == tasks[i % 2]);
    /* No line is torn, none is the other's. */
    for (guint i = 0; i < 2; i++) {
        g_auto(GStrv) lines = g_strsplit(heard[i]->str, "\n", -1);
        g_assert_cmpuint(g_strv_length(lines), ==, 201);
        for (guint j = 0; j < 200; j++)
            g_assert_cmpstr(lines[j], ==, i ? "2 one" : "2 zero");
    }
    g_assert_null(g_thread_join(g_thread_new("none", say_name, (gpointer) "x")));
}

static pid_t start_sleeper(void) {
    pid_t pid = fork();
    if (pid == 0) {
        pause();
        _exit(0);
    }
    return pid;
}

static void test_cancel(void) {
    g_autoptr(Task) task = task_new(0), other = task_new(0);
    pid_t pids[3];
    guint places[3];
    g_assert_false(task_is_cancelled(NULL));
    for (int i = 0; i < 3; i++) {
        Task *owner = i < 2 ? task : other;
        g_assert_true(task_reserve_process(owner, &places[i]));
        pids[i] = start_sleeper();
        if (i != 1)
            task_set_process(owner, places[i], pids[i]);
    }
    task_cancel(task);
    task_set_process(task, places[1], pids[1]); /* comes too late, and has to go, too */
    for (int i = 0; i < 2; i++) {
        int status;
        g_assert_cmpint(waitpid(pids[i], &status, 0), ==, pids[i]);
        g_assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
        task_release_process(task, places[i]);
    }
    g_assert_true(task_is_cancelled(task));
    g_assert_false(task_is_cancelled(other));
    g_assert_cmpint(waitpid(pids[2], NULL, WNOHANG), ==, 0);
    kill(pids[2], SIGKILL);
    g_assert_cmpint(waitpid(pids[2], NULL, 0), ==, pids[2]);
    task_release_process(other, places[2]);
    /* A released place is free, and there is an end to them. */
    guint place, count = 0;
    while (task_reserve_process(other, &place))
        count++;
    g_assert_cmpuint(count, ==, 256);
    task_release_process(other, 7);
    g_assert_true(task_reserve_process(other, &place));
    g_assert_cmpuint(place, ==, 7);
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/events/messages", test_messages);
    g_test_add_func("/events/steps", test_steps);
    g_test_add_func("/events/scopes", test_scopes);
    g_test_add_func("/events/threads", test_threads);
    g_test_add_func("/events/cancel", test_cancel);
    return g_test_run();
}
