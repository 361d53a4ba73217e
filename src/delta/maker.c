/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "delta/maker.h"

#include <string.h>

#include "base/io.h"
#include "base/work-pool.h"
#include "format/delta/delta-unit.h"

/* A unit ends when it has so much. */
#define UNIT_CONTENT (4u << 20)
#define UNIT_REFERENCES (8u << 20)

static void member_free(gpointer data) {
    MakerMember *member = data;

    g_array_unref(member->places);
    g_free(member);
}

Maker *maker_new(DeltaKind kind, const DeltaOptions *options) {
    Maker *maker = g_new0(Maker, 1);

    maker->options = *options;
    if (maker->options.level == 0)
        maker->options.level = DELTA_LEVEL_DEFAULT;
    maker->delta = delta_new(kind);
    maker->members = g_ptr_array_new_with_free_func(member_free);
    return maker;
}

void maker_free(Maker *maker) {
    if (!maker)
        return;
    g_clear_pointer(&maker->old.old_image, erofs_image_free);
    g_clear_pointer(&maker->old.new_image, erofs_image_free);
    g_clear_pointer(&maker->target.old_image, erofs_image_free);
    g_ptr_array_unref(maker->members);
    delta_free(maker->delta);
    g_free(maker);
}

guint maker_add_piece(Maker *maker, const DeltaPiece *piece) {
    g_array_append_val(maker->delta->pieces, *piece);
    return maker->delta->pieces->len - 1;
}

MakerMember *maker_add_member(Maker *maker, const DeltaReference *content, const DeltaReference *reference) {
    MakerMember *member = g_new0(MakerMember, 1);

    member->content = *content;
    if (reference)
        member->reference = *reference;
    member->places = g_array_new(FALSE, FALSE, sizeof(MakerPlace));
    g_ptr_array_add(maker->members, member);
    return member;
}

void maker_place(Maker *maker, MakerMember *member, guint64 from, guint piece, guint64 at, guint64 length) {
    MakerPlace place = {from, piece, at, length};

    g_array_append_val(member->places, place);
    g_array_index(maker->delta->pieces, DeltaPiece, piece).filled += length;
}

/* ---- pieces in their order ---- */

static int by_offset(gconstpointer a, gconstpointer b, gpointer data) {
    const DeltaPiece *pieces = data;
    guint64 x = pieces[*(const guint *) a].offset, y = pieces[*(const guint *) b].offset;

    return x < y ? -1 : x > y;
}

/* Pieces that nothing goes to are dropped; the others are sorted. Where each one's content starts; owned by the caller. */
static guint64 *sort_pieces(Maker *maker) {
    Delta *delta = maker->delta;
    guint n = delta->pieces->len;
    g_autoptr(GArray) order = g_array_new(FALSE, FALSE, sizeof(guint));
    guint64 *starts = g_new0(guint64, MAX(n, 1));
    GArray *sorted = g_array_new(FALSE, FALSE, sizeof(DeltaPiece));

    for (guint i = 0; i < n; i++)
        g_array_append_val(order, i);
    g_array_sort_with_data(order, by_offset, delta->pieces->data);
    for (guint i = 0; i < n; i++) {
        guint number = g_array_index(order, guint, i);
        DeltaPiece piece = g_array_index(delta->pieces, DeltaPiece, number);
        if (piece.filled == 0)
            continue;
        piece.start = starts[number] = delta->content;
        delta->content += piece.content;
        g_array_append_val(sorted, piece);
    }
    g_array_unref(delta->pieces);
    delta->pieces = sorted;
    return starts;
}

/* ---- units ---- */

static void add_member(Maker *maker, const MakerMember *from, const guint64 *starts) {
    Delta *delta = maker->delta;
    DeltaMember member = {.length = from->content.length,
            .is_xz = from->is_xz,
            .xz = from->xz,
            .first_segment = delta->segments->len,
            .n_segments = from->places->len};

    for (guint i = 0; i < from->places->len; i++) {
        const MakerPlace *place = &g_array_index(from->places, MakerPlace, i);
        DeltaSegment segment = {place->from, starts[place->piece] + place->at, place->length};
        g_array_append_val(delta->segments, segment);
    }
    g_array_append_val(delta->members, member);
}

/* Where the members of a unit begin and end among those of the maker. */
typedef struct {
    WorkJob work;
    const Maker *maker;
    guint unit, first, n;
    GBytes *frame;
    GError *error;
} Job;

