/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Reads server-sent events as they come. */

#include <glib.h>

/* NAME is "message" unless the event says something else; DATA: its lines. FALSE: nothing more is wanted. */
typedef gboolean (*EventSink)(gpointer user, const char *name, const char *data);

typedef struct EventReader EventReader;

EventReader *event_reader_new(EventSink sink, gpointer user);
void event_reader_free(EventReader *reader);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(EventReader, event_reader_free)

/* The next SIZE bytes. FALSE: the sink wants nothing more, or an event is larger than anybody sends. */
gboolean event_reader_feed(EventReader *reader, const char *data, gsize size) G_GNUC_WARN_UNUSED_RESULT;

/* The identifier of the last event, "" when there was none. Borrowed. */
const char *event_reader_last_id(const EventReader *reader);
