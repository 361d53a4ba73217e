/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ui/json-lines.h"

#include <json-glib/json-glib.h>
#include <unistd.h>

#include "base/errors.h"
#include "base/pipe.h"

/* What a step is at is told at most that often. */
#define UPDATE_INTERVAL_US (G_USEC_PER_SEC / 5)

struct JsonLines {
    int fd;
    int failure; /* errno of the first write that failed, 0: none */
    gint64 start;
    GHashTable *told; /* of running steps: number -> gint64, when it was last told what they are at */
};

static const char *const names[] = {
        [EVENT_ERROR] = "error",
        [EVENT_WARNING] = "warning",
        [EVENT_INFO] = "info",
        [EVENT_DEBUG] = "debug",
        [EVENT_PROGRAM_LINE] = "program-line",
        [EVENT_COMMAND] = "command",
        [EVENT_STEP_BEGIN] = "step-begin",
        [EVENT_STEP_UPDATE] = "step-update",
        [EVENT_STEP_PROGRESS] = "step-progress",
        [EVENT_STEP_DONE] = "step-done",
        [EVENT_STEP_ABANDONED] = "step-abandoned",
        [EVENT_ARTIFACT] = "artifact",
        [EVENT_RESULT] = "result",
};

static gint64 milliseconds(gint64 microseconds) {
    return MAX(microseconds, 0) / 1000;
}

static void add_text(JsonBuilder *builder, const char *name, const char *text) {
    if (!text)
        return;
    g_autofree char *valid = g_utf8_make_valid(text, -1);
    json_builder_set_member_name(builder, name);
    json_builder_add_string_value(builder, valid);
}

static void add_number(JsonBuilder *builder, const char *name, guint64 number) {
    json_builder_set_member_name(builder, name);
    json_builder_add_int_value(builder, MIN(number, G_MAXINT64));
}

static JsonBuilder *begin_line(const char *name, gint64 time) {
    JsonBuilder *builder = json_builder_new();
    json_builder_begin_object(builder);
    add_text(builder, "event", name);
    add_number(builder, "time", milliseconds(time));
    return builder;
}

static void end_line(JsonLines *lines, JsonBuilder *builder) {
    json_builder_end_object(builder);
    g_autoptr(JsonNode) root = json_builder_get_root(builder);
    g_autofree char *text = json_to_string(root, FALSE);
    g_autofree char *line = g_strconcat(text, "\n", NULL);
    if (lines->failure == 0)
        lines->failure = pipe_write(lines->fd, line, strlen(line));
}

JsonLines *json_lines_new(int fd, gint64 start, const char *program, const char *verb) {
    JsonLines *lines = g_new0(JsonLines, 1);
    lines->fd = fd;
    lines->start = start;
    lines->told = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, g_free);
    g_autoptr(JsonBuilder) builder = begin_line("start", g_get_monotonic_time() - start);
    add_number(builder, "version", JSON_LINES_VERSION);
    add_text(builder, "program", program);
    add_text(builder, "verb", verb);
    end_line(lines, builder);
    return lines;
}

/* Whether so little time has passed since the last word about what the step is at that EVENT, which is another one, is
 * left out. */
static gboolean is_too_early(JsonLines *lines, const Event *event) {
    const gint64 id = event->step;
    if (event->type != EVENT_STEP_UPDATE && event->type != EVENT_STEP_PROGRESS)
        return FALSE;
    gint64 *last = g_hash_table_lookup(lines->told, &id);
    if (last && event->time - *last < UPDATE_INTERVAL_US)
        return TRUE;
    g_hash_table_insert(lines->told, g_memdup2(&id, sizeof id), g_memdup2(&event->time, sizeof event->time));
    return FALSE;
}

static void add_details(JsonBuilder *builder, const Event *event) {
    switch (event->type) {
    case EVENT_STEP_PROGRESS:
        if (event->fraction >= 0) {
            json_builder_set_member_name(builder, "fraction");
            json_builder_add_double_value(builder, CLAMP(event->fraction, 0, 1));
        }
        break;
    case EVENT_STEP_DONE:
    case EVENT_STEP_ABANDONED:
        add_number(builder, "duration", milliseconds(event->duration));
        break;
    case EVENT_RESULT:
        add_number(builder, "bytes", event->bytes);
        add_number(builder, "used", event->used);
        add_number(builder, "duration", milliseconds(event->duration));
        break;
    default:
        break;
    }
    if (event->bytes > 0 && event->type != EVENT_RESULT)
        add_number(builder, "bytes", event->bytes);
}

void json_lines_listen(const Event *event, gpointer data) {
    JsonLines *lines = data;
    const gint64 id = event->step;

    if (event->type >= G_N_ELEMENTS(names) || !names[event->type] || is_too_early(lines, event))
        return;
    if (event->type == EVENT_STEP_DONE || event->type == EVENT_STEP_ABANDONED)
        g_hash_table_remove(lines->told, &id);
    g_autoptr(JsonBuilder) builder = begin_line(names[event->type], event->time - lines->start);
    if (event->step > 0)
        add_number(builder, "step", event->step);
    add_text(builder, "image", event->image);
    add_text(builder, "program", event->program);
    add_text(builder, "text", event->text);
    add_text(builder, "remark", event->remark);
    add_text(builder, "path", event->path);
    add_text(builder, "sha256", event->digest);
    add_details(builder, event);
    end_line(lines, builder);
}

gboolean json_lines_end(JsonLines *lines, int exit_status, GError **error) {
    g_autoptr(JsonBuilder) builder = begin_line("end", g_get_monotonic_time() - lines->start);
    json_builder_set_member_name(builder, "success");
    json_builder_add_boolean_value(builder, exit_status == 0);
    add_number(builder, "status", exit_status);
    end_line(lines, builder);
    int failure = lines->failure;
    close(lines->fd);
    g_hash_table_unref(lines->told);
    g_free(lines);
    return failure == 0 || set_errno_error(error, failure, "Cannot write events");
}
