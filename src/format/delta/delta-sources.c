/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "format/delta/delta-sources.h"

#include <string.h>
#include <zstd.h>

#include "base/io.h"
#include "format/delta/delta-xz.h"

#define WINDOW_LOG_MAX 27

struct DeltaReader {
    const DeltaSources *sources;
    ErofsReader *old, *new;

    /* The object that was unpacked last. */
    DeltaReference latest;
    guint8 *content; /* NULL: none was */
    gsize content_size;
};

DeltaReader *delta_reader_new(const DeltaSources *sources) {
    DeltaReader *reader = g_new0(DeltaReader, 1);

    reader->sources = sources;
    reader->old = sources->old_image ? erofs_reader_new(sources->old_image) : NULL;
    reader->new = sources->new_image ? erofs_reader_new(sources->new_image) : NULL;
    return reader;
}

void delta_reader_free(DeltaReader *reader) {
    if (!reader)
        return;
    g_clear_pointer(&reader->old, erofs_reader_free);
    g_clear_pointer(&reader->new, erofs_reader_free);
    g_free(reader->content);
    g_free(reader);
}

static gboolean wrong(GError **error, const char *what) {
    g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA, "the delta refers to %s", what);
    return FALSE;
}

static gboolean read_old(const DeltaReader *reader, guint64 at, void *out, guint64 size, GError **error) {
    const DeltaSources *sources = reader->sources;

    if (at > sources->old_size || size > sources->old_size - at)
        return wrong(error, "bytes behind the end of what it is against");
    return pread_all(sources->old_fd, out, size, sources->old_offset + at, error);
}

static gboolean find_inode(
        const DeltaReader *reader, const DeltaReference *reference, ErofsReader **ret, ErofsNode *node, GError **error) {
    *ret = reference->place == DELTA_OLD_INODE ? reader->old : reader->new;
    if (!*ret)
        return wrong(error, "a volume that is not there");
    return erofs_reader_get(*ret, reference->object, node, error);
}

/* All of an inode; at most DELTA_OBJECT_MAX bytes. */
static guint8 *read_inode(const DeltaReader *reader, const DeltaReference *reference, gsize *ret_size, GError **error) {
    ErofsReader *volume = NULL;
    ErofsNode node;

    if (!find_inode(reader, reference, &volume, &node, error))
        return NULL;
    if (node.size > DELTA_OBJECT_MAX) {
        wrong(error, "a file that is too large");
        return NULL;
    }
    g_autofree guint8 *bytes = g_malloc(MAX(node.size, 1));
    *ret_size = node.size;
    return erofs_reader_read(volume, &node, 0, bytes, node.size, NULL, error) ? g_steal_pointer(&bytes) : NULL;
}

/* ---- what is packed ---- */

static guint8 *unpack_frame(const guint8 *frame, gsize size, gsize *ret_size, GError **error) {
    unsigned long long n = ZSTD_getFrameContentSize(frame, size);
    gsize room = n == ZSTD_CONTENTSIZE_UNKNOWN ? DELTA_FRAME_MAX : (gsize) n;
    g_autofree guint8 *content = NULL;

    if (n == ZSTD_CONTENTSIZE_ERROR || room > DELTA_FRAME_MAX) {
        wrong(error, "a frame of zstd that is none, or too large");
        return NULL;
    }
    /* Memory that is not written to is not taken. */
    content = g_try_malloc(MAX(room, 1));
    size_t done = content ? ZSTD_decompress(content, room, frame, size) : 0;
    if (!content || ZSTD_isError(done)) {
        wrong(error, "a frame of zstd that cannot be unpacked");
        return NULL;
    }
    *ret_size = done;
    return g_realloc(g_steal_pointer(&content), MAX(done, 1));
}

static gboolean is_same_object(const DeltaReference *a, const DeltaReference *b) {
    return a->place == b->place && a->packing == b->packing && a->object == b->object &&
           a->object_size == b->object_size;
}

/* Unpacks the object of REFERENCE, unless it is the latest. */
static gboolean unpack_object(DeltaReader *reader, const DeltaReference *reference, GError **error) {
    g_autofree guint8 *packed = NULL;
    gsize size = reference->object_size;

    if (reader->content && is_same_object(&reader->latest, reference))
        return TRUE;
    g_clear_pointer(&reader->content, g_free);
    reader->latest = *reference;
    if (reference->packing == DELTA_XZ) {
        packed = read_inode(reader, reference, &size, error);
        reader->content = packed ? delta_xz_unpack(packed, size, DELTA_OBJECT_MAX, &reader->content_size, error) : NULL;
        return reader->content != NULL;
    }
    if (size > DELTA_FRAME_MAX)
        return wrong(error, "a frame of zstd that is too large");
    packed = g_malloc(MAX(size, 1));
    if (read_old(reader, reference->object, packed, size, error))
        reader->content = unpack_frame(packed, size, &reader->content_size, error);
    return reader->content != NULL;
}

gboolean delta_reader_get(DeltaReader *reader, const DeltaReference *reference, guint8 *out, GError **error) {
    ErofsReader *volume = NULL;
    ErofsNode node;

    if (reference->packing != DELTA_AS_IT_IS) {
        if (!unpack_object(reader, reference, error))
            return FALSE;
        if (reference->offset > reader->content_size || reference->length > reader->content_size - reference->offset)
            return wrong(error, "bytes behind the end of what a file unpacks to");
        memcpy(out, reader->content + reference->offset, reference->length);
        /* Nobody asks for the rest of a whole object. */
        if (reference->length == reader->content_size)
            g_clear_pointer(&reader->content, g_free);
        return TRUE;
    }
    if (reference->place == DELTA_OLD_BYTES)
        return read_old(reader, reference->object + reference->offset, out, reference->length, error);
    return find_inode(reader, reference, &volume, &node, error) &&
           erofs_reader_read(volume, &node, reference->offset, out, reference->length, NULL, error);
}

guint8 *delta_reader_get_all(DeltaReader *reader, const Delta *delta, const DeltaUnit *unit, GError **error) {
    g_autofree guint8 *bytes = g_malloc(MAX(unit->references, 1));
    guint64 at = 0;

    for (guint i = 0; i < unit->n_references; i++) {
        const DeltaReference *reference = &g_array_index(delta->references, DeltaReference, unit->first_reference + i);
        if (!delta_reader_get(reader, reference, bytes + at, error))
            return NULL;
        at += reference->length;
    }
    return g_steal_pointer(&bytes);
}
