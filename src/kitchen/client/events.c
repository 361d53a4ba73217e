/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "events.h"

#include <string.h>

#define EVENT_MAX (4 * 1024 * 1024)

struct EventReader {
    EventSink sink;
    gpointer user;
    GString *line, *data;
    char *name, *id;
    gboolean over;
};

EventReader *event_reader_new(EventSink sink, gpointer user) {
    EventReader *reader = g_new0(EventReader, 1);

    reader->sink = sink;
    reader->user = user;
    reader->line = g_string_new(NULL);
    reader->data = g_string_new(NULL);
    reader->id = g_strdup("");
    return reader;
}

void event_reader_free(EventReader *reader) {
    if (!reader)
        return;
    g_string_free(reader->line, TRUE);
    g_string_free(reader->data, TRUE);
    g_free(reader->name);
    g_free(reader->id);
    g_free(reader);
}

const char *event_reader_last_id(const EventReader *reader) {
    return reader->id;
}

/* An empty line: the event is complete. */
static void dispatch(EventReader *reader) {
    if (reader->data->len > 0) {
        g_string_truncate(reader->data, reader->data->len - 1);
        reader->over = !reader->sink(reader->user, reader->name ?: "message", reader->data->str);
    }
    g_string_truncate(reader->data, 0);
    g_clear_pointer(&reader->name, g_free);
}

static void take_line(EventReader *reader) {
    const char *line = reader->line->str;
    const char *colon = strchr(line, ':');
    gsize length = colon ? (gsize) (colon - line) : strlen(line);
    const char *value = colon ? colon + 1 + (colon[1] == ' ') : "";

    if (!line[0])
        dispatch(reader);
    else if (length == 4 && strncmp(line, "data", 4) == 0) {
        g_string_append(reader->data, value);
        g_string_append_c(reader->data, '\n');
    } else if (length == 5 && strncmp(line, "event", 5) == 0) {
        g_free(reader->name);
        reader->name = g_strdup(value);
    } else if (length == 2 && strncmp(line, "id", 2) == 0) {
        g_free(reader->id);
        reader->id = g_strdup(value);
    }
    g_string_truncate(reader->line, 0);
}

gboolean event_reader_feed(EventReader *reader, const char *data, gsize size) {
    for (gsize i = 0; i < size && !reader->over; i++) {
        if (data[i] == '\n')
            take_line(reader);
        else if (data[i] && data[i] != '\r')
            g_string_append_c(reader->line, data[i]);
        if (reader->line->len + reader->data->len > EVENT_MAX)
            return FALSE;
    }
    return !reader->over;
}
