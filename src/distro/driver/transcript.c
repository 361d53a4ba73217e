/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "distro/driver/transcript.h"

#include "events/printable.h"

/* A script may talk for hours before it fails. */
#define RECENT_LINES 20
#define REASON_LINES 60

void transcript_init(Transcript *transcript) {
    g_queue_init(&transcript->recent);
    transcript->reason = g_string_new(NULL);
    transcript->reason_lines = 0;
}

void transcript_clear(Transcript *transcript) {
    transcript_forget(transcript);
    g_string_free(transcript->reason, TRUE);
}

void transcript_remember(Transcript *transcript, const char *line, guint fixed) {
    g_queue_push_tail(&transcript->recent, g_strdup(line));
    if (transcript->recent.length > RECENT_LINES)
        g_free(g_queue_pop_nth(&transcript->recent, fixed));
}

void transcript_forget(Transcript *transcript) {
    g_queue_clear_full(&transcript->recent, g_free);
}

void transcript_add_reason(Transcript *transcript, const char *line) {
    if (transcript->reason_lines++ >= REASON_LINES)
        return;
    g_autofree char *shown = printable_line(line);
    g_string_append_printf(transcript->reason, "%s  %s", transcript->reason->len > 0 ? "\n" : "", shown);
}

void transcript_add_recent(Transcript *transcript) {
    char *line;

    while ((line = g_queue_pop_head(&transcript->recent))) {
        transcript_add_reason(transcript, line);
        g_free(line);
    }
}
