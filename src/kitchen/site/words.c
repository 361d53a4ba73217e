/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "words.h"

char *words_duration(gint64 milliseconds) {
    gint64 seconds = MAX(milliseconds, 0) / 1000;

    if (seconds < 60)
        return g_strdup_printf("%" G_GINT64_FORMAT " s", seconds);
    if (seconds < 3600)
        return g_strdup_printf("%" G_GINT64_FORMAT " min %" G_GINT64_FORMAT " s", seconds / 60, seconds % 60);
    if (seconds < 172800)
        return g_strdup_printf("%" G_GINT64_FORMAT " h %" G_GINT64_FORMAT " min", seconds / 3600, seconds / 60 % 60);
    return g_strdup_printf("%" G_GINT64_FORMAT " days", seconds / 86400);
}

char *words_ago(gint64 time, gint64 now) {
    g_autofree char *duration = NULL;
    gint64 seconds = (now - time) / 1000;

    if (time == 0)
        return g_strdup("-");
    if (seconds < 5 && seconds > -60)
        return g_strdup("just now");
    if (seconds < 0)
        seconds = -seconds;
    /* One unit says enough. */
    if (seconds < 60)
        duration = g_strdup_printf("%" G_GINT64_FORMAT " s", seconds);
    else if (seconds < 3600)
        duration = g_strdup_printf("%" G_GINT64_FORMAT " min", seconds / 60);
    else if (seconds < 172800)
        duration = g_strdup_printf("%" G_GINT64_FORMAT " h", seconds / 3600);
    else
        duration = g_strdup_printf("%" G_GINT64_FORMAT " days", seconds / 86400);
    return time > now ? g_strdup_printf("in %s", duration) : g_strdup_printf("%s ago", duration);
}

char *words_size(gint64 bytes) {
    return g_format_size((guint64) MAX(bytes, 0));
}

char *words_time(gint64 time) {
    g_autoptr(GDateTime) date = g_date_time_new_from_unix_utc(time / 1000);

    return date ? g_date_time_format(date, "%Y-%m-%dT%H:%M:%SZ") : g_strdup("");
}

char *words_commit(const char *commit) {
    return g_strndup(commit ?: "", 12);
}

const char *words_tone(const char *state) {
    static const char *const good[] = {"published", "done", "good", NULL};
    static const char *const bad[] = {"failed", "lost", "refused", "halted", "withdrawn", NULL};
    static const char *const busy[] = {"running", "checking", "publishing", "submitted", "claimed", "uploaded", NULL};

    return !state                         ? "idle"
           : g_strv_contains(good, state) ? "good"
           : g_strv_contains(bad, state)  ? "bad"
           : g_strv_contains(busy, state) ? "busy"
                                          : "idle";
}
