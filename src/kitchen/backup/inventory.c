/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kitchen/backup/inventory.h"

#include <stdio.h>
#include <string.h>

#include "base/hex.h"
#include "base/sha256.h"

#define TITLE "particleos-kitchen backup 1"
#define PATH_MAX_LENGTH 1024
#define ENTRIES_MAX 4000000

G_DEFINE_QUARK(particleos - backup - error - quark, backup_error)

BackupEntry *backup_file_new(const char *path, guint mode, const char *digest, gint64 size) {
    BackupEntry *entry = g_new0(BackupEntry, 1);

    entry->path = g_strdup(path);
    entry->mode = mode;
    entry->digest = g_strdup(digest);
    entry->size = size;
    return entry;
}

BackupEntry *backup_link_new(const char *path, const char *target) {
    BackupEntry *entry = g_new0(BackupEntry, 1);

    entry->path = g_strdup(path);
    entry->target = g_strdup(target);
    return entry;
}

void backup_entry_free(BackupEntry *entry) {
    if (!entry)
        return;
    g_free(entry->path);
    g_free(entry->target);
    g_free(entry->digest);
    g_free(entry);
}

static gboolean refuse(GError **error, const char *path, const char *why) {
    g_autofree char *shown = g_utf8_make_valid(path, -1);

    g_set_error(error, BACKUP_ERROR, 0, "\"%s\" %s", shown, why);
    return FALSE;
}

/* Printable, without spaces: a path of ours is nothing else. */
static gboolean is_plain(const char *text) {
    gsize length = strlen(text);

    for (const char *c = text; *c; c++)
        if (!g_ascii_isgraph(*c))
            return FALSE;
    return length > 0 && length <= PATH_MAX_LENGTH;
}

/* Parts of PATH below a directory, none of them ".", ".." or nothing; how many. 0: it is no such path. With UP, ".." may stand in
 * front, and RET_UP receives how often. */
static guint count_parts(const char *path, guint *ret_up) {
    g_auto(GStrv) parts = g_strsplit(path, "/", -1);
    guint n = 0, up = 0;

    for (guint i = 0; parts[i]; i++) {
        if (ret_up && n == 0 && strcmp(parts[i], "..") == 0)
            up++;
        else if (!*parts[i] || strcmp(parts[i], ".") == 0 || strcmp(parts[i], "..") == 0)
            return 0;
        else
            n++;
    }
    if (ret_up)
        *ret_up = up;
    return n;
}

static gboolean check_link(const BackupEntry *entry, GError **error) {
    guint up = 0;

    if (!g_str_has_prefix(entry->path, "publish/"))
        return refuse(error, entry->path, "is a link outside of what is published");
    if (!is_plain(entry->target) || count_parts(entry->target, &up) == 0 || up + 2 > count_parts(entry->path, NULL))
        return refuse(error, entry->path, "is a link that leads elsewhere");
    return TRUE;
}

/* A log, or an object that is called by its digest. */
static gboolean is_of_store(const BackupEntry *entry) {
    g_autofree char *object = NULL;

    if (entry->target || strlen(entry->digest) < 3)
        return FALSE;
    if (g_str_has_prefix(entry->path, "store/logs/"))
        return count_parts(entry->path, NULL) == 3;
    object = g_strdup_printf("store/objects/%.2s/%s", entry->digest, entry->digest + 2);
    return strcmp(entry->path, object) == 0;
}

gboolean backup_entry_check(const BackupEntry *entry, GError **error) {
    gboolean is_single = strcmp(entry->path, "database") == 0 || strcmp(entry->path, "configuration") == 0;
    gboolean is_below = g_str_has_prefix(entry->path, "store/") || g_str_has_prefix(entry->path, "publish/");

    if (!is_plain(entry->path) || count_parts(entry->path, NULL) == 0 || (!is_single && !is_below) ||
            (g_str_has_prefix(entry->path, "store/") && !is_of_store(entry)))
        return refuse(error, entry->path, "is no path of a backup");
    if (entry->target)
        return check_link(entry, error);
    if (!hex_is_lower(entry->digest, SHA256_HEX_SIZE) || entry->size < 0)
        return refuse(error, entry->path, "has no digest or size");
    if (entry->mode != 0400 && entry->mode != 0444 && entry->mode != 0600 && entry->mode != 0644)
        return refuse(error, entry->path, "has a mode that no file of a backup has");
    return TRUE;
}

