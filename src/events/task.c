/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "events/task.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>

#define MAX_PROCESSES 256

typedef struct {
    EventListener function;
    gpointer data;
} Listener;

struct Task {
    gatomicrefcount references;
    atomic_uint flags;
    gint64 start;
    int output;
    Secrets *secrets;
    GMutex lock;       /* for what follows, and held while listeners run */
    GArray *listeners; /* of Listener */
    GHashTable *said;
    guint64 last_step;
    /* For a signal handler, so without lock: processes are 0 (free), -1 (reserved), or a number. */
    atomic_bool cancelled;
    _Atomic(pid_t) processes[MAX_PROCESSES];
};

Task *task_new(TaskFlags flags) {
    Task *task = g_new0(Task, 1);
    g_atomic_ref_count_init(&task->references);
    task->flags = flags;
    task->start = g_get_monotonic_time();
    task->output = -1;
    task->secrets = secrets_new();
    task->listeners = g_array_new(FALSE, FALSE, sizeof(Listener));
    task->said = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    g_mutex_init(&task->lock);
    return task;
}

Task *task_ref(Task *task) {
    g_atomic_ref_count_inc(&task->references);
    return task;
}

void task_unref(Task *task) {
    if (!task || !g_atomic_ref_count_dec(&task->references))
        return;
    secrets_free(task->secrets);
    g_array_unref(task->listeners);
    g_hash_table_unref(task->said);
    g_mutex_clear(&task->lock);
    g_free(task);
}

void task_add_flags(Task *task, TaskFlags flags) {
    atomic_fetch_or(&task->flags, flags);
}

gboolean task_has(const Task *task, TaskFlags flags) {
    return task && (atomic_load(&task->flags) & flags) == flags;
}

gint64 task_get_start(const Task *task) {
    return task->start;
}

void task_set_output(Task *task, int fd) {
    task->output = fd;
}

int task_get_output(const Task *task) {
    return task ? task->output : -1;
}

Secrets *task_get_secrets(Task *task) {
    return task->secrets;
}

/* ---- for whom a thread works ---- */

struct TaskScope {
    Task *task, *outer;
};

static GPrivate current;

Task *task_current(void) {
    return g_private_get(&current);
}

TaskScope *task_enter(Task *task) {
    TaskScope *scope = g_new0(TaskScope, 1);
    scope->task = task_ref(task);
    scope->outer = g_private_get(&current);
    g_private_set(&current, task);
    return scope;
}

void task_leave(TaskScope *scope) {
    if (!scope)
        return;
    g_assert(g_private_get(&current) == scope->task);
    g_private_set(&current, scope->outer);
    task_unref(scope->task);
    g_free(scope);
}

typedef struct {
    Task *task; /* owned; NULL: none */
    GThreadFunc function;
    gpointer data;
} Start;

static gpointer run_thread(gpointer data) {
    g_autofree Start *start = data;
    g_autoptr(Task) task = start->task;
    g_autoptr(TaskScope) scope = task ? task_enter(task) : NULL;
    return start->function(start->data);
}

GThread *task_thread_new(const char *name, GThreadFunc function, gpointer data) {
    Task *task = task_current();
    Start *start = g_new0(Start, 1);
    *start = (Start){.task = task ? task_ref(task) : NULL, .function = function, .data = data};
    return g_thread_new(name, run_thread, start);
}

/* ---- what happens ---- */

void task_listen(Task *task, EventListener listener, gpointer data) {
    const Listener entry = {listener, data};
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&task->lock);
    g_array_append_val(task->listeners, entry);
}

void task_unlisten(Task *task, EventListener listener, gpointer data) {
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&task->lock);
    for (guint i = task->listeners->len; i-- > 0;) {
        const Listener *entry = &g_array_index(task->listeners, Listener, i);
        if (entry->function == listener && entry->data == data)
            g_array_remove_index(task->listeners, i);
    }
}

/* What the programs of a recipe print is for its author: a form alone gives no secret away there. */
static char *without_secrets(const Task *task, const Event *event, const char *text) {
    if (!text)
        return NULL;
    return event->type == EVENT_PROGRAM_LINE ? secrets_redact_known(task->secrets, text)
                                             : secrets_redact(task->secrets, text);
}

void task_report(Task *task, const Event *event) {
    if (!task)
        return;
    g_autofree char *text = without_secrets(task, event, event->text);
    g_autofree char *remark = without_secrets(task, event, event->remark);
    g_autofree char *path = without_secrets(task, event, event->path);
    Event told = *event;
    told.text = text;
    told.remark = remark;
    told.path = path;
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&task->lock);
    told.time = g_get_monotonic_time();
    for (guint i = 0; i < task->listeners->len; i++) {
        const Listener *listener = &g_array_index(task->listeners, Listener, i);
        listener->function(&told, listener->data);
    }
}

gboolean task_is_new(Task *task, const char *text) {
    if (!task)
        return TRUE;
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&task->lock);
    return g_hash_table_add(task->said, g_strdup(text));
}

guint64 task_next_step(Task *task) {
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&task->lock);
    return ++task->last_step;
}

/* ---- the wish to stop ---- */

void task_cancel(Task *task) {
    int saved = errno;
    atomic_store(&task->cancelled, true);
    for (guint i = 0; i < MAX_PROCESSES; i++) {
        pid_t pid = atomic_load(&task->processes[i]);
        if (pid > 0)
            kill(pid, SIGTERM);
    }
    errno = saved;
}

gboolean task_is_cancelled(const Task *task) {
    return task && atomic_load(&task->cancelled);
}

gboolean task_reserve_process(Task *task, guint *ret_place) {
    for (guint i = 0; task && i < MAX_PROCESSES; i++) {
        pid_t expected = 0;
        if (atomic_compare_exchange_strong(&task->processes[i], &expected, -1)) {
            *ret_place = i;
            return TRUE;
        }
    }
    return !task;
}

void task_set_process(Task *task, guint place, pid_t pid) {
    if (!task)
        return;
    atomic_store(&task->processes[place], pid);
    /* task_cancel() may have looked just before. */
    if (task_is_cancelled(task))
        kill(pid, SIGTERM);
}

void task_release_process(Task *task, guint place) {
    if (task)
        atomic_store(&task->processes[place], 0);
}
