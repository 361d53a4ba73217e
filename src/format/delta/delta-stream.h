/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Frames of zstd as our initrds have them: with a check sum, cut into jobs of 4 MiB, so that the number of threads does not
 * matter. */

#include <gio/gio.h>

/* SIZE bytes that follow those before. FALSE ends the stream. */
typedef gboolean (*DeltaStreamSink)(gpointer data, const guint8 *bytes, gsize size, GError **error);

typedef struct DeltaStream DeltaStream;

/* LEVEL: of zstd. NULL: libzstd was built without threads. */
DeltaStream *delta_stream_new(guint level, GError **error);
void delta_stream_free(DeltaStream *stream);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(DeltaStream, delta_stream_free)

/* Adds SIZE bytes; what the frame becomes goes to SINK. LAST: the frame ends behind them. */
gboolean delta_stream_push(DeltaStream *stream, const guint8 *bytes, gsize size, gboolean last, DeltaStreamSink sink,
        gpointer data, GError **error) G_GNUC_WARN_UNUSED_RESULT;
