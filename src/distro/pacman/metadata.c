/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "distro/pacman/metadata.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/compare.h"
#include "base/directory.h"
#include "base/errors.h"
#include "distro/driver/cache-lock.h"
#include "distro/driver/resolve-cache.h"
#include "distro/driver/verified.h"
#include "distro/pacman/configuration.h"
#include "distro/pacman/database.h"
#include "distro/pacman/desc.h"
#include "distro/pacman/keyring.h"
#include "distro/pacman/run.h"
#include "distro/pacman/session.h"
#include "events/events.h"
#include "tree/tree.h"

#define RECORD "verified-databases"
#define DATABASES "databases"
#define STAMP "fetched"
#define DAY (24 * 60 * 60)

/* Arch changes several times a day, and its databases do not say how long they are good for. */
#define OLD_DAYS 60
/* What is taken back from an archive may make it look older; not by more than this. */
#define BACK_DAYS 7

/* Which repositories, as pacman will read it. */
static char *configuration_text(DistroSession *session) {
    g_autofree char *path = pacman_path(session, "pacman.conf");
    g_autofree char *directory = pacman_path(session, "pacman.d");
    g_autoptr(GPtrArray) names = list_directory_if_any(directory);
    g_autofree char *text = NULL;
    g_autoptr(GString) all = g_string_new(NULL);

    if (g_file_get_contents(path, &text, NULL, NULL))
        g_string_append(all, text);
    for (guint i = 0; i < names->len; i++) {
        g_autofree char *file = g_build_filename(directory, names->pdata[i], NULL), *part = NULL;
        if (g_str_has_suffix(names->pdata[i], ".conf") && g_file_get_contents(file, &part, NULL, NULL))
            g_string_append_printf(all, "\n%s", part);
    }
    return g_string_free(g_steal_pointer(&all), FALSE);
}

char *pacman_repositories(DistroSession *session) {
    g_autofree char *text = configuration_text(session);
    return g_strconcat(text, session->cache_is_private ? session->package_cache : "", NULL);
}

/* The folder of these repositories, below the package cache: databases do not say where they are from. */
static char *folder(DistroSession *session) {
    g_autofree char *text = configuration_text(session);
    g_autofree char *digest = g_compute_checksum_for_string(G_CHECKSUM_SHA256, text, -1);
    return g_strdup_printf(DATABASES "/%.16s", digest);
}

static char *in_cache(DistroSession *session, const char *directory, const char *name) {
    return g_build_filename(session->package_cache, directory, name, NULL);
}

/* What was fetched: the day of the newest package (seconds since 1970), then the names of the files. NULL: nothing
 * was. */
static char **read_stamp(DistroSession *session, const char *directory) {
    g_autofree char *path = in_cache(session, directory, STAMP), *text = NULL;
    g_auto(GStrv) lines = g_file_get_contents(path, &text, NULL, NULL) ? g_strsplit(text, "\n", -1) : NULL;
    guint length = lines ? g_strv_length(lines) : 0;

    if (length < 2)
        return NULL;
    g_clear_pointer(&lines[length - 1], g_free); /* Behind the last newline is nothing. */
    for (char **name = lines + 1; *name; name++)
        if (!**name || **name == '.' || strchr(*name, '/'))
            return NULL;
    return g_steal_pointer(&lines);
}

static gint64 stamp_date(char *const *stamp) {
    gint64 date = -1;
    return stamp && g_ascii_string_to_signed(stamp[0], 10, 0, G_MAXINT64, &date, NULL) ? date : -1;
}

/* The first file that is not what was recorded; NULL when there is none. */
static char *find_unverified(DistroSession *session, const char *directory, char *const *stamp) {
    g_autoptr(Verified) verified = verified_read(session->package_cache, RECORD);

    for (char *const *name = stamp + 1; *name; name++) {
        g_autofree char *file = g_build_filename(directory, *name, NULL);
        g_autofree char *recorded = g_strdup(verified_recorded(verified, file));
        g_autofree char *digest = recorded ? verified_digest(verified, file, NULL) : NULL;
        if (g_strcmp0(digest, recorded) != 0 || !digest)
            return g_steal_pointer(&file);
    }
    /* Files whose state has settled need not be read the next time. */
    ignore_failure(verified_write(verified, NULL));
    return NULL;
}

