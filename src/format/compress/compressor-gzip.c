/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gzip by several threads: every piece of input is deflated for itself, with the end of the piece before it
 * as dictionary, and ends at a byte boundary, so that the results simply follow each other in one stream. */

#include "format/compress/compressor-method.h"

#include <string.h>
#include <zlib.h>

#include "base/work-pool.h"

#define DEFAULT_LEVEL 9
#define WINDOW (32u << 10) /* how far deflate looks back */
#define MEMORY_LEVEL 8

/* zlib's bound for a piece, the marker at its end included, is below that. */
#define MAX_RESULT (COMPRESSOR_PIECE + (COMPRESSOR_PIECE >> 8) + 1024)

typedef struct {
    WorkJob job;
    guint8 *input; /* the dictionary, then the piece */
    gsize dictionary_size;
    gsize size;
    gboolean last;
    guint8 *output; /* MAX_RESULT bytes */
    gsize output_size;
    guint32 crc;
    gboolean failed;
} Piece;

typedef struct {
    int level;
    WorkPool *pool;
    GQueue pieces; /* Piece, oldest first */
    guint max_pieces;
    guint8 window[WINDOW];
    gsize window_size;
    gboolean begun;
    guint32 crc;
    guint32 size; /* of the input, modulo 2^32 as in the trailer */
} GzipState;

static void piece_free(gpointer data) {
    Piece *piece = data;
    g_free(piece->input);
    g_free(piece->output);
    g_free(piece);
}

/* ---- in the threads ---- */

static gpointer deflater_new(gpointer data) {
    const GzipState *state = data;
    z_stream *stream = g_new0(z_stream, 1);

    if (deflateInit2(stream, state->level, Z_DEFLATED, -MAX_WBITS, MEMORY_LEVEL, Z_DEFAULT_STRATEGY) == Z_OK)
        return stream;
    g_free(stream);
    return NULL;
}

static void deflater_free(gpointer data) {
    if (data)
        deflateEnd(data);
    g_free(data);
}

static void deflate_piece(WorkJob *job, gpointer context) {
    Piece *piece = (Piece *) job;
    z_stream *stream = context;
    const guint8 *data = piece->input + piece->dictionary_size;

    piece->failed = TRUE;
    if (!stream || deflateReset(stream) != Z_OK ||
            (piece->dictionary_size > 0 &&
                    deflateSetDictionary(stream, piece->input, piece->dictionary_size) != Z_OK))
        return;
    piece->output = g_malloc(MAX_RESULT);
    stream->next_in = (guint8 *) data;
    stream->avail_in = piece->size;
    stream->next_out = piece->output;
    stream->avail_out = MAX_RESULT;
    int status = deflate(stream, piece->last ? Z_FINISH : Z_SYNC_FLUSH);
    piece->failed = status != (piece->last ? Z_STREAM_END : Z_OK) || stream->avail_in > 0 ||
                    (!piece->last && stream->avail_out == 0);
    piece->output_size = MAX_RESULT - stream->avail_out;
    piece->crc = crc32(crc32(0, NULL, 0), data, piece->size);
}

/* ---- in order ---- */

static void gzip_free(gpointer data) {
    GzipState *state = data;
    g_clear_pointer(&state->pool, work_pool_free);
    g_queue_clear_full(&state->pieces, piece_free);
    g_free(state);
}

static gpointer gzip_new(CompressorKind kind, int level, guint threads, GError **error) {
    GzipState *state = g_new0(GzipState, 1);

    state->level = level > 0 ? level : DEFAULT_LEVEL;
    state->pool = work_pool_new(threads, deflater_new, deflater_free, state);
    state->max_pieces = 2 * work_pool_get_threads(state->pool);
    state->crc = crc32(0, NULL, 0);
    g_queue_init(&state->pieces);
    return state;
}

static void submit(GzipState *state, const guint8 *data, gsize size, gboolean last) {
    Piece *piece = g_new0(Piece, 1);

    piece->job.run = deflate_piece;
    piece->dictionary_size = state->window_size;
    piece->size = size;
    piece->last = last;
    piece->input = g_malloc(state->window_size + size + 1);
    memcpy(piece->input, state->window, state->window_size);
    memcpy(piece->input + state->window_size, data, size);
    if (size >= WINDOW) {
        memcpy(state->window, data + size - WINDOW, WINDOW);
        state->window_size = WINDOW;
    }
    g_queue_push_tail(&state->pieces, piece);
    work_pool_submit(state->pool, &piece->job);
}

static gboolean write_oldest(GzipState *state, CompressorSink *sink, GError **error) {
    Piece *piece = g_queue_peek_head(&state->pieces);

    work_pool_wait(state->pool, &piece->job);
    if (piece->failed)
        return compressor_failed(&compressor_gzip, "the library refused the data", error);
    state->crc = crc32_combine(state->crc, piece->crc, piece->size);
    state->size += piece->size;
    if (!compressor_sink_write(sink, piece->output, piece->output_size, error))
        return FALSE;
    piece_free(g_queue_pop_head(&state->pieces));
    return TRUE;
}

/* No name, no time; operating system: Unix (RFC 1952, section 2.3). */
static gboolean write_header(GzipState *state, CompressorSink *sink, GError **error) {
    guint8 effort = state->level >= 9 ? 2 : state->level == 1 ? 4 : 0;
    const guint8 header[] = {0x1f, 0x8b, Z_DEFLATED, 0, 0, 0, 0, 0, effort, 3};

    return compressor_sink_write(sink, header, sizeof header, error);
}

static gboolean write_trailer(GzipState *state, CompressorSink *sink, GError **error) {
    const guint32 trailer[] = {GUINT32_TO_LE(state->crc), GUINT32_TO_LE(state->size)};
    return compressor_sink_write(sink, trailer, sizeof trailer, error);
}

static gboolean gzip_push(
        gpointer data, CompressorSink *sink, const guint8 *input, gsize size, gboolean end, GError **error) {
    GzipState *state = data;

    if (!state->begun && !write_header(state, sink, error))
        return FALSE;
    state->begun = TRUE;
    submit(state, input, size, end);
    while (g_queue_get_length(&state->pieces) >= (end ? 1 : state->max_pieces))
        if (!write_oldest(state, sink, error))
            return FALSE;
    return !end || write_trailer(state, sink, error);
}

const CompressorMethod compressor_gzip = {"gzip", 9, gzip_new, gzip_push, gzip_free};