char *backup_inventory_write(GPtrArray *entries) {
    g_autoptr(GString) text = g_string_new(TITLE "\n");
    guint8 digest[SHA256_SIZE];
    g_autofree char *hex = NULL;

    for (guint i = 0; i < entries->len; i++) {
        const BackupEntry *entry = entries->pdata[i];

        if (entry->target)
            g_string_append_printf(text, "link %s %s\n", entry->path, entry->target);
        else
            g_string_append_printf(text, "file %04o %s %" G_GINT64_FORMAT " %s\n", entry->mode, entry->digest,
                    entry->size, entry->path);
    }
    sha256_buffer(text->str, text->len, digest);
    hex = hex_encode(digest, sizeof digest);
    g_string_append_printf(text, "end %s\n", hex);
    return g_string_free(g_steal_pointer(&text), FALSE);
}

static BackupEntry *parse_line(const char *line, GError **error) {
    g_auto(GStrv) words = g_strsplit(line, " ", -1);
    guint n = g_strv_length(words);
    guint64 mode = 0, size = 0;
    g_autoptr(BackupEntry) entry = NULL;

    if (n == 3 && strcmp(words[0], "link") == 0)
        entry = backup_link_new(words[1], words[2]);
    else if (n == 5 && strcmp(words[0], "file") == 0 && g_ascii_string_to_unsigned(words[1], 8, 0, 0777, &mode, NULL) &&
             strlen(words[2]) == SHA256_HEX_SIZE &&
             g_ascii_string_to_unsigned(words[3], 10, 0, G_MAXINT64, &size, NULL))
        entry = backup_file_new(words[4], (guint) mode, words[2], (gint64) size);
    else
        g_set_error(error, BACKUP_ERROR, 0, "It is neither a file nor a link");
    return entry && backup_entry_check(entry, error) ? g_steal_pointer(&entry) : NULL;
}

/* Every line but the last is what the last one says. */
static gboolean check_end(const char *text, gsize size, gsize *ret_body, GError **error) {
    gsize last = strlen("end ") + SHA256_HEX_SIZE + 1;
    guint8 digest[SHA256_SIZE];
    g_autofree char *hex = NULL;
    const char *end = text + size - last;

    if (memchr(text, '\0', size) || size <= last || memcmp(end, "end ", 4) != 0 || text[size - 1] != '\n') {
        g_set_error(error, BACKUP_ERROR, 0, "It has no end: the backup was not finished");
        return FALSE;
    }
    sha256_buffer(text, size - last, digest);
    hex = hex_encode(digest, sizeof digest);
    if (memcmp(hex, end + 4, SHA256_HEX_SIZE) != 0) {
        g_set_error(error, BACKUP_ERROR, 0, "It was changed: its digest is not what its last line says");
        return FALSE;
    }
    *ret_body = size - last;
    return TRUE;
}

/* Nothing lies in a file, and nothing behind a link. */
static gboolean check_parents(GHashTable *paths, GError **error) {
    GHashTableIter iter;
    gpointer path = NULL;

    g_hash_table_iter_init(&iter, paths);
    while (g_hash_table_iter_next(&iter, &path, NULL)) {
        g_autofree char *parent = g_strdup(path);

        for (char *slash = strrchr(parent, '/'); slash; slash = strrchr(parent, '/')) {
            *slash = '\0';
            if (g_hash_table_contains(paths, parent))
                return refuse(error, path, "lies in something that is no directory");
        }
    }
    return TRUE;
}

GPtrArray *backup_inventory_parse(const char *text, gsize size, GError **error) {
    g_autoptr(GPtrArray) entries = g_ptr_array_new_with_free_func((GDestroyNotify) backup_entry_free);
    g_autoptr(GHashTable) paths = g_hash_table_new(g_str_hash, g_str_equal);
    g_autofree char *body = NULL;
    g_auto(GStrv) lines = NULL;
    gsize length = 0;

    if (!check_end(text, size, &length, error))
        return NULL;
    body = g_strndup(text, length);
    lines = g_strsplit(body, "\n", ENTRIES_MAX);
    if (strcmp(lines[0], TITLE) != 0) {
        g_set_error(
                error, BACKUP_ERROR, 0, "It is no backup that this program knows: its first line is not \"" TITLE "\"");
        return NULL;
    }
    for (guint i = 1; lines[i] && (lines[i][0] || lines[i + 1]); i++) {
        BackupEntry *entry = parse_line(lines[i], error);

        if (!entry) {
            g_prefix_error(error, "Line %u: ", i + 1);
            return NULL;
        }
        g_ptr_array_add(entries, entry);
        if (!g_hash_table_add(paths, entry->path)) {
            refuse(error, entry->path, "is there twice");
            return NULL;
        }
    }
    return check_parents(paths, error) ? g_steal_pointer(&entries) : NULL;
}