gboolean pacman_have_metadata(DistroSession *session) {
    g_autofree char *directory = folder(session), *changed = NULL;
    AUTO_FD lock = cache_lock_metadata(session, FALSE, NULL);
    g_auto(GStrv) stamp = read_stamp(session, directory);

    if (!stamp || !(changed = find_unverified(session, directory, stamp)))
        return stamp != NULL;
    events_warning("%s/%s is not what it was when it was fetched", session->package_cache, changed);
    return FALSE;
}

static gboolean is_database(const char *name) {
    return g_str_has_suffix(name, ".db") || g_str_has_suffix(name, ".db.sig");
}

/* Reads all databases in DIRECTORY, so that none is kept that cannot be read. */
static gboolean find_newest(const char *directory, gint64 *ret, GError **error) {
    g_autoptr(GPtrArray) names = list_directory_if_any(directory);

    *ret = 0;
    for (guint i = 0; i < names->len; i++) {
        if (!g_str_has_suffix(names->pdata[i], ".db"))
            continue;
        g_autofree char *path = g_build_filename(directory, names->pdata[i], NULL);
        g_autoptr(GHashTable) packages = pacman_database_read_file(path, error);
        GHashTableIter iter;
        gpointer desc;
        if (!packages)
            return FALSE;
        g_hash_table_iter_init(&iter, packages);
        while (g_hash_table_iter_next(&iter, NULL, &desc))
            *ret = MAX(*ret, ((PacmanDesc *) desc)->built);
    }
    return TRUE;
}

static gboolean keep_file(DistroSession *session, Verified *verified, const char *from, const char *directory,
        const char *name, GError **error) {
    g_autofree char *source = g_build_filename(from, name, NULL);
    g_autofree char *target = in_cache(session, directory, name);
    g_autofree char *file = g_build_filename(directory, name, NULL);
    g_autofree char *content = NULL;
    gsize length = 0;

    if (!g_file_get_contents(source, &content, &length, error) ||
            !g_file_set_contents_full(target, content, length, G_FILE_SET_CONTENTS_CONSISTENT, 0644, error))
        return FALSE;
    g_autofree char *digest = verified_digest(verified, file, error);
    return digest != NULL;
}

/* What is in the workspace's FROM becomes what the cache has. */
static gboolean keep(DistroSession *session, const char *from, const char *directory, gint64 newest, GError **error) {
    g_autofree char *target = in_cache(session, directory, NULL);
    g_autofree char *stamp = in_cache(session, directory, STAMP);
    g_autoptr(Verified) verified = verified_read(session->package_cache, RECORD);
    g_autoptr(GPtrArray) names = list_directory_if_any(from);
    g_autoptr(GString) text = g_string_new(NULL);

    if (g_mkdir_with_parents(target, 0755) < 0)
        return set_errno_error(error, errno, "Cannot create %s", target);
    (void) g_unlink(stamp);
    g_string_append_printf(text, "%" G_GINT64_FORMAT "\n", newest);
    for (guint i = 0; i < names->len; i++) {
        if (!is_database(names->pdata[i]))
            continue;
        if (!keep_file(session, verified, from, directory, names->pdata[i], error))
            return FALSE;
        g_string_append_printf(text, "%s\n", (const char *) names->pdata[i]);
    }
    return verified_write(verified, error) && g_file_set_contents(stamp, text->str, text->len, error);
}

static char *format_day(gint64 seconds) {
    g_autoptr(GDateTime) time = g_date_time_new_from_unix_utc(seconds);
    return time ? g_date_time_format(time, "%Y-%m-%d") : g_strdup("?");
}

/* A mirror that serves an old state, whose packages are signed as well, keeps newer packages back. */
static gboolean check_no_way_back(DistroSession *session, const char *directory, gint64 newest, GError **error) {
    g_auto(GStrv) stamp = read_stamp(session, directory);
    gint64 before = stamp_date(stamp);

    if (session->config->snapshot || newest + BACK_DAYS * DAY >= before)
        return TRUE;
    g_autofree char *now = format_day(newest), *then = format_day(before);
    g_autofree char *what = g_strdup_printf("The newest package of the repositories is of %s; the last time it was of "
                                            "%s: the mirror went back to an old state",
            now, then);
    if (!session->config->repository_date_check) {
        events_warning("%s", what);
        return TRUE;
    }
    g_set_error(error, DISTRO_ERROR, DISTRO_ERROR_MIRROR,
            "%s. Take another Mirror=, or set Snapshot= where an old state is wanted; RepositoryDateCheck=no lets it "
            "pass",
            what);
    return FALSE;
}

