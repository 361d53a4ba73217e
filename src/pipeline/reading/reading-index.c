/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pipeline/reading/reading-index.h"

#include <string.h>
#include <sys/stat.h>

#include "base/directory.h"

#define STAT_SIZE 40
#define MODE_OFFSET 24
#define FLAG_EXTENDED 0x4000
#define MODE_COMMIT 0160000 /* a submodule */

typedef struct {
    const guint8 *start, *at, *end;
    guint32 version;
    gsize hash_size;
    GString *path; /* of the entry that was read last */
    guint32 mode;
} Index;

static guint32 read_u32(const guint8 *bytes) {
    return (guint32) bytes[0] << 24 | bytes[1] << 16 | bytes[2] << 8 | bytes[3];
}

/* How much of the last path does not count for this one (version 4). */
static gboolean read_strip(Index *index, gsize *ret_strip) {
    *ret_strip = 0;
    for (int i = 0; index->at < index->end && i < 5; i++) {
        guint8 byte = *index->at++;
        *ret_strip = (*ret_strip << 7) + (byte & 0x7f);
        if (!(byte & 0x80))
            return *ret_strip <= index->path->len;
        (*ret_strip)++;
    }
    return FALSE;
}

/* The next entry. FALSE when it is broken. */
static gboolean read_entry(Index *index) {
    const guint8 *entry = index->at;
    gsize strip = index->path->len, head = STAT_SIZE + index->hash_size + 2;

    if ((gsize) (index->end - entry) < head + 2)
        return FALSE;
    index->mode = read_u32(entry + MODE_OFFSET);
    if ((entry[head - 2] << 8 | entry[head - 1]) & FLAG_EXTENDED)
        head += 2;
    index->at += head;
    if (index->version == 4 && !read_strip(index, &strip))
        return FALSE;
    const guint8 *zero = memchr(index->at, '\0', index->end - index->at);
    if (!zero)
        return FALSE;
    g_string_truncate(index->path, index->path->len - strip);
    g_string_append_len(index->path, (const char *) index->at, zero - index->at);
    index->at = zero + 1;
    /* Older versions fill up to eight bytes. */
    if (index->version < 4)
        index->at = entry + ((index->at - entry + 7) & ~(gsize) 7);
    return index->at <= index->end;
}

static gboolean concerns(const Index *index, const char *directory) {
    const char *path = index->path->str;
    return path_is_below(path, directory) ||
           (index->mode == MODE_COMMIT && path_is_below(directory, path));
}

gboolean reading_index_concerns(const guint8 *bytes, gsize length, gsize hash_size, const char *directory) {
    g_autoptr(GString) path = g_string_new(NULL);

    if (length < 12 || memcmp(bytes, "DIRC", 4) != 0)
        return FALSE;
    Index index = {bytes, bytes + 12, bytes + length, read_u32(bytes + 4), hash_size, path, 0};
    if (index.version < 2 || index.version > 4)
        return FALSE;
    for (guint32 left = read_u32(bytes + 8); left > 0; left--) {
        if (!read_entry(&index))
            return FALSE;
        if (concerns(&index, directory))
            return TRUE;
    }
    return FALSE;
}

static gsize read_hash_size(const char *git_common) {
    g_autofree char *path = g_build_filename(git_common, "config", NULL), *text = NULL;

    if (!g_file_get_contents(path, &text, NULL, NULL))
        return 20;
    return g_regex_match_simple(
                   "^\\s*objectformat\\s*=\\s*sha256\\s*$", text, G_REGEX_CASELESS | G_REGEX_MULTILINE, 0)
                   ? 32
                   : 20;
}

gboolean reading_git_tracks(const char *git, const char *git_common, const char *directory) {
    g_autofree char *path = g_build_filename(git, "index", NULL);
    g_autoptr(GMappedFile) file = g_mapped_file_new(path, FALSE, NULL);

    return file && reading_index_concerns((const guint8 *) g_mapped_file_get_contents(file),
                           g_mapped_file_get_length(file), read_hash_size(git_common), directory);
}
