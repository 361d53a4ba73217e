/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "format/delta/delta-apply.h"

#include <string.h>

#include "base/work-pool.h"
#include "format/delta/delta-stream.h"
#include "format/delta/delta-unit.h"
#include "format/erofs/writer/erofs-compress.h"

/* Units under way, and what they take together, unless one takes more. */
#define UNITS_MAX 8
#define UNDER_WAY_MAX (G_GUINT64_CONSTANT(24) << 20)
#define LEVELS 23

typedef struct {
    guint8 *bytes; /* its content; NULL: not begun, or done */
    guint64 filled;
    gboolean wanted, failed;
} State;

typedef struct {
    const Delta *delta;
    State *states; /* one for each piece */
    guint64 pending;
    ErofsCompressor *compressors[LEVELS];
    guint8 *room;
    DeltaStream *stream;
    const DeltaPiece *piece; /* that the stream is of; NULL: there is none */
    guint64 written;         /* of it */
    DeltaPut put;
    gpointer data;
    DeltaReport *report;
} Apply;

static State *state_of(const Apply *apply, const DeltaPiece *piece) {
    return &apply->states[piece - (const DeltaPiece *) apply->delta->pieces->data];
}

/* ---- pieces ---- */


/* What the cluster of BYTES is on disk; NULL: it has another length. */
static const guint8 *make_cluster(Apply *apply, const DeltaPiece *piece, const guint8 *bytes) {
    ErofsCompressor **compressor = &apply->compressors[piece->level];

    if (!*compressor)
        *compressor = erofs_compressor_new(EROFS_COMPRESSION_ZSTD, (int) piece->level, EROFS_CLUSTER_SIZE_MAX);
    ErofsCluster cluster = erofs_compress_cluster(*compressor, bytes, piece->content, apply->room);
    return !cluster.raw && (guint64) cluster.physical * EROFS_BLOCK_SIZE == piece->stored ? apply->room : NULL;
}

static gboolean finish_piece(Apply *apply, const DeltaPiece *piece, State *state, GError **error) {
    g_autofree guint8 *bytes = g_steal_pointer(&state->bytes);
    const guint8 *result = bytes;

    state->wanted = FALSE;
    apply->pending -= MAX(piece->content, piece->stored);
    if (piece->kind == DELTA_PIECE_CLUSTER)
        result = make_cluster(apply, piece, bytes);
    if (!result) {
        apply->report->failed++;
        return TRUE;
    }
    apply->report->pieces++;
    return apply->put(apply->data, piece, 0, result, piece->stored, error);
}

static gboolean fill_piece(
        Apply *apply, const DeltaPiece *piece, guint64 at, const guint8 *bytes, gsize size, GError **error) {
    State *state = state_of(apply, piece);

    if (!state->bytes) {
        gsize room = MAX(piece->content, piece->stored);
        apply->pending += room;
        if (apply->pending > DELTA_PENDING_MAX) {
            g_set_error_literal(error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA, "the delta wants too much memory");
            apply->pending -= room;
            return FALSE;
        }
        state->bytes = g_malloc0(room);
    }
    memcpy(state->bytes + at, bytes, size);
    state->filled += size;
    return state->filled < piece->filled || finish_piece(apply, piece, state, error);
}

/* ---- streams ---- */

/* A stream that becomes longer than it is to be is given up. */
static gboolean on_stream(gpointer data, const guint8 *bytes, gsize size, GError **error) {
    Apply *apply = data;
    const DeltaPiece *piece = apply->piece;
    guint64 at = apply->written;
    State *state = state_of(apply, piece);

    state->failed = state->failed || size > piece->stored - at;
    if (state->failed)
        return TRUE;
    apply->written += size;
    return apply->put(apply->data, piece, at, bytes, size, error);
}

static gboolean begin_stream(Apply *apply, const DeltaPiece *piece, GError **error) {
    delta_stream_free(apply->stream);
    apply->stream = delta_stream_new(piece->level, error);
    apply->piece = piece;
    apply->written = 0;
    return apply->stream != NULL;
}

static gboolean fill_stream(
        Apply *apply, const DeltaPiece *piece, guint64 at, const guint8 *bytes, gsize size, GError **error) {
    State *state = state_of(apply, piece);

    if (at == 0 && state->filled == 0 && !begin_stream(apply, piece, error))
        return FALSE;
    if (apply->piece != piece || at != state->filled) {
        g_set_error_literal(error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA, "the delta fills a stream out of order");
        return FALSE;
    }
    state->filled += size;
    gboolean last = state->filled == piece->content;
    if (!delta_stream_push(apply->stream, bytes, size, last, on_stream, apply, error))
        return FALSE;
    if (!last)
        return TRUE;
    gboolean good = !state->failed && apply->written == piece->stored;
    apply->report->failed += !good;
    apply->report->pieces += good;
    apply->piece = NULL;
    state->wanted = FALSE;
    return TRUE;
}

/* ---- units ---- */

static gboolean place_segment(Apply *apply, const DeltaSegment *segment, const guint8 *bytes, GError **error) {
    guint64 to = segment->to, left = segment->length;

    while (left > 0) {
        const DeltaPiece *piece = delta_find_piece(apply->delta, to);
        guint64 at = to - piece->start, n = MIN(left, piece->content - at);
        gboolean wanted = state_of(apply, piece)->wanted;
        if (wanted && !(piece->kind == DELTA_PIECE_STREAM ? fill_stream : fill_piece)(apply, piece, at, bytes, n, error))
            return FALSE;
        to += n;
        bytes += n;
        left -= n;
    }
    return TRUE;
}

