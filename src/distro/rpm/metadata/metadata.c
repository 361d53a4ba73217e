/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "distro/rpm/metadata/metadata.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/directory.h"
#include "base/errors.h"
#include "base/hex.h"
#include "base/sha256.h"
#include "distro/driver/cache-lock.h"
#include "distro/driver/resolve-cache.h"
#include "distro/driver/verified.h"
#include "distro/rpm/family/keys.h"
#include "distro/rpm/run/configuration.h"
#include "distro/rpm/run/run.h"
#include "events/events.h"
#include "tree/tree.h"

#define METADATA "metadata"
#define RECORD "verified-metadata"
#define HASH_LENGTH 16

/* Remembers which repositories the metadata belongs to, so that metadata of others is never taken for it. */
static char *stamp_path(DistroSession *session) {
    return g_build_filename(session->package_cache, METADATA, "particleos.repositories", NULL);
}

/* Adds the regular files below DIRECTORY of the cache. What is a link is ours (packages, archives). */
static void list_files(const DistroSession *session, const char *directory, GPtrArray *files) {
    g_autofree char *path = g_build_filename(session->package_cache, directory, NULL);
    g_autoptr(GPtrArray) names = list_directory_if_any(path);

    for (guint i = 0; i < names->len; i++) {
        const char *name = names->pdata[i];
        g_autofree char *below = g_build_filename(directory, name, NULL);
        g_autofree char *full = g_build_filename(path, name, NULL);
        if (g_file_test(full, G_FILE_TEST_IS_SYMLINK) || g_str_has_suffix(name, ".pid") ||
                g_str_equal(name, "particleos.repositories") || g_str_equal(name, "archives"))
            continue;
        if (g_file_test(full, G_FILE_TEST_IS_DIR))
            list_files(session, below, files);
        else
            g_ptr_array_add(files, g_steal_pointer(&below));
    }
}

static GPtrArray *list_metadata(const DistroSession *session) {
    GPtrArray *files = g_ptr_array_new_with_free_func(g_free);
    list_files(session, METADATA, files);
    return files;
}

/* The first file that is not what was recorded, or was not recorded; NULL when there is none. */
static char *find_unverified(DistroSession *session) {
    g_autoptr(Verified) verified = verified_read(session->package_cache, RECORD);
    g_autoptr(GPtrArray) files = list_metadata(session);

    for (guint i = 0; i < files->len; i++) {
        g_autofree char *recorded = g_strdup(verified_recorded(verified, files->pdata[i]));
        g_autofree char *digest = recorded ? verified_digest(verified, files->pdata[i], NULL) : NULL;
        if (!digest || !g_str_equal(digest, recorded))
            return g_strdup(files->pdata[i]);
    }
    /* Files whose state has settled need not be read the next time. */
    ignore_failure(verified_write(verified, NULL));
    return NULL;
}

static gboolean is_of_session(DistroSession *session) {
    g_autofree char *stamp = stamp_path(session), *wanted = rpm_repositories(session), *synced = NULL;
    return g_file_get_contents(stamp, &synced, NULL, NULL) && g_str_equal(synced, wanted);
}

gboolean rpm_have_metadata(DistroSession *session) {
    g_autofree char *changed = NULL;
    AUTO_FD lock = cache_lock_metadata(session, FALSE, NULL);

    if (rpm_state(session)->missing_keys->len > 0 || !is_of_session(session))
        return FALSE;
    if (!(changed = find_unverified(session)))
        return TRUE;
    events_warning("%s/%s is not what was verified when it was fetched", session->package_cache, changed);
    return FALSE;
}

