/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "distro/apt/metadata.h"

#include <glib/gstdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/directory.h"
#include "base/errors.h"
#include "distro/apt/command.h"
#include "distro/apt/release-file.h"
#include "distro/apt/run.h"
#include "distro/driver/cache-lock.h"
#include "distro/driver/verified.h"
#include "events/events.h"

#define LISTS "lists"
#define RECORD "verified-lists"

char *apt_sources_text(DistroSession *session) {
    g_autofree char *sources =
            g_build_filename(session->workspace, "apt/sources.list.d/mkosi.sources", NULL);
    char *text = NULL;

    return g_file_get_contents(sources, &text, NULL, NULL) ? text : g_strdup("");
}

char *apt_repositories(DistroSession *session) {
    g_autofree char *text = apt_sources_text(session);
    return g_strconcat(text, session->cache_is_private ? session->package_cache : "", NULL);
}

/* Remembers which repositories the metadata belongs to, so that metadata of others is never taken for it. */
static char *stamp_path(DistroSession *session) {
    return g_build_filename(session->package_cache, LISTS, "particleos.sources", NULL);
}

/* The files that apt made of repositories. Those of local packages are made anew in each build. */
static GPtrArray *list_metadata(DistroSession *session) {
    GPtrArray *files = g_ptr_array_new_with_free_func(g_free);
    g_autofree char *directory = g_build_filename(session->package_cache, LISTS, NULL);
    g_autoptr(GPtrArray) names = list_directory_if_any(directory);

    for (guint i = 0; i < names->len; i++) {
        const char *name = names->pdata[i];
        g_autofree char *path = g_build_filename(directory, name, NULL);
        if (strstr(name, "_dists_") && !g_file_test(path, G_FILE_TEST_IS_DIR))
            g_ptr_array_add(files, g_build_filename(LISTS, name, NULL));
    }
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

gboolean apt_have_metadata(DistroSession *session) {
    g_autofree char *stamp = stamp_path(session);
    g_autofree char *wanted = apt_sources_text(session);
    g_autofree char *synced = NULL, *changed = NULL;
    AUTO_FD lock = cache_lock_metadata(session, FALSE, NULL);

    if (!g_file_get_contents(stamp, &synced, NULL, NULL) || !g_str_equal(synced, wanted))
        return FALSE;
    if (!(changed = find_unverified(session)))
        return TRUE;
    events_warning("%s/%s is not what was verified when it was fetched", session->package_cache, changed);
    (void) g_unlink(stamp);
    return FALSE;
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

/* apt takes a list for what the signed Release file says when its name and date fit; it looks at the content
 * only of what it fetches. */
static void drop_unverified(DistroSession *session) {
    g_autofree char *changed = NULL;

    while ((changed = find_unverified(session))) {
        g_autofree char *path = g_build_filename(session->package_cache, changed, NULL);
        if (g_unlink(path) < 0)
            return;
        g_clear_pointer(&changed, g_free);
    }
}

static gboolean fetch(DistroSession *session, GError **error) {
    g_autoptr(GPtrArray) argv = apt_command(session, "apt-get");
    g_autoptr(Sandbox) sandbox = apt_sandbox(session, NULL, APT_NETWORK);
    g_autofree char *stamp = stamp_path(session);
    g_autofree char *repositories = apt_sources_text(session);

    if (!apt_prepare_root(session, NULL, error))
        return FALSE;
    (void) g_unlink(stamp);
    drop_unverified(session);
    apt_add_words(argv, "update", "--error-on=any", NULL);
    if (!apt_run(session, sandbox, argv, NULL, DISTRO_ERROR_MIRROR,
                "Check the network, Mirror= and Release=, and that the archive's keyring is installed "
                "(package debian-archive-keyring or ubuntu-keyring).",
                NULL, error)) {
        g_prefix_error(error, "Cannot fetch repository metadata: ");
        return FALSE;
    }
    return record_metadata(session, error) && g_file_set_contents(stamp, repositories, -1, error);
}

gboolean apt_sync(DistroSession *session, GError **error) {
    AUTO_FD lock = cache_lock_metadata(session, TRUE, error);

    if (lock < 0)
        return FALSE;
    session->fetches_metadata = TRUE;
    gboolean good = fetch(session, error);
    session->fetches_metadata = FALSE;
    return good;
}

static gboolean is_release(const char *file) {
    return g_str_has_suffix(file, "_InRelease") || g_str_has_suffix(file, "_Release");
}

/* A mirror that stopped following its archive, or wants to keep devices on old versions, serves what was
 * once signed. Snapshots are meant to be old. */
static gboolean check_age(DistroSession *session, const char *file, GError **error) {
    g_autofree char *path = g_build_filename(session->package_cache, file, NULL);
    g_autofree char *text = NULL;
    g_auto(ReleaseFile) release = {};
    gint64 now = g_get_real_time() / G_USEC_PER_SEC;

    if (!g_file_get_contents(path, &text, NULL, error))
        return FALSE;
    release_file_parse(text, &release);
    if (release.valid_until < 0 || release.valid_until >= now)
        return TRUE;
    g_autofree char *what = g_strdup_printf("The metadata of %s %s (%s) ended %" G_GINT64_FORMAT
                                            " days ago, on %s: the mirror may be keeping "
                                            "newer packages back",
            release.origin ? release.origin : "the repository", release.suite ? release.suite : "",
            file + strlen(LISTS "/"), (now - release.valid_until) / (24 * 60 * 60),
            release.valid_until_text);
    if (!session->config->repository_date_check) {
        events_warning("%s", what);
        return TRUE;
    }
    g_set_error(error, DISTRO_ERROR, DISTRO_ERROR_MIRROR,
            "%s. Take another Mirror=, or set Snapshot= where an old state is wanted; "
            "RepositoryDateCheck=no "
            "lets it pass",
            what);
    return FALSE;
}

gboolean apt_check_metadata(DistroSession *session, GError **error) {
    AUTO_FD lock = cache_lock_metadata(session, FALSE, error);

    if (lock < 0)
        return FALSE;
    g_autofree char *changed = find_unverified(session);
    g_autoptr(GPtrArray) files = list_metadata(session);

    if (changed) {
        g_set_error(error, DISTRO_ERROR, DISTRO_ERROR_MIRROR,
                "%s/%s is not what was verified when it was fetched, and CacheOnly= forbids to fetch it "
                "again",
                session->package_cache, changed);
        return FALSE;
    }
    for (guint i = 0; !session->config->snapshot && i < files->len; i++)
        if (is_release(files->pdata[i]) && !check_age(session, files->pdata[i], error))
            return FALSE;
    return TRUE;
}