/* An empty directory of the workspace; owned by the caller. */
static char *empty_directory(DistroSession *session, const char *name, GError **error) {
    g_autofree char *path = pacman_path(session, name);

    if (!tree_remove(AT_FDCWD, path, error))
        return NULL;
    if (g_mkdir_with_parents(path, 0755) == 0)
        return g_steal_pointer(&path);
    set_errno_error(error, errno, "Cannot create %s", path);
    return NULL;
}

gboolean pacman_sync(DistroSession *session, GError **error) {
    g_autofree char *fetched = empty_directory(session, "fetched", error);
    g_autofree char *directory = folder(session);
    gint64 newest;

    if (!fetched || !pacman_keyring_prepare(session, error))
        return FALSE;
    g_autoptr(GPtrArray) argv = pacman_transaction(session, "--sync");
    g_autoptr(Sandbox) sandbox = pacman_sandbox(session, NULL, PACMAN_NETWORK | PACMAN_FETCH, error);
    if (!sandbox)
        return FALSE;
    pacman_add_words(argv, "--refresh", "--refresh", NULL);
    if (!pacman_run(session, sandbox, argv, NULL, DISTRO_ERROR_MIRROR, "Check the network, Mirror= and Repositories=.",
                NULL, error)) {
        g_prefix_error(error, "Cannot fetch repository metadata: ");
        return FALSE;
    }
    if (!find_newest(fetched, &newest, error))
        return FALSE;
    AUTO_FD lock = cache_lock_metadata(session, TRUE, error);
    return lock >= 0 && check_no_way_back(session, directory, newest, error) &&
           keep(session, fetched, directory, newest, error);
}

gboolean pacman_check_metadata(DistroSession *session, GError **error) {
    AUTO_FD lock = cache_lock_metadata(session, FALSE, error);
    g_autofree char *directory = folder(session), *changed = NULL;
    g_auto(GStrv) stamp = read_stamp(session, directory);
    gint64 date = stamp_date(stamp), days = (g_get_real_time() / G_USEC_PER_SEC - date) / DAY;

    if (lock < 0)
        return FALSE;
    if (!stamp || (changed = find_unverified(session, directory, stamp))) {
        g_set_error(error, DISTRO_ERROR, DISTRO_ERROR_MIRROR,
                "%s/%s is not what it was when it was fetched, and CacheOnly= forbids to fetch it again",
                session->package_cache, changed ? changed : directory);
        return FALSE;
    }
    if (date > 0 && days > OLD_DAYS && !session->config->snapshot && !session->config->local_mirror)
        events_warning("The newest package of the repositories is %" G_GINT64_FORMAT " days old: the mirror may be "
                       "keeping newer packages back",
                days);
    return TRUE;
}

static gboolean copy_taken(DistroSession *session, const char *directory, char *const *stamp, GError **error) {
    g_autofree char *target = empty_directory(session, "sync", error);

    for (char *const *name = target ? stamp + 1 : NULL; name && *name; name++) {
        g_autofree char *from = in_cache(session, directory, *name);
        g_autofree char *to = g_build_filename(target, *name, NULL);
        if (!tree_copy(AT_FDCWD, from, AT_FDCWD, to, 0, error))
            return FALSE;
    }
    return target != NULL;
}

/* The copy of the local repository's database goes with the others. */
static gboolean copy_local(DistroSession *session, GError **error) {
    g_autofree char *from = pacman_path(session, PACMAN_LOCAL ".db");
    g_autofree char *to = pacman_path(session, "sync/" PACMAN_LOCAL ".db");

    return !session->local_repository_indexed || tree_copy(AT_FDCWD, from, AT_FDCWD, to, 0, error);
}

