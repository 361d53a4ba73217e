/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "distro/distro.h"

#include <fnmatch.h>

#include "distro/apt/apt.h"
#include "distro/custom.h"
#include "distro/driver/driver.h"
#include "distro/pacman/pacman.h"
#include "distro/rpm/managers/dnf.h"
#include "distro/rpm/managers/zypper.h"
#include "tree/tree.h"

/* NULL: nobody has written a driver for it. */
static const DistroOps *const drivers[_DISTRIBUTION_MAX] = {
        [DISTRIBUTION_DEBIAN] = &distro_apt_ops,
        [DISTRIBUTION_UBUNTU] = &distro_apt_ops,
        [DISTRIBUTION_KALI] = &distro_apt_ops,
        [DISTRIBUTION_ARCH] = &distro_pacman_ops,
        [DISTRIBUTION_FEDORA] = &distro_dnf_ops,
        [DISTRIBUTION_CENTOS] = &distro_dnf_ops,
        [DISTRIBUTION_RHEL] = &distro_dnf_ops,
        [DISTRIBUTION_RHEL_UBI] = &distro_dnf_ops,
        [DISTRIBUTION_ROCKY] = &distro_dnf_ops,
        [DISTRIBUTION_ALMA] = &distro_dnf_ops,
        [DISTRIBUTION_AZURE] = &distro_dnf_ops,
        [DISTRIBUTION_MAGEIA] = &distro_dnf_ops,
        [DISTRIBUTION_OPENMANDRIVA] = &distro_dnf_ops,
        [DISTRIBUTION_OPENSUSE] = &distro_zypper_ops,
        [DISTRIBUTION_CUSTOM] = &distro_custom_ops,
};

static char *list_supported(void) {
    g_autoptr(GString) names = g_string_new(NULL);

    for (Distribution distribution = 0; distribution < _DISTRIBUTION_MAX; distribution++)
        if (drivers[distribution])
            g_string_append_printf(names, "%s%s", names->len > 0 ? ", " : "", distribution_to_string(distribution));
    return g_string_free(g_steal_pointer(&names), FALSE);
}

static const DistroOps *find_driver(Distribution distribution, GError **error) {
    const DistroOps *ops = drivers[distribution];
    g_autofree char *supported = ops ? NULL : list_supported();

    if (!ops)
        g_set_error(error, DISTRO_ERROR, DISTRO_ERROR_UNSUPPORTED,
                "Distribution=%s cannot be installed yet; what can is %s", distribution_to_string(distribution),
                supported);
    return ops;
}

DistroSession *distro_session_new(const ImageConfig *config, const DistroSessionOptions *options, GError **error) {
    const DistroOps *ops = find_driver(config->distribution, error);
    if (!ops)
        return NULL;
    if (!ops->architecture(config->architecture)) {
        g_set_error(error, DISTRO_ERROR, DISTRO_ERROR_UNSUPPORTED, "Architecture=%s does not exist in %s",
                architecture_to_string(config->architecture), distribution_to_string(config->distribution));
        return NULL;
    }

    g_autoptr(DistroSession) session = g_new0(DistroSession, 1);
    session->config = config;
    session->ops = ops;
    session->workspace = g_strdup(options->workspace);
    session->sandbox_tree = g_strdup(options->sandbox_tree);
    session->package_cache = g_strdup(options->package_cache);
    session->local_repository = g_strdup(options->local_repository);
    session->tools_tree = g_strdup(options->tools_tree);
    session->debug = options->debug;
    if (!ops->setup(session, error))
        return NULL;
    return g_steal_pointer(&session);
}

void distro_session_free(DistroSession *session) {
    if (!session)
        return;
    g_free(session->workspace);
    g_free(session->sandbox_tree);
    g_free(session->package_cache);
    g_free(session->shared_package_cache);
    g_free(session->local_repository);
    g_free(session->tools_tree);
    if (session->state && session->ops->free_state)
        session->ops->free_state(session->state);
    g_free(session);
}

GPtrArray *distro_list_repositories(DistroSession *session, GError **error) {
    return session->ops->list_repositories(session, error);
}

char *distro_repositories(DistroSession *session) {
    return session->ops->repositories(session);
}

char *distro_metadata_digest(DistroSession *session) {
    return session->ops->metadata_digest(session);
}

char *distro_image_configuration(DistroSession *session) {
    return session->ops->image_configuration(session);
}

gboolean distro_have_metadata(DistroSession *session) {
    return session->ops->have_metadata(session);
}

gboolean distro_sync(DistroSession *session, GError **error) {
    return session->ops->sync(session, error);
}

gboolean distro_check_metadata(DistroSession *session, GError **error) {
    return session->ops->check_metadata(session, error);
}

gboolean distro_is_package_file(DistroSession *session, const char *name) {
    for (const char *const *glob = session->ops->files; *glob; glob++)
        if (fnmatch(*glob, name, FNM_PERIOD) == 0)
            return TRUE;
    return FALSE;
}

gboolean distro_index_local_repository(DistroSession *session, GError **error) {
    return session->ops->index_local_repository(session, error);
}

GPtrArray *distro_resolve(
        DistroSession *session, const char *root, char *const *packages, gboolean bootstrap, GError **error) {
    return session->ops->resolve(session, root, packages, bootstrap, error);
}

gboolean distro_download(
        DistroSession *session, const char *root, char *const *packages, gboolean bootstrap, GError **error) {
    return session->ops->download(session, root, packages, bootstrap, error);
}

gboolean distro_install(DistroSession *session, const char *root, char *const *packages, gboolean bootstrap,
        DistroProgress progress, gpointer data, GError **error) {
    return session->ops->install(session, root, packages, bootstrap, progress, data, error);
}

gboolean distro_remove(DistroSession *session, const char *root, char *const *packages, GError **error) {
    return session->ops->remove(session, root, packages, error);
}

GPtrArray *distro_installed(DistroSession *session, const char *root, GError **error) {
    return session->ops->installed(session, root, error);
}

char *distro_changelog(DistroSession *session, const char *root, const char *package) {
    return session->ops->changelog(session, root, package);
}

gboolean distro_forget_installation(DistroSession *session, const char *root, GError **error) {
    return session->ops->forget_installation(session, root, error);
}

gboolean distro_has_manager(DistroSession *session, int root_fd) {
    for (const char *const *program = session->ops->managers; *program; program++)
        if (tree_exists(root_fd, *program))
            return TRUE;
    return FALSE;
}

gboolean distro_clean_metadata(DistroSession *session, int root_fd, GError **error) {
    return session->ops->clean_metadata(root_fd, error);
}

const char *const *distro_programs(DistroSession *session) {
    return session->ops->programs;
}

const char *distro_architecture(Distribution distribution, Architecture architecture) {
    return drivers[distribution] ? drivers[distribution]->architecture(architecture) : NULL;
}

char **distro_script_helpers(DistroSession *session) {
    return session->ops->script_helpers(session);
}

void distro_sandbox_mounts(DistroSession *session, Sandbox *sandbox) {
    session->ops->sandbox_mounts(session, sandbox);
}
