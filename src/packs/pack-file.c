/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "packs/pack-file.h"

#include <string.h>

#include "base/hex.h"
#include "base/io.h"
#include "base/little-endian.h"

static const guint8 magic[8] = {'P', 'A', 'C', 'K', '0', '0', '0', '1'};

/* An index larger than this is none of ours. */
#define INDEX_MAX ((guint64) 1 << 30)

static gboolean is_damaged(GError **error, const char *what) {
    g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_INVAL, "%s", what);
    return FALSE;
}

static void write_le64(guint8 *p, guint64 value) {
    write_le32(p, (guint32) value);
    write_le32(p + 4, (guint32) (value >> 32));
}

static gboolean parse_trailer(const guint8 *trailer, guint64 size, guint64 *ret_n, guint64 *ret_at, GError **error) {
    guint64 n = read_le64(trailer + 8), at = read_le64(trailer + 16), room = size - PACK_TRAILER_SIZE;
    if (memcmp(trailer, magic, sizeof magic) != 0 || read_le64(trailer + 24) != 0)
        return is_damaged(error, "no trailer");
    if (at > room || (room - at) % PACK_ENTRY_SIZE != 0 || (room - at) / PACK_ENTRY_SIZE != n || room - at > INDEX_MAX)
        return is_damaged(error, "an index of another size");
    *ret_n = n;
    *ret_at = at;
    return TRUE;
}

static gboolean parse_entry(const guint8 *bytes, guint64 end, PackEntry *ret) {
    memcpy(ret->key, bytes, SHA256_SIZE);
    memcpy(ret->digest, bytes + 32, SHA256_SIZE);
    ret->offset = read_le64(bytes + 64);
    ret->size = read_le32(bytes + 72);
    return ret->offset <= end && ret->size <= end - ret->offset;
}

GArray *pack_file_read_index(int fd, guint64 size, GError **error) {
    guint8 trailer[PACK_TRAILER_SIZE], digest[SHA256_SIZE];
    guint64 n, at;

    if (size < PACK_TRAILER_SIZE) {
        is_damaged(error, "too short");
        return NULL;
    }
    if (!pread_all(fd, trailer, sizeof trailer, size - sizeof trailer, error) ||
            !parse_trailer(trailer, size, &n, &at, error))
        return NULL;
    g_autofree guint8 *bytes = g_malloc(n * PACK_ENTRY_SIZE + 1);
    if (!pread_all(fd, bytes, n * PACK_ENTRY_SIZE, at, error))
        return NULL;
    sha256_buffer(bytes, n * PACK_ENTRY_SIZE, digest);
    if (memcmp(digest, trailer + 32, sizeof digest) != 0) {
        is_damaged(error, "its index was changed");
        return NULL;
    }
    g_autoptr(GArray) entries = g_array_sized_new(FALSE, FALSE, sizeof(PackEntry), n);
    for (guint64 i = 0; i < n; i++) {
        PackEntry entry;
        if (!parse_entry(bytes + i * PACK_ENTRY_SIZE, at, &entry)) {
            is_damaged(error, "a value outside of it");
            return NULL;
        }
        g_array_append_val(entries, entry);
    }
    return g_steal_pointer(&entries);
}

gboolean pack_file_finish(int fd, guint64 size, const GArray *entries, char **ret_name, GError **error) {
    gsize index_size = (gsize) entries->len * PACK_ENTRY_SIZE;
    g_autofree guint8 *bytes = g_malloc0(index_size + PACK_TRAILER_SIZE);
    guint8 *trailer = bytes + index_size;

    for (guint i = 0; i < entries->len; i++) {
        const PackEntry *entry = &g_array_index(entries, PackEntry, i);
        guint8 *at = bytes + (gsize) i * PACK_ENTRY_SIZE;
        memcpy(at, entry->key, SHA256_SIZE);
        memcpy(at + 32, entry->digest, SHA256_SIZE);
        write_le64(at + 64, entry->offset);
        write_le32(at + 72, entry->size);
    }
    memcpy(trailer, magic, sizeof magic);
    write_le64(trailer + 8, entries->len);
    write_le64(trailer + 16, size);
    sha256_buffer(bytes, index_size, trailer + 32);
    *ret_name = hex_encode(trailer + 32, SHA256_SIZE);
    return pwrite_all(fd, bytes, index_size + PACK_TRAILER_SIZE, size, error);
}

gboolean pack_file_read_value(int fd, const PackEntry *entry, guint8 *out, GError **error) {
    guint8 digest[SHA256_SIZE];
    if (!pread_all(fd, out, entry->size, entry->offset, error))
        return FALSE;
    sha256_buffer(out, entry->size, digest);
    return memcmp(digest, entry->digest, sizeof digest) == 0 || is_damaged(error, "a value was changed");
}
