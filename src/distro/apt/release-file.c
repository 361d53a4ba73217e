/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "distro/apt/release-file.h"

#include <stdio.h>
#include <string.h>

void release_file_clear(ReleaseFile *release) {
    g_free(release->origin);
    g_free(release->suite);
    g_free(release->valid_until_text);
}

/* Names of months do not depend on the locale. */
static int month_number(const char *name) {
    static const char *const months[] = {
            "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

    for (gsize i = 0; i < G_N_ELEMENTS(months); i++)
        if (g_ascii_strcasecmp(name, months[i]) == 0)
            return i + 1;
    return 0;
}

gint64 release_file_parse_date(const char *text) {
    char month[4] = "", zone[8] = "";
    int day, year, hour, minute, second;
    const char *comma = strchr(text, ',');

    if (sscanf(comma ? comma + 1 : text, " %2d %3s %4d %2d:%2d:%2d %7s", &day, month, &year, &hour, &minute,
                &second, zone) != 7 ||
            (!g_str_equal(zone, "UTC") && !g_str_equal(zone, "GMT") && !g_str_equal(zone, "+0000")) ||
            year < 1970 || second < 0 || second > 59)
        return -1;
    g_autoptr(GDateTime) date = g_date_time_new_utc(year, month_number(month), day, hour, minute, second);
    return date ? g_date_time_to_unix(date) : -1;
}

void release_file_parse(const char *text, ReleaseFile *ret) {
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);

    *ret = (ReleaseFile){.date = -1, .valid_until = -1};
    for (char **line = lines; *line; line++) {
        char *colon = strchr(*line, ':');
        if (!colon || **line == ' ')
            continue;
        *colon = '\0';
        const char *value = g_strstrip(colon + 1);
        if (g_ascii_strcasecmp(*line, "Origin") == 0 && !ret->origin)
            ret->origin = g_strdup(value);
        else if (g_ascii_strcasecmp(*line, "Suite") == 0 && !ret->suite)
            ret->suite = g_strdup(value);
        else if (g_ascii_strcasecmp(*line, "Date") == 0)
            ret->date = release_file_parse_date(value);
        else if (g_ascii_strcasecmp(*line, "Valid-Until") == 0 && !ret->valid_until_text) {
            ret->valid_until_text = g_strdup(value);
            ret->valid_until = release_file_parse_date(value);
        }
    }
}