static gboolean place_member(Apply *apply, const DeltaMember *member, GBytes *bytes, GError **error) {
    gsize size = 0;
    const guint8 *data = bytes ? g_bytes_get_data(bytes, &size) : NULL;

    for (guint i = 0; data && i < member->n_segments; i++) {
        const DeltaSegment *segment = &g_array_index(apply->delta->segments, DeltaSegment, member->first_segment + i);
        if (!place_segment(apply, segment, data + segment->from, error))
            return FALSE;
    }
    return TRUE;
}

typedef struct {
    WorkJob work;
    const DeltaUnit *unit;
    GPtrArray *members;
    GError *error;
} Job;

static void run_unit(WorkJob *work, gpointer context) {
    Job *job = (Job *) work;

    job->members = delta_unpack(context, job->unit, &job->error);
}

static guint64 weight(const DeltaUnit *unit) {
    return unit->length + unit->references;
}

static gboolean is_needed(const Apply *apply, const DeltaUnit *unit) {
    for (guint i = 0; i < unit->n_members; i++) {
        const DeltaMember *member = &g_array_index(apply->delta->members, DeltaMember, unit->first_member + i);
        for (guint j = 0; j < member->n_segments; j++) {
            const DeltaSegment *segment = &g_array_index(apply->delta->segments, DeltaSegment, member->first_segment + j);
            for (guint64 at = segment->to; at < segment->to + segment->length;) {
                const DeltaPiece *piece = delta_find_piece(apply->delta, at);
                if (state_of(apply, piece)->wanted)
                    return TRUE;
                at = piece->start + piece->content;
            }
        }
    }
    return FALSE;
}

/* Waits for the oldest job, and places what came of it, if PLACE. */
static gboolean finish_job(
        Apply *apply, WorkPool *pool, GQueue *jobs, guint64 *under_way, gboolean place, GError **error) {
    g_autofree Job *job = g_queue_pop_head(jobs);
    gboolean ok = place;

    work_pool_wait(pool, &job->work);
    *under_way -= weight(job->unit);
    if (!job->members) {
        g_propagate_error(error, job->error);
        return FALSE;
    }
    for (guint i = 0; ok && i < job->unit->n_members; i++)
        ok = place_member(apply, &g_array_index(apply->delta->members, DeltaMember, job->unit->first_member + i),
                job->members->pdata[i], error);
    g_ptr_array_unref(job->members);
    return ok;
}

static gboolean run_units(Apply *apply, WorkPool *pool, GError **error) {
    g_auto(GQueue) jobs = G_QUEUE_INIT;
    guint64 under_way = 0;
    gboolean ok = TRUE;

    for (guint i = 0; ok && i < apply->delta->units->len; i++) {
        const DeltaUnit *unit = &g_array_index(apply->delta->units, DeltaUnit, i);
        if (!is_needed(apply, unit))
            continue;
        while (ok && jobs.length > 0 &&
                (jobs.length >= UNITS_MAX || under_way + weight(unit) > UNDER_WAY_MAX))
            ok = finish_job(apply, pool, &jobs, &under_way, TRUE, error);
        if (!ok)
            break;
        Job *job = g_new0(Job, 1);
        job->work.run = run_unit;
        job->unit = unit;
        under_way += weight(unit);
        g_queue_push_tail(&jobs, job);
        work_pool_submit(pool, &job->work);
    }
    while (jobs.length > 0) {
        gboolean placed = finish_job(apply, pool, &jobs, &under_way, ok, ok ? error : NULL);
        ok = ok && placed;
    }
    return ok;
}

typedef struct {
    const Delta *delta;
    int fd;
    const DeltaSources *sources;
} Context;

static gpointer context_new(gpointer data) {
    const Context *context = data;

    return delta_unpacker_new(context->delta, context->fd, context->sources);
}

static void context_free(gpointer unpacker) {
    delta_unpacker_free(unpacker);
}

gboolean delta_apply(const Delta *delta, int fd, const DeltaSources *sources, guint threads, DeltaWants wants, DeltaPut put,
        gpointer data, DeltaReport *ret, GError **error) {
    Context context = {delta, fd, sources};
    g_autofree State *states = g_new0(State, MAX(delta->pieces->len, 1));
    g_autofree guint8 *room = g_malloc(EROFS_CLUSTER_SIZE_MAX);
    g_autoptr(WorkPool) pool = work_pool_new(threads, context_new, context_free, &context);
    Apply apply = {.delta = delta, .states = states, .room = room, .put = put, .data = data, .report = ret};

    *ret = (DeltaReport){0};
    for (guint i = 0; i < delta->pieces->len; i++)
        states[i].wanted = wants(data, &g_array_index(delta->pieces, DeltaPiece, i));
    gboolean ok = run_units(&apply, pool, error);
    for (guint i = 0; i < delta->pieces->len; i++)
        g_free(states[i].bytes);
    for (guint i = 0; i < LEVELS; i++)
        if (apply.compressors[i])
            erofs_compressor_free(apply.compressors[i]);
    delta_stream_free(apply.stream);
    return ok;
}
