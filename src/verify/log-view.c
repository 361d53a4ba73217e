/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "verify/log-view.h"

#include "format/tlog/tlog-tile.h"

struct LogView {
    Place *place;
    char *note;
    TlogCheckpoint checkpoint;
    TlogTiles *tiles;
};

void log_view_free(LogView *view) {
    if (!view)
        return;
    g_free(view->note);
    tlog_checkpoint_clear(&view->checkpoint);
    tlog_tiles_free(view->tiles);
    g_free(view);
}

/* Partial tiles may go when the whole one is there, of which the first WIDTH parts count. */
static GBytes *fetch(Place *place, guint level, guint64 index, guint width, gsize largest, GError **error) {
    g_autofree char *name = tlog_tile_path(level, index, width);
    g_autofree char *whole = tlog_tile_path(level, index, TLOG_TILE_WIDTH);
    g_autoptr(GError) problem = NULL;
    GBytes *tile = place_fetch(place, name, largest, &problem);

    if (tile)
        return tile;
    if (width < TLOG_TILE_WIDTH && g_error_matches(problem, VERIFY_ERROR, VERIFY_ERROR_MISSING))
        return place_fetch(place, whole, largest, error);
    g_propagate_error(error, g_steal_pointer(&problem));
    return NULL;
}

static GBytes *fetch_tile(gpointer user, guint level, guint64 index, guint width, GError **error) {
    g_autoptr(GBytes) tile = fetch(user, level, index, width, TLOG_TILE_WIDTH * SHA256_SIZE, error);
    gsize wanted = (gsize) width * SHA256_SIZE;

    if (!tile)
        return NULL;
    return g_bytes_new_from_bytes(tile, 0, MIN(wanted, g_bytes_get_size(tile)));
}

LogView *log_view_new(Place *place, const TlogVerifier *verifier, GError **error) {
    g_autoptr(LogView) view = g_new0(LogView, 1);
    g_autoptr(GBytes) note = place_fetch(place, "checkpoint", TLOG_NOTE_SIZE_MAX, error);
    gsize size = 0;
    const char *data = note ? g_bytes_get_data(note, &size) : NULL;

    if (!note)
        return NULL;
    view->place = place;
    if (!tlog_checkpoint_open(data ?: "", size, verifier, &view->checkpoint, error)) {
        g_autofree char *what = place_describe(place, "checkpoint");
        g_prefix_error(error, "%s: ", what);
        return NULL;
    }
    view->note = g_strndup(data, size);
    view->tiles = tlog_tiles_new(view->checkpoint.size, fetch_tile, place);
    return g_steal_pointer(&view);
}

const TlogCheckpoint *log_view_get_checkpoint(const LogView *view) {
    return &view->checkpoint;
}

const char *log_view_get_note(const LogView *view) {
    return view->note;
}

gboolean log_view_check_former(LogView *view, const TlogCheckpoint *former, GError **error) {
    const TlogCheckpoint *now = &view->checkpoint;
    TlogReader reader = tlog_tiles_reader(view->tiles);

    if (former->size > now->size) {
        g_set_error(error, VERIFY_ERROR, VERIFY_ERROR_BAD,
                "The log has %" G_GUINT64_FORMAT " entries now, and had %" G_GUINT64_FORMAT
                ": entries were removed, or an old state is shown",
                now->size, former->size);
        return FALSE;
    }
    g_autoptr(GArray) path = tlog_prove_consistency(&reader, former->size, now->size, error);
    if (!path)
        return FALSE;
    if (tlog_check_consistency((const TlogHash *) (gpointer) path->data, path->len, former->size, &former->root, now->size,
                &now->root, error))
        return TRUE;
    g_prefix_error(error, "The log with %" G_GUINT64_FORMAT " entries is not the continuation of the one with %" G_GUINT64_FORMAT ": ",
            now->size, former->size);
    return FALSE;
}

static gboolean add_bundle(LogView *view, guint64 index, TlogTree *tree, GError **error) {
    guint width = tlog_tile_width(0, index, view->checkpoint.size);
    g_autoptr(GBytes) tile = fetch(view->place, TLOG_TILE_ENTRIES, index, width,
            (gsize) TLOG_TILE_WIDTH * (TLOG_ENTRY_SIZE_MAX + 2), error);
    gsize size = 0;
    const guint8 *data = tile ? g_bytes_get_data(tile, &size) : NULL;
    g_autoptr(GPtrArray) entries = tile ? tlog_bundle_parse(data, size, width, NULL) : NULL;

    if (tile && !entries)
        entries = tlog_bundle_parse(data, size, TLOG_TILE_WIDTH, error);
    if (!entries) {
        g_prefix_error(error, "Entries from %" G_GUINT64_FORMAT " on: ", index * TLOG_TILE_WIDTH);
        return FALSE;
    }
    for (guint i = 0; i < width; i++) {
        gsize length;
        const void *entry = g_bytes_get_data(entries->pdata[i], &length);
        TlogHash hash = tlog_leaf_hash(entry, length);
        tlog_tree_append(tree, &hash);
    }
    return TRUE;
}

gboolean log_view_check_entries(LogView *view, GError **error) {
    g_autoptr(TlogTree) tree = tlog_tree_new();

    for (guint64 index = 0; index * TLOG_TILE_WIDTH < view->checkpoint.size; index++)
        if (!add_bundle(view, index, tree, error))
            return FALSE;
    TlogHash root = tlog_tree_get_root(tree);
    if (tlog_hash_equal(&root, &view->checkpoint.root))
        return TRUE;
    g_set_error_literal(error, VERIFY_ERROR, VERIFY_ERROR_BAD,
            "The entries that the log shows are not those that its checkpoint speaks of: one was changed, removed or put elsewhere");
    return FALSE;
}
