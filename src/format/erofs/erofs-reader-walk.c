/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The whole tree, with a stack of directories that are open. */
#include <sys/stat.h>

#include "format/erofs/erofs-reader-internal.h"
#include "format/erofs/erofs-reader-tree.h"

#define DEPTH_MAX 2048
#define DIRECTORIES_BASE (64u * 1024 * 1024)
#define DIRECTORIES_FACTOR 16

typedef struct {
    ErofsDirectory *directory;
    guint64 nid;
    guint64 parent;    /* G_MAXUINT64: of the top, not known */
    gsize path_length; /* of its own path */
} Level;

struct ErofsWalk {
    ErofsReader *reader;
    ErofsNode top;
    gboolean started;
    gboolean ended;
    GArray *levels;      /* of Level */
    GHashTable *visited; /* nids of directories, as guint64 */
    guint64 bytes;       /* of directories so far */
    GString *path;
    ErofsNode next; /* the directory that was handed out last, if ENTER */
    gboolean enter;
};

static void clear_level(gpointer data) {
    erofs_directory_free(((Level *) data)->directory);
}

ErofsWalk *erofs_walk_new(ErofsReader *reader, const ErofsNode *top) {
    ErofsWalk *walk = g_new0(ErofsWalk, 1);
    walk->reader = reader;
    walk->top = *top;
    walk->levels = g_array_new(FALSE, FALSE, sizeof(Level));
    g_array_set_clear_func(walk->levels, clear_level);
    walk->visited = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);
    walk->path = g_string_new(NULL);
    return walk;
}

void erofs_walk_free(ErofsWalk *walk) {
    g_array_unref(walk->levels);
    g_hash_table_unref(walk->visited);
    g_string_free(walk->path, TRUE);
    g_free(walk);
}

static Level *last_level(ErofsWalk *walk) {
    return walk->levels->len > 0 ? &g_array_index(walk->levels, Level, walk->levels->len - 1) : NULL;
}

/* Opens the directory that was handed out last. */
static gboolean enter(ErofsWalk *walk, GError **error) {
    const ErofsNode *node = &walk->next;
    guint64 limit = DIRECTORIES_BASE + DIRECTORIES_FACTOR * walk->reader->image->size;
    walk->enter = FALSE;
    if (walk->levels->len >= DEPTH_MAX)
        return erofs_unsupported(error, node->nid, 0, "more than %u levels of directories", DEPTH_MAX);
    if (!g_hash_table_add(walk->visited, g_memdup2(&node->nid, sizeof node->nid)))
        return erofs_damaged(error, node->nid, 0, "the directory is in the tree twice");
    if (node->size > limit - walk->bytes)
        return erofs_damaged(error, node->nid, 0,
                "the directories have more than %" G_GUINT64_FORMAT " bytes in all", limit);
    walk->bytes += node->size;
    Level *above = last_level(walk);
    Level level = {
            .directory = erofs_directory_new(walk->reader, node, error),
            .nid = node->nid,
            .parent = above ? above->nid : G_MAXUINT64,
            .path_length = walk->path->len,
    };
    if (!level.directory)
        return FALSE;
    g_array_append_val(walk->levels, level);
    return TRUE;
}

/* Closes the last directory, whose entries were all read. */
static gboolean leave(ErofsWalk *walk, GError **error) {
    Level *level = last_level(walk);
    guint64 parent;
    if (erofs_directory_get_parent(level->directory, &parent) && level->parent != G_MAXUINT64 &&
            parent != level->parent)
        return erofs_damaged(error, level->nid, 0, "\"..\" is not the directory above");
    g_array_set_size(walk->levels, walk->levels->len - 1);
    return TRUE;
}

static const char *hand_out(ErofsWalk *walk, ErofsNode *ret_node) {
    walk->next = *ret_node;
    walk->enter = S_ISDIR(ret_node->mode);
    return walk->path->str;
}

static const char *step(ErofsWalk *walk, ErofsNode *ret_node, GError **error) {
    if (!walk->started) {
        walk->started = TRUE;
        *ret_node = walk->top;
        return hand_out(walk, ret_node);
    }
    if (walk->enter && !enter(walk, error))
        return NULL;
    while (walk->levels->len > 0) {
        Level *level = last_level(walk);
        g_autoptr(GError) local = NULL;
        const ErofsEntry *entry = erofs_directory_next(level->directory, &local);
        g_string_truncate(walk->path, level->path_length);
        if (local) {
            g_propagate_error(error, g_steal_pointer(&local));
            return NULL;
        }
        if (!entry) {
            if (!leave(walk, error))
                return NULL;
            continue;
        }
        if (walk->path->len > 0)
            g_string_append_c(walk->path, '/');
        g_string_append(walk->path, entry->name);
        if (!erofs_reader_get(walk->reader, entry->nid, ret_node, error))
            return NULL;
        if (erofs_type_of(ret_node->mode) != entry->type) {
            erofs_damaged(error, entry->nid, 0,
                    "it is of another type than its entry in inode %" G_GUINT64_FORMAT " says", level->nid);
            return NULL;
        }
        return hand_out(walk, ret_node);
    }
    return NULL;
}

const char *erofs_walk_next(ErofsWalk *walk, ErofsNode *ret_node, GError **error) {
    if (walk->ended)
        return NULL;
    g_autoptr(GError) local = NULL;
    const char *path = step(walk, ret_node, &local);
    walk->ended = !path;
    if (local) {
        g_propagate_prefixed_error(error, g_steal_pointer(&local), "/%s: ", walk->path->str);
        return NULL;
    }
    return path;
}