/* dnf takes what lies there for what it fetched. */
static gboolean prepare_fetching(DistroSession *session, GError **error) {
    g_autofree char *stamp = stamp_path(session), *changed = find_unverified(session);
    AUTO_FD cache = open(session->package_cache, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    gboolean fresh = changed || !is_of_session(session);

    (void) g_unlink(stamp);
    if (cache < 0)
        return set_errno_error(error, errno, "Cannot open %s", session->package_cache);
    return (!fresh || tree_remove(cache, METADATA, error)) && tree_mkdir_p(cache, METADATA "/archives", 0755, error) &&
           rpm_forget_changes(session, error);
}

static gboolean is_directory_of_repository(const char *name, const char *id) {
    gsize length = strlen(name);

    return length > HASH_LENGTH + 1 && name[length - HASH_LENGTH - 1] == '-' &&
           hex_is_lower(name + length - HASH_LENGTH, HASH_LENGTH) &&
           (!id || (strlen(id) == length - HASH_LENGTH - 1 && g_str_has_prefix(name, id)));
}

/* Packages of all repositories lie in one folder, where they are checked. Keys that metadata was checked with are read
 * again the next time. */
static gboolean link_packages(DistroSession *session, GError **error) {
    g_autofree char *metadata = g_build_filename(session->package_cache, METADATA, NULL);
    g_autoptr(GPtrArray) names = list_directory_if_any(metadata);

    for (guint i = 0; i < names->len; i++) {
        g_autofree char *link = g_build_filename(metadata, names->pdata[i], "packages", NULL);
        g_autofree char *keys = g_build_filename(metadata, names->pdata[i], "pubring", NULL);
        if (!is_directory_of_repository(names->pdata[i], NULL))
            continue;
        if (!tree_remove(AT_FDCWD, keys, error))
            return FALSE;
        if (!g_file_test(link, G_FILE_TEST_IS_SYMLINK) && symlink("../archives", link) < 0)
            return set_errno_error(error, errno, "Cannot create %s", link);
    }
    return TRUE;
}

static gboolean record_metadata(DistroSession *session, GError **error) {
    g_autoptr(Verified) verified = verified_read(session->package_cache, RECORD);
    g_autoptr(GPtrArray) files = list_metadata(session);

    for (guint i = 0; i < files->len; i++) {
        g_autofree char *digest = verified_digest(verified, files->pdata[i], error);
        if (!digest)
            return FALSE;
    }
    return verified_write(verified, error);
}

static gboolean fetch_locked(DistroSession *session, RpmFetch fetch, GError **error) {
    g_autofree char *stamp = stamp_path(session), *repositories = rpm_repositories(session);

    return prepare_fetching(session, error) && rpm_keys_fetch(session, rpm_state(session)->missing_keys, error) &&
           fetch(session, error) && link_packages(session, error) && record_metadata(session, error) &&
           g_file_set_contents(stamp, repositories, -1, error);
}

gboolean rpm_sync_metadata(DistroSession *session, RpmFetch fetch, GError **error) {
    AUTO_FD lock = cache_lock_metadata(session, TRUE, error);

    if (lock < 0)
        return FALSE;
    session->fetches_metadata = TRUE;
    gboolean good = fetch_locked(session, fetch, error);
    session->fetches_metadata = FALSE;
    return good;
}

gboolean rpm_check_metadata(DistroSession *session, GError **error) {
    AUTO_FD lock = cache_lock_metadata(session, FALSE, error);
    g_autofree char *changed = lock < 0 ? NULL : find_unverified(session);

    if (lock < 0 || !changed)
        return lock >= 0;
    g_set_error(error, DISTRO_ERROR, DISTRO_ERROR_MIRROR,
            "%s/%s is not what was verified when it was fetched, and CacheOnly= forbids to fetch it again",
            session->package_cache, changed);
    return FALSE;
}

/* ---- what there is ---- */

static gboolean is_list(const char *name) {
    return strstr(name, "primary.xml") != NULL;
}

static void add_lists(GPtrArray *lists, const char *repodata) {
    g_autoptr(GPtrArray) names = list_directory_if_any(repodata);

    for (guint i = 0; i < names->len; i++)
        if (is_list(names->pdata[i]))
            g_ptr_array_add(lists, g_build_filename(repodata, names->pdata[i], NULL));
}

GPtrArray *rpm_package_lists(const DistroSession *session, const char *id) {
    g_autofree char *metadata = g_build_filename(session->package_cache, METADATA, NULL);
    GPtrArray *lists = g_ptr_array_new_with_free_func(g_free);

    if (g_str_equal(id, "mkosi") && session->local_repository) {
        g_autofree char *repodata = g_build_filename(session->local_repository, "repodata", NULL);
        add_lists(lists, repodata);
        return lists;
    }
    g_autoptr(GPtrArray) names = list_directory_if_any(metadata);
    for (guint i = 0; i < names->len; i++) {
        g_autofree char *repodata = g_build_filename(metadata, names->pdata[i], "repodata", NULL);
        if (is_directory_of_repository(names->pdata[i], id))
            add_lists(lists, repodata);
    }
    g_autofree char *raw = g_build_filename(metadata, "raw", id, "repodata", NULL);
    add_lists(lists, raw);
    return lists;
}

GChecksum *rpm_digest_metadata(DistroSession *session) {
    GChecksum *checksum = g_checksum_new(G_CHECKSUM_SHA256);
    g_autofree char *metadata = g_build_filename(session->package_cache, METADATA, NULL);
    g_autofree char *configuration = g_build_filename(session->workspace, "rpm", NULL);

    /* It holds the digests of all lists. */
    resolve_cache_digest_files(checksum, metadata, "repomd.xml");
    resolve_cache_digest_files(checksum, configuration, NULL);
    if (session->local_repository)
        resolve_cache_digest_files(checksum, session->local_repository, "repomd.xml");
    return checksum;
}

/* ---- for people and programs ---- */

/* A mirror of those that the metalink of the repository names; NULL when there is none. */
static char *first_mirror(const char *directory) {
    g_autofree char *path = g_build_filename(directory, "metalink.xml", NULL), *text = NULL;

    if (!g_file_get_contents(path, &text, NULL, NULL))
        return NULL;
    const char *end = strstr(text, "/repodata/repomd.xml<"), *start = end;
    while (start && start > text && start[-1] != '>')
        start--;
    return end && g_str_has_prefix(start, "http") ? g_strndup(start, end - start) : NULL;
}

static char *expand_url(const ImageConfig *config, const char *url, const char *architecture) {
    g_autoptr(GString) text = g_string_new(url);
    g_autofree char *stream = g_strdup_printf("%.*s-stream", (int) strcspn(config->release, "."), config->release);

    g_string_replace(text, "$releasever", config->release, 0);
    g_string_replace(text, "$basearch", architecture, 0);
    g_string_replace(text, "$stream", stream, 0);
    while (text->len > 0 && text->str[text->len - 1] == '/')
        g_string_truncate(text, text->len - 1);
    return g_string_free(g_steal_pointer(&text), FALSE);
}

/* The directory of repository ID in the cache; NULL when its metadata was not fetched. */
static char *find_directory(const DistroSession *session, const char *id) {
    g_autofree char *metadata = g_build_filename(session->package_cache, METADATA, NULL);
    g_autoptr(GPtrArray) names = list_directory_if_any(metadata);

    for (guint i = 0; i < names->len; i++)
        if (is_directory_of_repository(names->pdata[i], id))
            return g_build_filename(metadata, names->pdata[i], NULL);
    g_autofree char *raw = g_build_filename(metadata, "raw", id, NULL);
    return g_file_test(raw, G_FILE_TEST_IS_DIR) ? g_steal_pointer(&raw) : NULL;
}

/* A password in an address is nobody's business. */
static char *without_password(const char *url) {
    const char *scheme = strstr(url, "://"), *at = scheme ? strchr(scheme, '@') : NULL;
    const char *slash = scheme ? strchr(scheme + 3, '/') : NULL;

    if (!at || (slash && slash < at))
        return g_strdup(url);
    return g_strdup_printf("%.*s://%s", (int) (scheme - url), url, at + 1);
}

static DistroRepository *describe(DistroSession *session, GKeyFile *file, const char *id) {
    g_autofree char *base = g_key_file_get_string(file, id, "baseurl", NULL);
    g_autofree char *metalink = g_key_file_get_string(file, id, "metalink", NULL);
    g_autofree char *list = g_key_file_get_string(file, id, "mirrorlist", NULL);
    g_autofree char *directory = find_directory(session, id);
    g_autofree char *mirror = directory && !base ? first_mirror(directory) : NULL;
    const char *written = base ? base : mirror ? mirror : metalink ? metalink : list;
    DistroRepository *repository = g_new0(DistroRepository, 1);
    g_autofree char *url = expand_url(
            session->config, written ? written : "", session->ops->architecture(session->config->architecture));
    guint8 digest[SHA256_SIZE];

    repository->url = without_password(url);
    repository->suite = g_strdup(id);
    repository->components = g_strdup("");
    repository->metadata = base || mirror ? g_strconcat(url, "/repodata/repomd.xml", NULL) : g_strdup(url);
    g_autofree char *repomd = directory ? g_build_filename(directory, "repodata/repomd.xml", NULL) : NULL;
    if (repomd && sha256_file(repomd, digest, NULL))
        repository->digest = hex_encode(digest, sizeof digest);
    return repository;
}

static gboolean is_enabled(DistroSession *session, GKeyFile *file, const char *id) {
    g_autofree char *enabled = g_key_file_get_string(file, id, "enabled", NULL);

    return !enabled || g_str_equal(enabled, "1") || g_str_equal(enabled, "true") ||
           g_strv_contains((const char *const *) session->config->repositories, id);
}

GPtrArray *rpm_list_repositories(DistroSession *session, GError **error) {
    g_autoptr(GPtrArray) repositories = g_ptr_array_new_with_free_func((GDestroyNotify) distro_repository_free);
    g_autofree char *all = rpm_repositories(session);
    g_autoptr(GKeyFile) file = g_key_file_new();

    /* Further lines of gpgkey= are no lines of GLib's key files. */
    g_autoptr(GRegex) continuation = g_regex_new("\n[ \t]+[^\n]*", 0, 0, NULL);
    g_autofree char *text = g_regex_replace_literal(continuation, all, -1, 0, "", 0, error);
    if (!text || !g_key_file_load_from_data(file, text, -1, 0, error)) {
        g_prefix_error(error, "Cannot read the repositories: ");
        return NULL;
    }
    g_auto(GStrv) ids = g_key_file_get_groups(file, NULL);
    for (char **id = ids; *id; id++)
        if (!g_str_equal(*id, "main") && is_enabled(session, file, *id))
            g_ptr_array_add(repositories, describe(session, file, *id));
    return g_steal_pointer(&repositories);
}
