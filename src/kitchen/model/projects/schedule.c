/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kitchen/model/projects/schedule.h"

#include <string.h>

#include "kitchen/model/database/model.h"

#define STEPS_MAX 16
#define UNITS_MAX 10000
#define MINUTE (60 * G_GINT64_CONSTANT(1000))

static gint64 unit_of(char letter) {
    switch (letter) {
    case 'm':
        return MINUTE;
    case 'h':
        return 60 * MINUTE;
    case 'd':
        return 24 * 60 * MINUTE;
    default:
        return 0;
    }
}

static gboolean read_step(const char *text, ScheduleStep *ret) {
    g_auto(GStrv) parts = g_strsplit(text, "@", -1);
    gsize length = g_strv_length(parts) == 2 ? strlen(parts[1]) : 0;
    gint64 unit = length > 1 ? unit_of(parts[1][length - 1]) : 0;
    guint64 percent = 0, number = 0;

    if (unit == 0)
        return FALSE;
    parts[1][length - 1] = '\0';
    if (!g_ascii_string_to_unsigned(parts[0], 10, 1, 100, &percent, NULL) ||
            !g_ascii_string_to_unsigned(parts[1], 10, 0, UNITS_MAX, &number, NULL))
        return FALSE;
    *ret = (ScheduleStep){(guint) percent, (gint64) number * unit};
    return TRUE;
}

static gboolean follows(const GArray *steps, const ScheduleStep *step) {
    const ScheduleStep *last = steps->len > 0 ? &g_array_index(steps, ScheduleStep, steps->len - 1) : NULL;

    return last ? step->percent > last->percent && step->after > last->after : step->after == 0;
}

GArray *schedule_parse(const char *text, GError **error) {
    g_autoptr(GArray) steps = g_array_new(FALSE, FALSE, sizeof(ScheduleStep));
    g_auto(GStrv) words = g_strsplit(text, ",", STEPS_MAX + 1);
    ScheduleStep step = {0};
    gboolean good = g_strv_length(words) <= STEPS_MAX;

    for (char **word = words; good && *word; word++) {
        good = read_step(*word, &step) && follows(steps, &step);
        if (good)
            g_array_append_val(steps, step);
    }
    if (good && step.percent == 100)
        return g_steal_pointer(&steps);
    g_set_error(error, MODEL_ERROR, MODEL_ERROR_INVALID,
            "\"%s\" is no schedule: write percentages and when they are reached, the first at once and the last for all, "
            "like 5@0h,25@24h,100@72h",
            text);
    return NULL;
}

guint schedule_percent(const GArray *steps, gint64 elapsed) {
    guint percent = g_array_index(steps, ScheduleStep, 0).percent;

    for (guint i = 1; i < steps->len && g_array_index(steps, ScheduleStep, i).after <= elapsed; i++)
        percent = g_array_index(steps, ScheduleStep, i).percent;
    return percent;
}

gint64 schedule_after(const GArray *steps, guint percent) {
    gint64 after = 0;

    for (guint i = 0; i < steps->len && g_array_index(steps, ScheduleStep, i).percent <= percent; i++)
        after = g_array_index(steps, ScheduleStep, i).after;
    return after;
}
