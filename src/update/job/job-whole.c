/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A whole file: what has no hash tree, and what is packed. */

#include "update/job/job.h"

#include <string.h>
#include <zstd.h>

#include "base/io.h"
#include "base/sha256.h"
#include "update/transfer/error.h"

#define WINDOW_LOG_MAX 27

typedef struct {
    Job *job;
    int fd;
    guint64 offset, room;
    Sha256 *sha;
    guint64 seen;    /* bytes of the file */
    guint64 written; /* bytes of the content */
    ZSTD_DStream *unpacker;
    gboolean frame_ended;
    guint8 *buffer;
    BlockProgress progress;
    gpointer data;
} Whole;

static gboolean put(Whole *whole, const guint8 *bytes, gsize size, GError **error) {
    if (size > whole->room - whole->written)
        return update_fail(error, UPDATE_ERROR_SPACE,
                "%s is larger than its place, which has %" G_GUINT64_FORMAT " bytes", whole->job->file, whole->room);
    if (!pwrite_all(whole->fd, bytes, size, whole->offset + whole->written, error)) {
        g_prefix_error(error, "Writing %s: ", whole->job->name);
        return FALSE;
    }
    whole->written += size;
    return TRUE;
}

static gboolean unpack(Whole *whole, const guint8 *bytes, gsize size, GError **error) {
    ZSTD_inBuffer in = {bytes, size, 0};

    while (in.pos < in.size) {
        ZSTD_outBuffer out = {whole->buffer, ZSTD_DStreamOutSize(), 0};
        size_t left = ZSTD_decompressStream(whole->unpacker, &out, &in);
        if (ZSTD_isError(left))
            return update_fail(error, UPDATE_ERROR_UNTRUSTED, "%s cannot be unpacked: %s", whole->job->file,
                    ZSTD_getErrorName(left));
        whole->frame_ended = left == 0;
        if (!put(whole, whole->buffer, out.pos, error))
            return FALSE;
    }
    return TRUE;
}

/* From the beginning on: who does not know ranges, and is asked again, begins again. */
static gboolean begin(Whole *whole) {
    sha256_free(whole->sha);
    whole->sha = sha256_new();
    whole->seen = whole->written = 0;
    if (whole->job->zstd) {
        ZSTD_freeDStream(whole->unpacker);
        whole->unpacker = ZSTD_createDStream();
        ZSTD_DCtx_setParameter(whole->unpacker, ZSTD_d_windowLogMax, WINDOW_LOG_MAX);
        if (!whole->buffer)
            whole->buffer = g_malloc(ZSTD_DStreamOutSize());
    }
    return TRUE;
}

static gboolean on_bytes(gpointer data, guint64 offset, const guint8 *bytes, gsize size, GError **error) {
    Whole *whole = data;

    if (offset == 0)
        begin(whole);
    if (offset != whole->seen)
        return update_fail(error, UPDATE_ERROR_UNTRUSTED, "%s does not come in order", whole->job->file);
    sha256_update(whole->sha, bytes, size);
    whole->seen += size;
    if (whole->progress)
        whole->progress(whole->data, whole->seen, whole->job->size);
    return whole->job->zstd ? unpack(whole, bytes, size, error) : put(whole, bytes, size, error);
}

static gboolean check(Whole *whole, GError **error) {
    guint8 digest[SHA256_SIZE];

    sha256_finish(whole->sha, digest);
    if (whole->seen != whole->job->size || (whole->job->zstd && !whole->frame_ended))
        return update_fail(error, UPDATE_ERROR_UNTRUSTED, "%s ends too early", whole->job->file);
    return !whole->job->digest || memcmp(digest, whole->job->digest, SHA256_SIZE) == 0 ||
           update_fail(error, UPDATE_ERROR_UNTRUSTED, "%s is not what the signed manifest says", whole->job->file);
}

gboolean job_fetch_whole(Job *job, int fd, guint64 offset, guint64 room, BlockProgress progress, gpointer data,
        guint64 *ret_size, GError **error) {
    Whole whole = {.job = job, .fd = fd, .offset = offset, .room = room, .progress = progress, .data = data};
    g_autoptr(GArray) ranges = g_array_new(FALSE, FALSE, sizeof(HttpRange));
    HttpRange all = {0, job->size};

    begin(&whole);
    g_array_append_val(ranges, all);
    gboolean ok = update_source_fetch(job->source, job->file, job->size, ranges, on_bytes, &whole, error) &&
                  check(&whole, error);
    *ret_size = whole.written;
    sha256_free(whole.sha);
    ZSTD_freeDStream(whole.unpacker);
    g_free(whole.buffer);
    return ok;
}
