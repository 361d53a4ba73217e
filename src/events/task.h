/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A task: a piece of work, such as a build, as those who asked for it see it. They hear what happens (event.h), may
 * ask it to stop, say how it is to be done, and what must not show. Two tasks of one process share none of this.
 *
 * A task is handed to a thread, not to each function: task_enter() makes it the one that the thread works for, in the
 * way of GMainContext's thread-default contexts. Messages come from the depth of parsers, file systems and plans, in
 * more than a hundred functions that have no other object in common, and all of them only pass it on. Nothing is
 * inherited by itself: a thread that is started for a task gets it from task_thread_new(). Where no task is entered,
 * events go nowhere, and nobody can ask to stop. There is no default task of the process.
 *
 * Thread-safe, but for what says otherwise. */

#include <glib.h>
#include <sys/types.h>

#include "events/event.h"
#include "events/secrets.h"

typedef struct Task Task;

/* How the work is to be done. */
typedef enum {
    TASK_DEBUG = 1 << 0, /* debug messages and commands are events, too */
    /* When a program of sandbox_run() fails and the caller has a terminal, a shell starts in its sandbox before the
     * error is returned. */
    TASK_DEBUG_SHELL = 1 << 1,
    /* strace shows on standard error what particleos-sandbox does. */
    TASK_DEBUG_SANDBOX = 1 << 2,
    /* Where the kernel allows neither a user namespace for root nor a fresh /proc (in a container, for instance),
     * programs run without. Otherwise they do not start. */
    TASK_WEAK_SANDBOX = 1 << 3,
    /* Scripts of the recipe have no network, of whatever kind they are. */
    TASK_NO_SCRIPT_NETWORK = 1 << 4,
} TaskFlags;

/* A task that nobody listens to yet. */
Task *task_new(TaskFlags flags);
Task *task_ref(Task *task);
void task_unref(Task *task);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Task, task_unref)

/* Adds FLAGS, for what begins after this. */
void task_add_flags(Task *task, TaskFlags flags);

/* Whether all of FLAGS are set; FALSE for NULL. */
gboolean task_has(const Task *task, TaskFlags flags) G_GNUC_WARN_UNUSED_RESULT;

/* When the task was made, as Event.time. */
gint64 task_get_start(const Task *task);

/* Copies to FD (-1, as in the beginning: nowhere) what build scripts print on standard output, instead of reporting it as
 * lines: for callers that read their results. Before work begins. */
void task_set_output(Task *task, int fd);
int task_get_output(const Task *task); /* -1 for NULL */

/* The secrets that must not show in its events. */
Secrets *task_get_secrets(Task *task);

/* ---- for whom a thread works ---- */

/* The task of this thread (borrowed); NULL: none. */
Task *task_current(void);

/* From now on this thread works for TASK, until task_leave() with the value that is returned, in the same thread. */
typedef struct TaskScope TaskScope;
TaskScope *task_enter(Task *task) G_GNUC_WARN_UNUSED_RESULT;
void task_leave(TaskScope *scope);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(TaskScope, task_leave)

/* g_thread_new(), and the new thread works for the task of this one. */
GThread *task_thread_new(const char *name, GThreadFunc function, gpointer data);

/* ---- what happens ---- */

/* Called for each event of the task, in order, never by two threads at once. It must not report anything itself. */
typedef void (*EventListener)(const Event *event, gpointer data);

/* From now on LISTENER hears of all events, with DATA (borrowed). */
void task_listen(Task *task, EventListener listener, gpointer data);
/* No longer. */
void task_unlisten(Task *task, EventListener listener, gpointer data);

/* Tells the listeners of EVENT, at this time, without its secrets. Does nothing without TASK. Usually called through
 * events.h and step.h. */
void task_report(Task *task, const Event *event);

/* TRUE the first time that it gets TEXT. */
gboolean task_is_new(Task *task, const char *text) G_GNUC_WARN_UNUSED_RESULT;

/* The number of a new step. */
guint64 task_next_step(Task *task);

/* ---- the wish to stop ---- */

/* Sends SIGTERM to all processes of the task, and to those that come later, and makes task_is_cancelled() true, for
 * ever. Async-signal-safe. Whoever works looks at that between two things. */
void task_cancel(Task *task);
gboolean task_is_cancelled(const Task *task) G_GNUC_WARN_UNUSED_RESULT; /* FALSE for NULL */

/* Takes a place for a process that is about to start. FALSE when there are too many. */
gboolean task_reserve_process(Task *task, guint *ret_place) G_GNUC_WARN_UNUSED_RESULT;
/* It has started as PID, and gets its signal if the task was cancelled meanwhile. */
void task_set_process(Task *task, guint place, pid_t pid);
/* It has not started, or is about to be waited for: its number must not be used any more. */
void task_release_process(Task *task, guint place);
