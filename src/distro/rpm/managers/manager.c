/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "distro/rpm/managers/manager.h"

#include <string.h>

#include "base/cleanup.h"
#include "distro/driver/archives.h"
#include "distro/driver/cache-lock.h"
#include "distro/driver/resolve-cache.h"
#include "distro/driver/session.h"
#include "distro/rpm/family/family.h"
#include "distro/rpm/metadata/metadata.h"
#include "distro/rpm/metadata/resolve.h"
#include "distro/rpm/run/configuration.h"
#include "distro/rpm/run/run.h"

void rpm_add_words(GPtrArray *argv, const char *const *words) {
    for (; words && *words; words++)
        g_ptr_array_add(argv, g_strdup(*words));
}

/* The answer of an empty tree depends on what this digests, and on nothing else. */
static char *resolve_key(DistroSession *session, GPtrArray *question) {
    g_autoptr(GChecksum) checksum = rpm_digest_metadata(session);
    const char *tools = session->tools_tree ? session->tools_tree : "/";

    for (const char *const *program = session->ops->programs; *program; program++) {
        g_autofree char *path = g_build_filename(tools, *program, NULL);
        resolve_cache_digest_program(checksum, path);
    }
    for (guint i = 0; i < question->len; i++)
        g_checksum_update(checksum, question->pdata[i], strlen(question->pdata[i]) + 1);
    return g_strdup(g_checksum_get_string(checksum));
}

static GPtrArray *resolve_with(
        DistroSession *session, const char *root, char *const *base, char *const *packages, GError **error) {
    const RpmManager *manager = rpm_state(session)->manager;
    g_autoptr(GPtrArray) question = manager->question(session, base, packages);
    g_autofree char *key = root ? NULL : resolve_key(session, question);
    g_autofree char *kept = key ? resolve_cache_get(session->package_cache, key) : NULL;
    GPtrArray *known = kept ? rpm_packages_from_text(kept) : NULL;

    if (known)
        return known;
    g_autoptr(GPtrArray) choices = manager->ask(session, root, question, error);
    g_autoptr(GPtrArray) found = choices ? rpm_find_files(session, choices, error) : NULL;
    if (found && key) {
        g_autofree char *text = rpm_packages_to_text(found);
        resolve_cache_put(session->package_cache, key, text);
    }
    return g_steal_pointer(&found);
}

char *const *rpm_base(DistroSession *session, GError **error) {
    RpmState *state = rpm_state(session);

    if (state->base)
        return state->base;
    g_auto(GStrv) names = rpm_family_base(session->config);
    g_autoptr(GPtrArray) files = resolve_with(session, NULL, names, NULL, error);
    if (!files)
        return NULL;
    g_autoptr(GPtrArray) exact = g_ptr_array_new();
    for (guint i = 0; i < files->len; i++) {
        const DistroPackage *package = files->pdata[i];
        g_ptr_array_add(exact, g_strdup_printf("%s-%s.%s", package->name, package->version, package->architecture));
    }
    g_ptr_array_add(exact, NULL);
    state->base = (char **) g_ptr_array_free(g_steal_pointer(&exact), FALSE);
    return state->base;
}

GPtrArray *rpm_resolve(
        DistroSession *session, const char *root, char *const *packages, gboolean bootstrap, GError **error) {
    char *const *base = bootstrap ? rpm_base(session, error) : NULL;

    return bootstrap && !base ? NULL : resolve_with(session, root, base, packages, error);
}

static gboolean fetch_missing(DistroSession *session, const char *root, char *const *packages, gboolean bootstrap,
        GPtrArray *files, GError **error) {
    AUTO_FD lock = cache_lock_packages(session, error);

    if (lock < 0)
        return FALSE;
    g_autoptr(GPtrArray) missing = archives_check(session, files, error);
    if (!missing)
        return FALSE;
    if (missing->len == 0)
        return TRUE;
    if (!rpm_state(session)->manager->fetch(
                session, root, bootstrap ? rpm_base(session, NULL) : NULL, packages, files, error)) {
        g_prefix_error(error, "Cannot download packages: ");
        return FALSE;
    }
    g_autoptr(GPtrArray) wrong = archives_check(session, files, error);
    if (!wrong)
        return FALSE;
    if (wrong->len == 0)
        return TRUE;
    g_set_error(error, DISTRO_ERROR, DISTRO_ERROR_MIRROR,
            "%s was downloaded and is not what the list of the repository says. Somebody else changes files in %s, or "
            "the metadata there is damaged: try -ff",
            (const char *) wrong->pdata[0], session->package_cache);
    return FALSE;
}

gboolean rpm_download(
        DistroSession *session, const char *root, char *const *packages, gboolean bootstrap, GError **error) {
    g_autoptr(GPtrArray) files = rpm_resolve(session, root, packages, bootstrap, error);

    if (!files || (session->cache_is_private && !archives_copy(session, files, session->shared_package_cache, error)))
        return FALSE;
    return archives_complete(session, files) || fetch_missing(session, root, packages, bootstrap, files, error);
}

/* Times in the index are those of a revision that is the same for the same packages. */
gboolean rpm_index_local(DistroSession *session, GError **error) {
    const char *const index[] = {"createrepo_c", "--quiet", "--no-database", "--simple-md-filenames", "--revision=1",
            "--set-timestamp-to-revision", "/repository", NULL};
    g_autoptr(Sandbox) indexer = sandbox_new_for_tools(session->tools_tree);

    sandbox_bind(indexer, session->local_repository, "/repository", 0);
    if (!sandbox_run(indexer, index, error)) {
        g_prefix_error(error, "Cannot index the packages of PackageDirectories=: ");
        return FALSE;
    }
    session->local_repository_indexed = TRUE;
    return rpm_configure_local(session, error);
}

char *rpm_metadata_digest(DistroSession *session) {
    g_autoptr(GChecksum) checksum = rpm_digest_metadata(session);
    return g_strdup(g_checksum_get_string(checksum));
}

char *rpm_image_configuration(DistroSession *session) {
    return NULL;
}

void rpm_sandbox_mounts(DistroSession *session, Sandbox *sandbox) {
    g_autofree char *metadata = g_build_filename(session->package_cache, "metadata", NULL);
    g_autofree char *archives = g_build_filename(session->package_cache, "archives", NULL);

    rpm_sandbox_configuration(session, sandbox);
    session_throwaway(session, sandbox, metadata, "metadata", RPM_CACHE);
    session_throwaway(session, sandbox, archives, "archives", RPM_ARCHIVES);
}
