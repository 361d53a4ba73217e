/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "distro/distro.h"

#include <string.h>

#include "distro/distro-ops.h"

G_DEFINE_QUARK(particleos - distro - error - quark, distro_error)

void distro_package_free(DistroPackage *package) {
    if (!package)
        return;
    g_free(package->file);
    g_free(package->name);
    g_free(package->version);
    g_free(package->architecture);
    g_free(package->digest);
    g_free(package);
}

void distro_repository_free(DistroRepository *repository) {
    if (!repository)
        return;
    g_free(repository->url);
    g_free(repository->suite);
    g_free(repository->components);
    g_free(repository->metadata);
    g_free(repository->digest);
    g_free(repository);
}

void distro_installed_free(DistroInstalled *installed) {
    if (!installed)
        return;
    g_free(installed->name);
    g_free(installed->version);
    g_free(installed->architecture);
    g_free(installed->source);
    g_free(installed);
}

static const DistroOps *distro_ops(Distribution distribution) {
    switch (distribution) {
    case DISTRIBUTION_DEBIAN:
    case DISTRIBUTION_UBUNTU:
    case DISTRIBUTION_KALI:
        return &distro_apt_ops;
    case DISTRIBUTION_CUSTOM:
        return &distro_custom_ops;
    default:
        return NULL;
    }
}

static const DistroOps *distro_ops_or_error(Distribution distribution, GError **error) {
    const DistroOps *ops = distro_ops(distribution);

    if (!ops)
        g_set_error(error, DISTRO_ERROR, DISTRO_ERROR_UNSUPPORTED,
                "Distribution=%s cannot be installed yet; use debian, ubuntu, kali or custom",
                distribution_to_string(distribution));
    return ops;
}

DistroSession *distro_session_new(
        const ImageConfig *config, const DistroSessionOptions *options, GError **error) {
    const DistroOps *ops = distro_ops_or_error(config->distribution, error);
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
    g_strfreev(session->base_packages);
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

gboolean distro_index_local_repository(DistroSession *session, GError **error) {
    return session->ops->index_local_repository(session, error);
}

GPtrArray *distro_resolve(DistroSession *session, const char *root, char *const *packages,
        gboolean bootstrap, GError **error) {
    return session->ops->resolve(session, root, packages, bootstrap, error);
}

gboolean distro_download(DistroSession *session, const char *root, char *const *packages, gboolean bootstrap,
        GError **error) {
    return session->ops->download(session, root, packages, bootstrap, error);
}

gboolean distro_install(DistroSession *session, const char *root, char *const *packages, gboolean bootstrap,
        DistroProgress progress, gpointer data, GError **error) {
    return session->ops->install(session, root, packages, bootstrap, progress, data, error);
}

gboolean distro_remove(DistroSession *session, const char *root, char *const *packages, GError **error) {
    return session->ops->remove(session, root, packages, error);
}

GPtrArray *distro_installed(const ImageConfig *config, int root_fd, GError **error) {
    const DistroOps *ops = distro_ops_or_error(config->distribution, error);
    return ops ? ops->installed(root_fd, error) : NULL;
}

gboolean distro_clean_metadata(const ImageConfig *config, int root_fd, GError **error) {
    const DistroOps *ops = distro_ops_or_error(config->distribution, error);
    return ops && ops->clean_metadata(root_fd, error);
}

const char *distro_architecture(Distribution distribution, Architecture architecture) {
    const DistroOps *ops = distro_ops(distribution);
    return ops ? ops->architecture(architecture) : NULL;
}

char **distro_script_helpers(DistroSession *session) {
    return session->ops->script_helpers(session);
}

void distro_sandbox_mounts(DistroSession *session, Sandbox *sandbox) {
    session->ops->sandbox_mounts(session, sandbox);
}