gboolean pacman_take_metadata(DistroSession *session, GError **error) {
    PacmanState *state = pacman_state(session);
    AUTO_FD lock = cache_lock_metadata(session, FALSE, error);
    g_autofree char *directory = folder(session), *changed = NULL, *record = NULL;
    g_autofree char *path = in_cache(session, directory, STAMP);
    g_auto(GStrv) stamp = read_stamp(session, directory);

    if (lock < 0)
        return FALSE;
    if (!stamp) {
        g_set_error(error, DISTRO_ERROR, DISTRO_ERROR_MIRROR, "There is no metadata of the repositories in %s yet",
                session->package_cache);
        return FALSE;
    }
    if ((changed = find_unverified(session, directory, stamp))) {
        g_set_error(error, DISTRO_ERROR, DISTRO_ERROR_MIRROR, "%s/%s is not what it was when it was fetched; try -ff",
                session->package_cache, changed);
        return FALSE;
    }
    g_autoptr(Verified) verified = verified_read(session->package_cache, RECORD);
    g_autoptr(GString) all = g_string_new(NULL);
    for (char **name = stamp + 1; *name; name++) {
        g_autofree char *file = g_build_filename(directory, *name, NULL);
        g_string_append_printf(all, "%s %s\n", file, verified_recorded(verified, file));
    }
    if (g_strcmp0(state->taken, all->str) == 0)
        return TRUE;
    if (!copy_taken(session, directory, stamp, error) || !copy_local(session, error))
        return FALSE;
    g_free(state->taken);
    state->taken = g_strdup(all->str);
    return TRUE;
}

GHashTable *pacman_read_database(DistroSession *session, const char *repository, GError **error) {
    g_autofree char *name = g_strconcat("sync/", repository, ".db", NULL);
    g_autofree char *path = pacman_path(session, name);

    return pacman_database_read_file(path, error);
}

/* repo-add writes the time into its database, so what counts is what it says. */
static gboolean digest_local(DistroSession *session, GChecksum *checksum, GError **error) {
    g_autoptr(GHashTable) packages = pacman_read_database(session, PACMAN_LOCAL, error);
    g_autoptr(GPtrArray) names = g_ptr_array_new();
    GHashTableIter iter;
    gpointer name;

    if (!packages)
        return FALSE;
    g_hash_table_iter_init(&iter, packages);
    while (g_hash_table_iter_next(&iter, &name, NULL))
        g_ptr_array_add(names, name);
    g_ptr_array_sort(names, compare_strings);
    for (guint i = 0; i < names->len; i++) {
        const PacmanDesc *desc = g_hash_table_lookup(packages, names->pdata[i]);
        g_autofree char *line = g_strdup_printf("%s %s\n", desc->name, desc->sha256);
        g_checksum_update(checksum, (const guchar *) line, -1);
    }
    return TRUE;
}

gboolean pacman_digest_metadata(DistroSession *session, GChecksum *checksum, GError **error) {
    g_autofree char *configuration = configuration_text(session);

    g_checksum_update(checksum, (const guchar *) configuration, -1);
    g_checksum_update(checksum, (const guchar *) pacman_state(session)->taken, -1);
    return !session->local_repository_indexed || digest_local(session, checksum, error);
}

char *pacman_metadata_digest(DistroSession *session) {
    g_autoptr(GChecksum) checksum = g_checksum_new(G_CHECKSUM_SHA256);

    if (!pacman_take_metadata(session, NULL) || !pacman_digest_metadata(session, checksum, NULL))
        return g_strdup("");
    return g_strdup(g_checksum_get_string(checksum));
}

GPtrArray *pacman_list_repositories(DistroSession *session, GError **error) {
    GPtrArray *repositories = g_ptr_array_new_with_free_func((GDestroyNotify) distro_repository_free);
    g_autofree char *text = configuration_text(session);
    g_autofree char *directory = folder(session);
    g_autoptr(Verified) verified = verified_read(session->package_cache, RECORD);

    pacman_configuration_list(text, pacman_architecture(session->config->architecture), repositories);
    for (guint i = 0; i < repositories->len; i++) {
        DistroRepository *repository = repositories->pdata[i];
        g_autofree char *file = g_strdup_printf("%s/%s.db", directory, repository->suite);
        repository->digest = g_strdup(verified_recorded(verified, file));
    }
    return repositories;
}
