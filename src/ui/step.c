/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "ui/step.h"
#include "text/size.h"
#include "ui/live.h"
#include "ui/terminal.h"

#include <string.h>

#define REDRAW_INTERVAL_US (80 * 1000)
#define ANNOUNCE_AFTER_US (2 * G_USEC_PER_SEC)

typedef struct {
    guint64 id;
    char *image;
    char *name;
    char *detail;
    gint64 start;
    double fraction; /* below 0: unknown */
    guint64 bytes;
    gboolean announced; /* in a pipe: the line at the beginning has been written */
} LiveStep;

typedef struct {
    char *image;
    char *name;
    char *remark;
    gint64 start, end;
} Finished;

/* Protected by the output lock. */
static GPtrArray *running;
static GArray *finished;
static gint64 last_draw;
static gboolean paused;

static char *format_duration(gint64 microseconds) {
    double seconds = microseconds / (double) G_USEC_PER_SEC;
    if (seconds < 60)
        return g_strdup_printf("%.1f s", seconds);
    return g_strdup_printf("%d min %02d s", (int) seconds / 60, (int) seconds % 60);
}

/* Appends TEXT without control characters, cut to COLUMNS characters. Returns the columns used. */
static unsigned append_cut(GString *line, const char *text, unsigned columns) {
    g_autofree char *valid = g_utf8_make_valid(text, -1);
    unsigned used = 0;
    for (const char *c = valid; *c && used < columns; c = g_utf8_next_char(c)) {
        gunichar character = g_utf8_get_char(c);
        if (g_unichar_iscntrl(character))
            continue;
        g_string_append_len(line, c, g_utf8_next_char(c) - c);
        used += g_unichar_iswide(character) ? 2 : 1;
    }
    return used;
}

static void append_live_line(GString *text, const LiveStep *step, gint64 now, unsigned columns) {
    g_autofree char *duration = format_duration(now - step->start);
    g_autoptr(GString) right = g_string_new(NULL);
    if (step->bytes > 0) {
        g_autofree char *size = text_format_size(step->bytes);
        g_string_append_printf(right, " %s", size);
    }
    if (step->fraction >= 0)
        g_string_append_printf(right, " %3d%%", (int) (CLAMP(step->fraction, 0, 1) * 100));
    g_string_append_printf(right, " %s", duration);

    static const char *const spin[] = {"⠋", "⠙", "⠸", "⠴", "⠦", "⠇"};
    g_string_append(text, ui_colour(UI_COLOUR_BLUE));
    g_string_append(text, ui_has_utf8() ? spin[(now / REDRAW_INTERVAL_US) % G_N_ELEMENTS(spin)] : "*");
    g_string_append_printf(text, "%s ", ui_colour(UI_COLOUR_RESET));

    /* The last column stays free: writing into it makes some terminals wrap. */
    unsigned left = columns - 3 > right->len ? columns - 3 - right->len : 0;
    if (step->image) {
        g_string_append(text, ui_colour(UI_COLOUR_DIM));
        left -= append_cut(text, step->image, left);
        left -= append_cut(text, ": ", left);
        g_string_append(text, ui_colour(UI_COLOUR_RESET));
    }
    left -= append_cut(text, step->name, left);
    if (step->detail && left > 1) {
        g_string_append_printf(text, "%s ", ui_colour(UI_COLOUR_DIM));
        append_cut(text, step->detail, left - 1);
        g_string_append(text, ui_colour(UI_COLOUR_RESET));
    }
    g_string_append_printf(text, "%s%s%s\n", ui_colour(UI_COLOUR_DIM), right->str, ui_colour(UI_COLOUR_RESET));
}

static void draw_live(void) {
    last_draw = g_get_monotonic_time();
    if (paused || !running)
        return;
    unsigned columns = ui_columns();
    g_autoptr(GString) text = g_string_new(NULL);
    for (guint i = 0; i < running->len; i++)
        append_live_line(text, running->pdata[i], last_draw, columns);
    ui_live_show(text->str, running->len);
}

static void announce_long_steps(void) {
    gint64 now = g_get_monotonic_time();
    for (guint i = 0; i < running->len; i++) {
        LiveStep *step = running->pdata[i];
        if (step->announced || now - step->start < ANNOUNCE_AFTER_US)
            continue;
        step->announced = TRUE;
        g_autofree char *line =
                g_strdup_printf("%s%s%s...\n", step->image ? step->image : "", step->image ? ": " : "", step->name);
        ui_write(line, strlen(line));
    }
}

/* Moves the clocks of the live lines; exists once the first step has begun. */
static gpointer tick(gpointer data) {
    for (;;) {
        g_usleep(ui_is_terminal() ? 2 * REDRAW_INTERVAL_US : G_USEC_PER_SEC / 4);
        ui_output_lock();
        if (running->len > 0) {
            if (!ui_is_terminal())
                announce_long_steps();
            else if (g_get_monotonic_time() - last_draw >= REDRAW_INTERVAL_US)
                draw_live();
        }
        ui_output_unlock();
    }
    return NULL;
}

static void free_live(gpointer data) {
    LiveStep *step = data;
    g_free(step->image);
    g_free(step->name);
    g_free(step->detail);
    g_free(step);
}

static void clear_finished(gpointer data) {
    Finished *entry = data;
    g_free(entry->image);
    g_free(entry->name);
    g_free(entry->remark);
}

