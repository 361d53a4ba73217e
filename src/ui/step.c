/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "ui/step.h"
#include "ui/log.h"
#include "ui/redact.h"
#include "ui/terminal.h"

#include <string.h>

#define REDRAW_INTERVAL_US (80 * 1000)
#define ANNOUNCE_AFTER_US (2 * G_USEC_PER_SEC)

struct UiStep {
    char *image;
    char *name;
    char *detail;
    gint64 start;
    double fraction; /* below 0: unknown */
    guint64 bytes;
    gboolean announced; /* in a pipe: the line at the beginning has been written */
};

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

char *ui_format_size(guint64 bytes) {
    static const char *const units[] = {"kB", "MB", "GB", "TB", "PB", "EB"};
    if (bytes < 1000)
        return g_strdup_printf("%u B", (unsigned) bytes);
    double value = bytes / 1000.0;
    unsigned unit = 0;
    /* 999.95 would be printed as 1000.0. */
    while (value >= 999.95 && unit + 1 < G_N_ELEMENTS(units)) {
        value /= 1000;
        unit++;
    }
    return g_strdup_printf("%.1f %s", value, units[unit]);
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

static void append_live_line(GString *text, const UiStep *step, gint64 now, unsigned columns) {
    g_autofree char *duration = format_duration(now - step->start);
    g_autoptr(GString) right = g_string_new(NULL);
    if (step->bytes > 0) {
        g_autofree char *size = ui_format_size(step->bytes);
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
    g_string_append_printf(
            text, "%s%s%s\n", ui_colour(UI_COLOUR_DIM), right->str, ui_colour(UI_COLOUR_RESET));
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
        UiStep *step = running->pdata[i];
        if (step->announced || now - step->start < ANNOUNCE_AFTER_US)
            continue;
        step->announced = TRUE;
        g_autofree char *line = g_strdup_printf(
                "%s%s%s...\n", step->image ? step->image : "", step->image ? ": " : "", step->name);
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
    running = g_ptr_array_new();
    finished = g_array_new(FALSE, TRUE, sizeof(Finished));
    g_array_set_clear_func(finished, clear_finished);
    ui_live_set_draw(draw_live);
    g_thread_unref(g_thread_new("ui", tick, NULL));
    g_once_init_leave(&started, 1);
}

UiStep *ui_step_begin(const char *image, const char *format, ...) {
    start_once();
    UiStep *step = g_new0(UiStep, 1);
    va_list arguments;
    va_start(arguments, format);
    step->name = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    step->image = g_strdup(image);
    step->start = g_get_monotonic_time();
    step->fraction = -1;

    ui_output_lock();
    g_ptr_array_add(running, step);
    ui_live_redraw();
    ui_output_unlock();
    return step;
}

/* Called with the lock held. */
static void redraw_if_due(void) {
    if (g_get_monotonic_time() - last_draw >= REDRAW_INTERVAL_US)
        ui_live_redraw();
}

void ui_step_update(UiStep *step, const char *format, ...) {
    if (!step)
        return;
    va_list arguments;
    va_start(arguments, format);
    g_autofree char *whole = g_strdup_vprintf(format, arguments);
    g_autofree char *detail = redact_text(whole);
    va_end(arguments);

    ui_output_lock();
    g_free(step->detail);
    step->detail = g_steal_pointer(&detail);
    redraw_if_due();
    ui_output_unlock();
}

void ui_step_progress(UiStep *step, double fraction, guint64 bytes) {
    if (!step)
        return;
    ui_output_lock();
    step->fraction = fraction;
    step->bytes = bytes;
    redraw_if_due();
    ui_output_unlock();
}

static void print_finished(const UiStep *step, gboolean success, const char *remark, gint64 end) {
    g_autofree char *duration = format_duration(end - step->start);
    const char *mark = success ? (ui_has_utf8() ? "✓" : "+") : (ui_has_utf8() ? "✗" : "x");
    g_autoptr(GString) line = g_string_new(NULL);

    if (ui_is_terminal())
        g_string_append_printf(line, "%s%s%s ", ui_colour(success ? UI_COLOUR_GREEN : UI_COLOUR_RED), mark,
                ui_colour(UI_COLOUR_RESET));
    if (step->image)
        g_string_append_printf(
                line, "%s%s:%s ", ui_colour(UI_COLOUR_DIM), step->image, ui_colour(UI_COLOUR_RESET));
    g_string_append(line, step->name);
    if (!success)
        g_string_append(line, ": failed");
    g_string_append_printf(line, " %s(%s%s%s)%s\n", ui_colour(UI_COLOUR_DIM), remark ? remark : "",
            remark ? ", " : "", duration, ui_colour(UI_COLOUR_RESET));
    ui_write(line->str, line->len);
}

/* Ends STEP and frees it. Takes ownership of REMARK. */
static void end_step(UiStep *step, gboolean success, char *remark) {
    gint64 end = g_get_monotonic_time();
    Finished entry = {
            .image = g_strdup(step->image),
            .name = g_strdup(step->name),
            .remark = success ? remark : g_strdup("failed"),
            .start = step->start,
            .end = end,
    };

    ui_output_lock();
    g_ptr_array_remove(running, step);
    ui_live_erase();
    print_finished(step, success, remark, end);
    g_array_append_val(finished, entry);
    ui_live_redraw();
    ui_output_unlock();

    g_free(step->image);
    g_free(step->name);
    g_free(step->detail);
    g_free(step);
}

void ui_step_done(UiStep *step, const char *format, ...) {
    if (!step)
        return;
    char *remark = NULL;
    if (format) {
        va_list arguments;
        va_start(arguments, format);
        remark = g_strdup_vprintf(format, arguments);
        va_end(arguments);
    }
    end_step(step, TRUE, remark);
}

void ui_step_abandon(UiStep *step) {
    if (step)
        end_step(step, FALSE, NULL);
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
    g_string_append_printf(table, "%s%9s %9s  step%s\n", ui_colour(UI_COLOUR_BOLD), "start", "wall",
            ui_colour(UI_COLOUR_RESET));
    for (guint i = 0; i < finished->len; i++) {
        const Finished *entry = &g_array_index(finished, Finished, i);
        g_string_append_printf(table, "%7.2f s %7.2f s  %s%s%s%s%s%s\n", (entry->start - origin) / 1e6,
                (entry->end - entry->start) / 1e6, entry->image ? entry->image : "",
                entry->image ? ": " : "", entry->name, entry->remark ? " (" : "",
                entry->remark ? entry->remark : "", entry->remark ? ")" : "");
    }
    ui_live_erase();
    ui_write(table->str, table->len);
    ui_live_redraw();
    ui_output_unlock();
}
