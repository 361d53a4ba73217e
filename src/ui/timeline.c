/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ui/timeline.h"

#include <errno.h>
#include <unistd.h>

#include "base/errors.h"
#include "ui/timeline-record.h"

/* So many changes of what a step is at are kept: more than a picture has room for. */
#define PARTS_MAX 20000

struct Timeline {
    char *path;
    gint64 start;
    TimelineRecord record;
    MachineWatch *watch; /* NULL: not yet, or the kernel does not say */
    gboolean watched;
};

static void clear_part(gpointer data) {
    TimelinePart *part = data;
    g_free(part->text);
}

static void step_free(gpointer data) {
    TimelineStep *step = data;
    g_free(step->name);
    g_free(step->remark);
    g_array_unref(step->parts);
    g_free(step);
}

static void program_free(gpointer data) {
    TimelineProgram *program = data;
    g_free(program->command);
    g_free(program);
}

Timeline *timeline_new(const char *path, gint64 start, GError **error) {
    g_autofree char *directory = g_path_get_dirname(path);
    if (access(directory, W_OK | X_OK) < 0) {
        set_errno_error(error, errno, "Cannot write the timeline to %s", path);
        return NULL;
    }
    Timeline *timeline = g_new0(Timeline, 1);
    timeline->path = g_canonicalize_filename(path, NULL);
    timeline->start = start;
    timeline->record.steps = g_ptr_array_new_with_free_func(step_free);
    timeline->record.programs = g_ptr_array_new_with_free_func(program_free);
    return timeline;
}

/* Not before this process is root: namespaces of users cannot be entered with threads. */
static void watch_machine(Timeline *timeline) {
    if (timeline->watched || geteuid() != 0)
        return;
    timeline->watched = TRUE;
    timeline->watch = machine_watch_new();
}

static TimelineStep *find_step(const Timeline *timeline, guint64 id) {
    for (guint i = timeline->record.steps->len; i-- > 0;) {
        TimelineStep *step = timeline->record.steps->pdata[i];
        if (step->id == id)
            return step;
    }
    return NULL;
}

static void begin_step(Timeline *timeline, const Event *event, gint64 now) {
    TimelineStep *step = g_new0(TimelineStep, 1);
    step->id = event->step;
    step->start = now;
    step->end = -1;
    step->name = event->image ? g_strdup_printf("%s: %s", event->image, event->text) : g_strdup(event->text);
    step->parts = g_array_new(FALSE, FALSE, sizeof(TimelinePart));
    g_array_set_clear_func(step->parts, clear_part);
    g_ptr_array_add(timeline->record.steps, step);
}

static void end_step(Timeline *timeline, const Event *event, gint64 now) {
    TimelineStep *step = find_step(timeline, event->step);
    if (!step)
        return;
    step->end = now;
    step->remark = g_strdup(event->remark);
    step->failed = event->type == EVENT_STEP_ABANDONED;
}

static void update_step(Timeline *timeline, const Event *event, gint64 now) {
    TimelineStep *step = find_step(timeline, event->step);
    if (!step || step->parts->len >= PARTS_MAX)
        return;
    const TimelinePart part = {.at = now, .text = g_strdup(event->remark)};
    g_array_append_val(step->parts, part);
}

static void add_program(Timeline *timeline, const Event *event, gint64 now) {
    TimelineProgram *program = g_new0(TimelineProgram, 1);
    *program = (TimelineProgram){
            .start = MAX(now - event->duration, 0),
            .end = now,
            .command = g_strdup(event->text),
            .cpu = event->cpu,
            .bytes_read = event->bytes_read,
            .bytes_written = event->bytes_written,
    };
    g_ptr_array_add(timeline->record.programs, program);
}

void timeline_listen(const Event *event, gpointer data) {
    Timeline *timeline = data;
    gint64 now = event->time - timeline->start;

    watch_machine(timeline);
    switch (event->type) {
    case EVENT_STEP_BEGIN:
        begin_step(timeline, event, now);
        break;
    case EVENT_STEP_UPDATE:
        update_step(timeline, event, now);
        break;
    case EVENT_STEP_DONE:
    case EVENT_STEP_ABANDONED:
        end_step(timeline, event, now);
        break;
    case EVENT_PROGRAM_ENDED:
        add_program(timeline, event, now);
        break;
    default:
        break;
    }
}

static void free_timeline(Timeline *timeline) {
    machine_watch_free(timeline->watch);
    g_ptr_array_unref(timeline->record.steps);
    g_ptr_array_unref(timeline->record.programs);
    g_free(timeline->path);
    g_free(timeline);
}

gboolean timeline_end(Timeline *timeline, const char *title, GError **error) {
    timeline->record.machine = timeline->watch ? machine_watch_stop(timeline->watch) : NULL;
    for (guint i = 0; timeline->record.machine && i < timeline->record.machine->samples->len; i++)
        ((MachineSample *) timeline->record.machine->samples->pdata[i])->at -= timeline->start;
    timeline->record.end = g_get_monotonic_time() - timeline->start;
    g_autofree char *text = timeline_draw(&timeline->record, title);
    gboolean good = g_file_set_contents_full(timeline->path, text, -1, G_FILE_SET_CONTENTS_CONSISTENT, 0644, error);
    if (!good)
        g_prefix_error(error, "Cannot write the timeline: ");
    free_timeline(timeline);
    return good;
}