static void start_once(void) {
    static gsize started;
    if (!g_once_init_enter(&started))
        return;
    running = g_ptr_array_new_with_free_func(free_live);
    finished = g_array_new(FALSE, TRUE, sizeof(Finished));
    g_array_set_clear_func(finished, clear_finished);
    ui_live_set_draw(draw_live);
    g_thread_unref(g_thread_new("ui", tick, NULL));
    g_once_init_leave(&started, 1);
}

/* The step that EVENT is about; NULL when it began before anybody looked. */
static LiveStep *find_live(const Event *event) {
    for (guint i = 0; running && i < running->len; i++) {
        LiveStep *step = running->pdata[i];
        if (step->id == event->step)
            return step;
    }
    return NULL;
}

static void begin(const Event *event) {
    start_once();
    LiveStep *step = g_new0(LiveStep, 1);
    step->id = event->step;
    step->name = g_strdup(event->text);
    step->image = g_strdup(event->image);
    step->start = event->time;
    step->fraction = -1;

    ui_output_lock();
    g_ptr_array_add(running, step);
    ui_live_redraw();
    ui_output_unlock();
}

/* Called with the lock held. */
static void redraw_if_due(void) {
    if (g_get_monotonic_time() - last_draw >= REDRAW_INTERVAL_US)
        ui_live_redraw();
}

static void update(const Event *event) {
    ui_output_lock();
    LiveStep *step = find_live(event);
    if (step && event->type == EVENT_STEP_UPDATE) {
        g_free(step->detail);
        step->detail = g_strdup(event->remark);
    } else if (step) {
        step->fraction = event->fraction;
        step->bytes = event->bytes;
    }
    redraw_if_due();
    ui_output_unlock();
}

static void print_finished(const LiveStep *step, gboolean success, const char *remark, gint64 end) {
    g_autofree char *duration = format_duration(end - step->start);
    const char *mark = success ? (ui_has_utf8() ? "✓" : "+") : (ui_has_utf8() ? "✗" : "x");
    g_autoptr(GString) line = g_string_new(NULL);

    if (ui_is_terminal())
        g_string_append_printf(line, "%s%s%s ", ui_colour(success ? UI_COLOUR_GREEN : UI_COLOUR_RED), mark,
                ui_colour(UI_COLOUR_RESET));
    if (step->image)
        g_string_append_printf(line, "%s%s:%s ", ui_colour(UI_COLOUR_DIM), step->image, ui_colour(UI_COLOUR_RESET));
    g_string_append(line, step->name);
    if (!success)
        g_string_append(line, ": failed");
    g_string_append_printf(line, " %s(%s%s%s)%s\n", ui_colour(UI_COLOUR_DIM), remark ? remark : "", remark ? ", " : "",
            duration, ui_colour(UI_COLOUR_RESET));
    ui_write(line->str, line->len);
}

static void end(const Event *event) {
    gboolean success = event->type == EVENT_STEP_DONE;

    ui_output_lock();
    LiveStep *step = find_live(event);
    if (step) {
        Finished entry = {
                .image = g_strdup(step->image),
                .name = g_strdup(step->name),
                .remark = g_strdup(success ? event->remark : "failed"),
                .start = step->start,
                .end = step->start + event->duration,
        };
        ui_live_erase();
        print_finished(step, success, event->remark, entry.end);
        g_ptr_array_remove(running, step);
        g_array_append_val(finished, entry);
        ui_live_redraw();
    }
    ui_output_unlock();
}

void ui_show_step(const Event *event) {
    switch (event->type) {
    case EVENT_STEP_BEGIN:
        begin(event);
        break;
    case EVENT_STEP_UPDATE:
    case EVENT_STEP_PROGRESS:
        update(event);
        break;
    case EVENT_STEP_DONE:
    case EVENT_STEP_ABANDONED:
        end(event);
        break;
    case EVENT_TERMINAL_TAKEN:
        ui_pause();
        break;
    case EVENT_TERMINAL_RETURNED:
        ui_resume();
        break;
    default:
        break;
    }
}

void ui_pause(void) {
    ui_output_lock();
    ui_live_erase();
    paused = TRUE;
    ui_output_unlock();
}

void ui_resume(void) {
    ui_output_lock();
    paused = FALSE;
    ui_live_redraw();
    ui_output_unlock();
}

static int compare_start(gconstpointer a, gconstpointer b) {
    const Finished *first = a, *second = b;
    return (first->start > second->start) - (first->start < second->start);
}

void ui_print_timing(void) {
    if (!ui_timing_enabled() || !finished)
        return;
    ui_output_lock();
    g_array_sort(finished, compare_start);
    g_autoptr(GString) table = g_string_new(NULL);
    gint64 origin = finished->len > 0 ? g_array_index(finished, Finished, 0).start : 0;
    g_string_append_printf(
            table, "%s%9s %9s  step%s\n", ui_colour(UI_COLOUR_BOLD), "start", "wall", ui_colour(UI_COLOUR_RESET));
    for (guint i = 0; i < finished->len; i++) {
        const Finished *entry = &g_array_index(finished, Finished, i);
        g_string_append_printf(table, "%7.2f s %7.2f s  %s%s%s%s%s%s\n", (entry->start - origin) / 1e6,
                (entry->end - entry->start) / 1e6, entry->image ? entry->image : "", entry->image ? ": " : "",
                entry->name, entry->remark ? " (" : "", entry->remark ? entry->remark : "", entry->remark ? ")" : "");
    }
    ui_live_erase();
    ui_write(table->str, table->len);
    ui_live_redraw();
    ui_output_unlock();
}
