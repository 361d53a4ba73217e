/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Fetching package files and their signatures into the cache. */
#include "distro/pacman/download.h"

#include "base/cleanup.h"
#include "distro/driver/archives.h"
#include "distro/driver/cache-lock.h"
#include "distro/pacman/keyring.h"
#include "distro/pacman/resolve.h"
#include "distro/pacman/run.h"
#include "distro/pacman/signatures.h"

/* The files of PACKAGES that are not in the cache as they should be; owned by the caller. */
static GHashTable *find_missing(DistroSession *session, GPtrArray *packages, GError **error) {
    g_autoptr(GPtrArray) files = archives_check(session, packages, error);
    g_autoptr(GPtrArray) signatures = files ? pacman_signatures_check(session, packages, error) : NULL;
    GHashTable *missing = signatures ? g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL) : NULL;

    for (guint i = 0; missing && i < files->len; i++)
        g_hash_table_add(missing, g_strdup(files->pdata[i]));
    for (guint i = 0; missing && i < signatures->len; i++)
        g_hash_table_add(missing, g_strdup(signatures->pdata[i]));
    return missing;
}

/* FALSE with ERROR set when one of the files MISSING has to be downloaded, and must not be. */
static gboolean check_offline(DistroSession *session, GHashTable *missing, GError **error) {
    GHashTableIter iter;
    gpointer file;

    g_hash_table_iter_init(&iter, missing);
    while (session->config->cache_only == CACHE_ONLY_ALWAYS && g_hash_table_iter_next(&iter, &file, NULL)) {
        g_autofree char *path = g_build_filename(session->package_cache, "archives", file, NULL);
        if (g_file_test(path, G_FILE_TEST_EXISTS))
            continue;
        g_set_error(error, DISTRO_ERROR, DISTRO_ERROR_MIRROR,
                "Cannot download %s: CacheOnly=always lets packages come from the cache only, and it is not there",
                (const char *) file);
        return FALSE;
    }
    return TRUE;
}

/* All is chosen already, so dependencies do not matter. pacman verifies what it has downloaded, and what was there. */
static gboolean fetch(
        DistroSession *session, GPtrArray *choices, GHashTable *missing, PacmanOutput *output, GError **error) {
    gboolean offline = session->config->cache_only == CACHE_ONLY_ALWAYS;
    g_autoptr(GPtrArray) argv = pacman_transaction(session, "--sync");
    g_autoptr(Sandbox) sandbox = pacman_sandbox(session, NULL, offline ? 0 : PACMAN_NETWORK, error);

    if (!sandbox)
        return FALSE;
    pacman_add_words(argv, "--downloadonly", "--nodeps", "--nodeps", NULL);
    for (guint i = 0; i < choices->len; i++) {
        const PacmanChoice *choice = choices->pdata[i];
        if (g_hash_table_contains(missing, choice->package->file))
            g_ptr_array_add(argv, g_strdup_printf("%s/%s", choice->repository, choice->package->name));
    }
    if (pacman_run(session, sandbox, argv, output, DISTRO_ERROR_MIRROR,
                "Check the network and Mirror=; if the archive has moved on, fetch its metadata again with -ff.", NULL,
                error))
        return TRUE;
    g_prefix_error(error, "Cannot download packages: ");
    return FALSE;
}

/* Files that were there and are wrong pacman removes and gives up; the second attempt downloads them. */
static gboolean fetch_again(DistroSession *session, GPtrArray *choices, GHashTable *missing, GError **error) {
    g_autoptr(PacmanOutput) output = pacman_output_new(NULL, NULL, 0);
    g_autoptr(PacmanOutput) second = pacman_output_new(NULL, NULL, 0);
    g_autoptr(GError) failure = NULL;

    if (fetch(session, choices, missing, output, &failure))
        return TRUE;
    if (session->cache_is_private && pacman_output_removed_files(output))
        return fetch(session, choices, missing, second, error);
    g_propagate_error(error, g_steal_pointer(&failure));
    return FALSE;
}

static gboolean fetch_missing(DistroSession *session, GPtrArray *choices, GPtrArray *packages, GError **error) {
    AUTO_FD lock = cache_lock_packages(session, error);
    g_autoptr(GHashTable) missing = lock >= 0 ? find_missing(session, packages, error) : NULL;

    if (!missing)
        return FALSE;
    if (g_hash_table_size(missing) == 0)
        return TRUE;
    if (!check_offline(session, missing, error) || !fetch_again(session, choices, missing, error))
        return FALSE;
    g_autoptr(GPtrArray) wrong = archives_check(session, packages, error);
    if (!wrong)
        return FALSE;
    if (wrong->len == 0)
        return pacman_signatures_record(session, packages, error);
    g_set_error(error, DISTRO_ERROR, DISTRO_ERROR_MIRROR,
            "%s was downloaded and is not what the database of the repository says. Somebody else changes files in "
            "%s, or the metadata there is damaged: try -ff",
            (const char *) wrong->pdata[0], session->package_cache);
    return FALSE;
}

gboolean pacman_download(
        DistroSession *session, const char *root, char *const *packages, gboolean bootstrap, GError **error) {
    g_autoptr(GPtrArray) choices = pacman_choose(session, root, packages, bootstrap, error);
    g_autoptr(GPtrArray) files = choices ? pacman_choice_packages(choices) : NULL;

    if (!files || !pacman_keyring_prepare(session, error) ||
            (session->cache_is_private &&
                    (!archives_copy(session, files, session->shared_package_cache, error) ||
                            !pacman_signatures_copy(session, files, session->shared_package_cache, error))))
        return FALSE;
    return (archives_complete(session, files) && pacman_signatures_complete(session, files)) ||
           fetch_missing(session, choices, files, error);
}
