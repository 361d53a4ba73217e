/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The static files of a log: C2SP tlog-tiles. A tile has up to 256 hashes of one level in eight, or up to 256 entries. */

#include "format/tlog/tlog-tree.h"

#define TLOG_TILE_WIDTH 256
#define TLOG_TILE_HEIGHT 8
#define TLOG_ENTRY_SIZE_MAX 65535 /* bytes */
/* A level that no tile of hashes has, for entries. */
#define TLOG_TILE_ENTRIES G_MAXUINT

/* "tile/0/x001/234.p/5": the tile INDEX of LEVEL (0: leaves, 1: 256 of them each, or TLOG_TILE_ENTRIES) with WIDTH hashes or
 * entries; owned by the caller. */
char *tlog_tile_path(guint level, guint64 index, guint width);

/* How many hashes of tile LEVEL the tree with SIZE leaves has; for entries as for level 0. */
guint64 tlog_tile_level_size(guint level, guint64 size);

/* The width of the tile INDEX of LEVEL in a tree with SIZE leaves; 0: there is no such tile. */
guint tlog_tile_width(guint level, guint64 index, guint64 size);

/* Gets the bytes of a tile. */
typedef GBytes *(*TlogFetchTile)(gpointer user, guint level, guint64 index, guint width, GError **error);

/* Reads hashes of a tree with SIZE leaves from tiles, each of which is fetched once. */
typedef struct TlogTiles TlogTiles;

TlogTiles *tlog_tiles_new(guint64 size, TlogFetchTile fetch, gpointer user);
void tlog_tiles_free(TlogTiles *tiles);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(TlogTiles, tlog_tiles_free)
TlogReader tlog_tiles_reader(TlogTiles *tiles);

/* Adds the entry DATA to BUNDLE. SIZE is at most TLOG_ENTRY_SIZE_MAX. */
void tlog_bundle_append(GByteArray *bundle, const void *data, gsize size);

/* The entries in SIZE bytes at DATA: an array of N GBytes, owned by the caller. Refused: another number of them, bytes
 * behind the last one. */
GPtrArray *tlog_bundle_parse(const guint8 *data, gsize size, guint n, GError **error);
