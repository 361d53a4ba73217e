/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "delta/initrd.h"

#include <string.h>
#include <zstd.h>

#include "format/delta/delta-stream.h"
#include "format/delta/delta.h"

#define HEADER_SIZE 110
#define SIZE_AT 54
#define NAME_SIZE_AT 94
#define LEVEL_MAX 22

static void file_free(gpointer data) {
    g_free(((InitrdFile *) data)->path);
    g_free(data);
}

/* Eight hexadecimal digits. */
static gboolean read_number(const guint8 *at, guint64 *ret) {
    g_autofree char *text = g_strndup((const char *) at, 8);

    return g_ascii_string_to_unsigned(text, 16, 0, G_MAXUINT32, ret, NULL);
}

static gsize align(gsize at) {
    return (at + 3) & ~(gsize) 3;
}

GPtrArray *initrd_list(const guint8 *bytes, gsize size) {
    GPtrArray *files = g_ptr_array_new_with_free_func(file_free);

    for (gsize at = 0; at + HEADER_SIZE <= size && memcmp(bytes + at, "070701", 6) == 0;) {
        guint64 content, name;
        if (!read_number(bytes + at + SIZE_AT, &content) || !read_number(bytes + at + NAME_SIZE_AT, &name))
            break;
        gsize from = align(at + HEADER_SIZE + name);
        if (from > size || content > size - from)
            break;
        if (content > 0) {
            InitrdFile *file = g_new(InitrdFile, 1);
            *file = (InitrdFile){g_strndup((const char *) bytes + at + HEADER_SIZE, name), from, content};
            g_ptr_array_add(files, file);
        }
        at = align(from + content);
    }
    return files;
}

const InitrdFile *initrd_find(const GPtrArray *files, const char *path) {
    for (guint i = 0; i < files->len; i++)
        if (g_str_equal(((const InitrdFile *) files->pdata[i])->path, path))
            return files->pdata[i];
    return NULL;
}

gsize initrd_measure_frame(const guint8 *bytes, gsize size) {
    static const guint8 magic[] = {0x28, 0xb5, 0x2f, 0xfd};

    if (size < sizeof magic || memcmp(bytes, magic, sizeof magic) != 0)
        return 0;
    size_t n = ZSTD_findFrameCompressedSize(bytes, size);
    return ZSTD_isError(n) ? 0 : n;
}

GBytes *initrd_unpack(const guint8 *frame, gsize size) {
    g_autoptr(GByteArray) out = g_byte_array_new();
    ZSTD_DStream *zstd = ZSTD_createDStream();
    ZSTD_inBuffer in = {frame, size, 0};
    gsize piece = ZSTD_DStreamOutSize(), left = 1;

    while (!ZSTD_isError(left) && left > 0 && out->len <= DELTA_FRAME_MAX) {
        gsize before = out->len, read = in.pos;
        g_byte_array_set_size(out, (guint) (before + piece));
        ZSTD_outBuffer to = {out->data + before, piece, 0};
        left = ZSTD_decompressStream(zstd, &to, &in);
        g_byte_array_set_size(out, (guint) (before + to.pos));
        if (to.pos == 0 && in.pos == read)
            break;
    }
    ZSTD_freeDStream(zstd);
    return left == 0 ? g_byte_array_free_to_bytes(g_steal_pointer(&out)) : NULL;
}

/* ---- levels ---- */

typedef struct {
    const guint8 *frame;
    gsize size, at;
} Comparison;

static gboolean compare(gpointer data, const guint8 *bytes, gsize size, GError **error) {
    Comparison *comparison = data;
    gboolean same = size <= comparison->size - comparison->at &&
                    memcmp(comparison->frame + comparison->at, bytes, size) == 0;

    comparison->at += size;
    if (!same)
        g_set_error_literal(error, G_IO_ERROR, G_IO_ERROR_FAILED, "another level");
    return same;
}

static gboolean becomes(const guint8 *frame, gsize size, GBytes *content, guint level) {
    Comparison comparison = {frame, size, 0};
    g_autoptr(DeltaStream) stream = delta_stream_new(level, NULL);
    gsize n = 0;
    const guint8 *bytes = g_bytes_get_data(content, &n);

    return stream && delta_stream_push(stream, bytes, n, TRUE, compare, &comparison, NULL) && comparison.at == size;
}

guint initrd_find_level(const guint8 *frame, gsize size, GBytes *content) {
    /* What our builds use first. */
    static const guint first[] = {3, 15, 19};

    for (guint i = 0; i < G_N_ELEMENTS(first); i++)
        if (becomes(frame, size, content, first[i]))
            return first[i];
    for (guint level = 1; level <= LEVEL_MAX; level++)
        if (becomes(frame, size, content, level))
            return level;
    return 0;
}
