/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "distro/driver/verified.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/compare.h"
#include "base/errors.h"
#include "base/hex.h"
#include "base/sha256.h"
#include "distro/driver/types.h"

/* Two changes within one tick of the kernel's clock have the same time. A file that was changed so shortly
 * before it was read is read again the next time. */
#define SETTLED_SECONDS 2

#define STATE_FORMAT "%llu:%llu:%lld:%lld.%09ld:%lld.%09ld"

typedef struct {
    char *digest;
    char *state; /* what fstat() said; NULL: read it again */
} Entry;

struct Verified {
    char *directory;
    char *name;
    GHashTable *entries; /* file → Entry */
};

static void entry_free(gpointer data) {
    Entry *entry = data;
    g_free(entry->digest);
    g_free(entry->state);
    g_free(entry);
}

static void set_entry(Verified *verified, const char *file, const char *digest, const char *state) {
    Entry *entry = g_new0(Entry, 1);
    entry->digest = g_strdup(digest);
    entry->state = g_strdup(state);
    g_hash_table_replace(verified->entries, g_strdup(file), entry);
}

/* A line: digest, state ("-": none), file. What does not look like one is left out, so the file is read. */
static void parse_line(Verified *verified, const char *line) {
    g_auto(GStrv) words = g_strsplit(line, " ", 3);

    if (g_strv_length(words) == 3 && hex_is_lower(words[0], 64) && *words[2])
        set_entry(verified, words[2], words[0], g_str_equal(words[1], "-") ? NULL : words[1]);
}

Verified *verified_read(const char *directory, const char *name) {
    Verified *verified = g_new0(Verified, 1);
    g_autofree char *path = g_build_filename(directory, name, NULL);
    g_autofree char *text = NULL;

    verified->directory = g_strdup(directory);
    verified->name = g_strdup(name);
    verified->entries = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, entry_free);
    if (g_file_get_contents(path, &text, NULL, NULL)) {
        g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
        for (char **line = lines; *line; line++)
            parse_line(verified, *line);
    }
    return verified;
}

void verified_free(Verified *verified) {
    if (!verified)
        return;
    g_hash_table_unref(verified->entries);
    g_free(verified->directory);
    g_free(verified->name);
    g_free(verified);
}

GPtrArray *verified_files(const Verified *verified) {
    GPtrArray *files = g_ptr_array_new();
    GHashTableIter iter;
    gpointer file;

    g_hash_table_iter_init(&iter, verified->entries);
    while (g_hash_table_iter_next(&iter, &file, NULL))
        g_ptr_array_add(files, file);
    g_ptr_array_sort(files, compare_strings);
    return files;
}

gboolean verified_write(Verified *verified, GError **error) {
    g_autoptr(GPtrArray) files = verified_files(verified);
    g_autoptr(GString) text = g_string_new(NULL);
    g_autofree char *path = g_build_filename(verified->directory, verified->name, NULL);

    for (guint i = 0; i < files->len; i++) {
        const Entry *entry = g_hash_table_lookup(verified->entries, files->pdata[i]);
        g_autofree char *file = g_build_filename(verified->directory, files->pdata[i], NULL);
        if (access(file, F_OK) == 0 && !strchr(files->pdata[i], '\n'))
            g_string_append_printf(text, "%s %s %s\n", entry->digest, entry->state ? entry->state : "-",
                    (const char *) files->pdata[i]);
    }
    return g_file_set_contents_full(path, text->str, text->len, G_FILE_SET_CONTENTS_CONSISTENT, 0600, error);
}

static char *state_of(const struct stat *info) {
    return g_strdup_printf(STATE_FORMAT, (unsigned long long) info->st_dev,
            (unsigned long long) info->st_ino, (long long) info->st_size, (long long) info->st_mtim.tv_sec,
            info->st_mtim.tv_nsec, (long long) info->st_ctim.tv_sec, info->st_ctim.tv_nsec);
}

static gboolean others_can_write(const struct stat *info) {
    /* A group of one's own, as umask 002 supposes, is oneself. */
    return info->st_uid != geteuid() || (info->st_mode & S_IWOTH) ||
           ((info->st_mode & S_IWGRP) && info->st_gid != getegid());
}

char *verified_digest(Verified *verified, const char *file, GError **error) {
    g_autofree char *path = g_build_filename(verified->directory, file, NULL);
    AUTO_FD fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    gint64 now = g_get_real_time() / G_USEC_PER_SEC;
    struct stat info;

    if (fd < 0 || fstat(fd, &info) < 0) {
        set_errno_error(error, errno, "Cannot read %s", path);
        return NULL;
    }
    if (!S_ISREG(info.st_mode) || others_can_write(&info)) {
        g_set_error(error, DISTRO_ERROR, DISTRO_ERROR_MIRROR, "%s is %s", path,
                S_ISREG(info.st_mode) ? "a file that somebody else can change" : "no regular file");
        return NULL;
    }
    g_autofree char *state = state_of(&info);
    const Entry *entry = g_hash_table_lookup(verified->entries, file);
    if (entry && g_strcmp0(entry->state, state) == 0)
        return g_strdup(entry->digest);

    guint8 hash[SHA256_SIZE];
    if (!sha256_fd(fd, hash, error)) {
        g_prefix_error(error, "Cannot hash %s: ", path);
        return NULL;
    }
    char *digest = hex_encode(hash, sizeof hash);
    gboolean settled = info.st_ctim.tv_sec + SETTLED_SECONDS < now;
    set_entry(verified, file, digest, settled ? state : NULL);
    return digest;
}

const char *verified_recorded(const Verified *verified, const char *file) {
    const Entry *entry = g_hash_table_lookup(verified->entries, file);
    return entry ? entry->digest : NULL;
}

gboolean verified_check_owner(const char *directory, GError **error) {
    struct stat info;

    if (lstat(directory, &info) < 0)
        return set_errno_error(error, errno, "Cannot look at %s", directory);
    if (S_ISDIR(info.st_mode) && !others_can_write(&info))
        return TRUE;
    g_set_error(error, DISTRO_ERROR, DISTRO_ERROR_MIRROR,
            "PackageCacheDirectory=: %s belongs to somebody else or others can write to it, so they could "
            "change "
            "packages between check and use; take a directory of your own, or: chmod go-w %s",
            directory, directory);
    return FALSE;
}
