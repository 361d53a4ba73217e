/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tlog-tile.h"

#include <string.h>

struct TlogTiles {
    guint64 size;
    TlogFetchTile fetch;
    gpointer user;
    GHashTable *known; /* path -> GBytes */
};

char *tlog_tile_path(guint level, guint64 index, guint width) {
    g_autoptr(GString) number = g_string_new(NULL);

    g_string_printf(number, "%03u", (guint) (index % 1000));
    for (guint64 rest = index / 1000; rest > 0; rest /= 1000) {
        g_autofree char *part = g_strdup_printf("x%03u/", (guint) (rest % 1000));
        g_string_prepend(number, part);
    }
    if (width < TLOG_TILE_WIDTH)
        g_string_append_printf(number, ".p/%u", width);
    return level == TLOG_TILE_ENTRIES ? g_strdup_printf("tile/entries/%s", number->str)
                                      : g_strdup_printf("tile/%u/%s", level, number->str);
}

guint64 tlog_tile_level_size(guint level, guint64 size) {
    guint shift = level == TLOG_TILE_ENTRIES ? 0 : level * TLOG_TILE_HEIGHT;

    return shift < 64 ? size >> shift : 0;
}

guint tlog_tile_width(guint level, guint64 index, guint64 size) {
    guint64 all = tlog_tile_level_size(level, size), full = all / TLOG_TILE_WIDTH;

    return index < full ? TLOG_TILE_WIDTH : index == full ? (guint) (all % TLOG_TILE_WIDTH) : 0;
}

TlogTiles *tlog_tiles_new(guint64 size, TlogFetchTile fetch, gpointer user) {
    TlogTiles *tiles = g_new0(TlogTiles, 1);

    tiles->size = size;
    tiles->fetch = fetch;
    tiles->user = user;
    tiles->known = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify) g_bytes_unref);
    return tiles;
}

void tlog_tiles_free(TlogTiles *tiles) {
    if (!tiles)
        return;
    g_hash_table_unref(tiles->known);
    g_free(tiles);
}

/* The tile; borrowed. */
static GBytes *get_tile(TlogTiles *tiles, guint level, guint64 index, GError **error) {
    guint width = tlog_tile_width(level, index, tiles->size);
    g_autofree char *path = tlog_tile_path(level, index, width);
    GBytes *tile = g_hash_table_lookup(tiles->known, path);

    if (tile)
        return tile;
    if (width == 0) {
        g_set_error(error, TLOG_ERROR, TLOG_ERROR_MISSING, "A log of %" G_GUINT64_FORMAT " entries has no %s", tiles->size,
                path);
        return NULL;
    }
    if (!(tile = tiles->fetch(tiles->user, level, index, width, error)))
        return NULL;
    if (g_bytes_get_size(tile) != (gsize) width * SHA256_SIZE) {
        g_set_error(error, TLOG_ERROR, TLOG_ERROR_MALFORMED, "%s has %" G_GSIZE_FORMAT " bytes, not %u", path,
                g_bytes_get_size(tile), width * SHA256_SIZE);
        g_bytes_unref(tile);
        return NULL;
    }
    g_hash_table_insert(tiles->known, g_steal_pointer(&path), tile);
    return tile;
}

/* The hash over the N hashes at HASHES, a power of two up to the width of a tile. */
static TlogHash fold(const guint8 *hashes, guint n) {
    TlogHash parts[TLOG_TILE_WIDTH];

    memcpy(parts, hashes, (gsize) n * SHA256_SIZE);
    for (; n > 1; n /= 2)
        for (guint i = 0; i < n / 2; i++)
            parts[i] = tlog_node_hash(&parts[2 * i], &parts[2 * i + 1]);
    return parts[0];
}

static gboolean read_hash(gpointer user, guint level, guint64 index, TlogHash *ret, GError **error) {
    guint n = 1u << (level % TLOG_TILE_HEIGHT);
    guint per_tile = TLOG_TILE_WIDTH / n;
    guint first = (guint) (index % per_tile) * n;
    GBytes *tile = get_tile(user, level / TLOG_TILE_HEIGHT, index / per_tile, error);
    gsize size;
    const guint8 *data = tile ? g_bytes_get_data(tile, &size) : NULL;

    if (!data)
        return FALSE;
    if ((gsize) (first + n) * SHA256_SIZE > size) {
        g_set_error(error, TLOG_ERROR, TLOG_ERROR_MISSING, "The log has no hash %u/%" G_GUINT64_FORMAT, level, index);
        return FALSE;
    }
    *ret = fold(data + (gsize) first * SHA256_SIZE, n);
    return TRUE;
}

TlogReader tlog_tiles_reader(TlogTiles *tiles) {
    return (TlogReader){read_hash, tiles};
}

/* ---- entries ---- */

void tlog_bundle_append(GByteArray *bundle, const void *data, gsize size) {
    const guint8 length[2] = {(guint8) (size >> 8), (guint8) size};

    g_return_if_fail(size <= TLOG_ENTRY_SIZE_MAX);
    g_byte_array_append(bundle, length, sizeof length);
    g_byte_array_append(bundle, data, (guint) size);
}

GPtrArray *tlog_bundle_parse(const guint8 *data, gsize size, guint n, GError **error) {
    g_autoptr(GPtrArray) entries = g_ptr_array_new_with_free_func((GDestroyNotify) g_bytes_unref);
    gsize at = 0;

    while (entries->len < n && size - at >= 2) {
        gsize length = (gsize) data[at] << 8 | data[at + 1];
        at += 2;
        if (size - at < length)
            break;
        g_ptr_array_add(entries, g_bytes_new(data + at, length));
        at += length;
    }
    if (entries->len == n && at == size)
        return g_steal_pointer(&entries);
    g_set_error(error, TLOG_ERROR, TLOG_ERROR_MALFORMED, "it is no bundle of %u entries", n);
    return NULL;
}
