/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "events/step.h"

#include "events/task.h"

struct EventsStep {
    Task *task; /* owned */
    guint64 id;
    char *image;
    char *text;
    gint64 start;
};

static void report(const EventsStep *step, Event event) {
    event.step = step->id;
    event.image = step->image;
    event.text = step->text;
    task_report(step->task, &event);
}

EventsStep *events_step_begin(const char *image, const char *format, ...) {
    Task *task = task_current();
    if (!task)
        return NULL;
    EventsStep *step = g_new0(EventsStep, 1);
    va_list arguments;
    va_start(arguments, format);
    step->text = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    step->task = task_ref(task);
    step->id = task_next_step(task);
    step->image = g_strdup(image);
    step->start = g_get_monotonic_time();
    report(step, (Event){.type = EVENT_STEP_BEGIN});
    return step;
}

void events_step_update(EventsStep *step, const char *format, ...) {
    if (!step)
        return;
    va_list arguments;
    va_start(arguments, format);
    g_autofree char *remark = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    report(step, (Event){.type = EVENT_STEP_UPDATE, .remark = remark});
}

void events_step_progress(EventsStep *step, double fraction, guint64 bytes) {
    if (step)
        report(step, (Event){.type = EVENT_STEP_PROGRESS, .fraction = fraction, .bytes = bytes});
}

static void end_step(EventsStep *step, EventType type, const char *remark) {
    report(step, (Event){.type = type, .remark = remark, .duration = g_get_monotonic_time() - step->start});
    task_unref(step->task);
    g_free(step->image);
    g_free(step->text);
    g_free(step);
}

void events_step_done(EventsStep *step, const char *format, ...) {
    if (!step)
        return;
    g_autofree char *remark = NULL;
    if (format) {
        va_list arguments;
        va_start(arguments, format);
        remark = g_strdup_vprintf(format, arguments);
        va_end(arguments);
    }
    end_step(step, EVENT_STEP_DONE, remark);
}

void events_step_abandon(EventsStep *step) {
    if (step)
        end_step(step, EVENT_STEP_ABANDONED, NULL);
}