/* Members from FIRST on make a unit, as many as go into one. */
static guint take_unit(Maker *maker, guint first, const guint64 *starts) {
    Delta *delta = maker->delta;
    DeltaUnit unit = {.first_reference = delta->references->len, .first_member = delta->members->len};
    guint i = first;

    for (; i < maker->members->len; i++) {
        const MakerMember *member = maker->members->pdata[i];
        guint64 length = unit.length + member->content.length;
        guint64 references = unit.references + member->reference.length;
        if (i > first && (length > UNIT_CONTENT || references > UNIT_REFERENCES))
            break;
        unit.length = length;
        unit.references = references;
        if (member->reference.length > 0) {
            g_array_append_val(delta->references, member->reference);
            unit.n_references++;
        }
        add_member(maker, member, starts);
        unit.n_members++;
    }
    g_array_append_val(delta->units, unit);
    return i;
}

typedef struct {
    DeltaReader *old, *target;
} Context;

static gpointer context_new(gpointer data) {
    const Maker *maker = data;
    Context *context = g_new(Context, 1);

    *context = (Context){delta_reader_new(&maker->old), delta_reader_new(&maker->target)};
    return context;
}

static void context_free(gpointer data) {
    Context *context = data;

    delta_reader_free(context->old);
    delta_reader_free(context->target);
    g_free(context);
}

static void run_job(WorkJob *work, gpointer data) {
    Job *job = (Job *) work;
    Context *context = data;
    const Delta *delta = job->maker->delta;
    const DeltaUnit *unit = &g_array_index(delta->units, DeltaUnit, job->unit);
    g_autofree guint8 *references = delta_reader_get_all(context->old, delta, unit, &job->error);
    g_autofree guint8 *content = g_malloc(MAX(unit->length, 1));
    guint64 at = 0;

    for (guint i = 0; references && i < job->n; i++) {
        const MakerMember *member = job->maker->members->pdata[job->first + i];
        if (!delta_reader_get(context->target, &member->content, content + at, &job->error))
            return;
        at += member->content.length;
    }
    if (references)
        job->frame = delta_pack(
                references, unit->references, content, unit->length, job->maker->options.level, &job->error);
}

static void free_frame(gpointer frame) {
    if (frame)
        g_bytes_unref(frame);
}

/* Packs UNITS (of Job), as many at a time as there are threads. */
static GPtrArray *pack(Maker *maker, GArray *jobs, GError **error) {
    g_autoptr(GPtrArray) frames = g_ptr_array_new_with_free_func(free_frame);
    g_autoptr(WorkPool) pool = work_pool_new(maker->options.threads, context_new, context_free, maker);
    gboolean ok = TRUE;

    for (guint i = 0; i < jobs->len; i++)
        work_pool_submit(pool, &g_array_index(jobs, Job, i).work);
    for (guint i = 0; i < jobs->len; i++) {
        Job *job = &g_array_index(jobs, Job, i);
        work_pool_wait(pool, &job->work);
        if (job->frame)
            g_array_index(maker->delta->units, DeltaUnit, i).packed = g_bytes_get_size(job->frame);
        if (job->error && ok)
            g_propagate_error(error, g_steal_pointer(&job->error));
        ok = ok && job->frame != NULL;
        g_clear_error(&job->error);
        g_ptr_array_add(frames, job->frame);
    }
    return ok ? g_steal_pointer(&frames) : NULL;
}

static gboolean write_bytes(int out, GBytes *bytes, guint64 *at, GError **error) {
    gsize size = 0;
    const void *data = g_bytes_get_data(bytes, &size);

    *at += size;
    return pwrite_all(out, data, size, *at - size, error);
}

gboolean maker_write(Maker *maker, int out, DeltaSummary *ret, GError **error) {
    g_autofree guint64 *starts = sort_pieces(maker);
    g_autoptr(GArray) jobs = g_array_new(FALSE, TRUE, sizeof(Job));
    guint64 at = 0;

    for (guint first = 0; first < maker->members->len;) {
        Job job = {.work = {.run = run_job}, .maker = maker, .unit = maker->delta->units->len, .first = first};
        first = take_unit(maker, first, starts);
        job.n = first - job.first;
        g_array_append_val(jobs, job);
    }
    g_autoptr(GPtrArray) frames = pack(maker, jobs, error);
    g_autoptr(GBytes) index = frames ? delta_write(maker->delta, error) : NULL;
    if (!index || !write_bytes(out, index, &at, error))
        return FALSE;
    for (guint i = 0; i < frames->len; i++)
        if (!write_bytes(out, frames->pdata[i], &at, error))
            return FALSE;
    *ret = (DeltaSummary){at, maker->changed, maker->left_out, frames->len};
    return TRUE;
}
