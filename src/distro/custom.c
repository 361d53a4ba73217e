/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Distribution=custom: a tree that skeletons, base trees and scripts make. There is no package manager. */

#include "distro/custom.h"

static gboolean custom_setup(DistroSession *session, GError **error) {
    return TRUE;
}

static char *custom_repositories(DistroSession *session) {
    return g_strdup("");
}

static GPtrArray *custom_list_repositories(DistroSession *session, GError **error) {
    return g_ptr_array_new_with_free_func((GDestroyNotify) distro_repository_free);
}

static char *custom_image_configuration(DistroSession *session) {
    return NULL;
}

static char *custom_metadata_digest(DistroSession *session) {
    return g_strdup("");
}

static gboolean custom_have_metadata(DistroSession *session) {
    return TRUE;
}

static gboolean custom_sync(DistroSession *session, GError **error) {
    return TRUE;
}

static gboolean custom_check_metadata(DistroSession *session, GError **error) {
    return TRUE;
}

/* Without packages there is nothing to do; they cannot come from anywhere. */
static gboolean check_no_packages(char *const *packages, GError **error) {
    if (!packages || !packages[0])
        return TRUE;
    g_set_error(error, DISTRO_ERROR, DISTRO_ERROR_UNSUPPORTED,
            "Distribution=custom has no package manager that could install or remove \"%s\"; name a "
            "distribution, or bring the files with trees and scripts",
            packages[0]);
    return FALSE;
}

static GPtrArray *custom_resolve(
        DistroSession *session, const char *root, char *const *packages, gboolean bootstrap, GError **error) {
    if (!check_no_packages(packages, error))
        return NULL;
    return g_ptr_array_new_with_free_func((GDestroyNotify) distro_package_free);
}

static gboolean custom_download(
        DistroSession *session, const char *root, char *const *packages, gboolean bootstrap, GError **error) {
    return check_no_packages(packages, error);
}

static gboolean custom_install(DistroSession *session, const char *root, char *const *packages, gboolean bootstrap,
        DistroProgress progress, gpointer data, GError **error) {
    return check_no_packages(packages, error);
}

static gboolean custom_remove(DistroSession *session, const char *root, char *const *packages, GError **error) {
    return check_no_packages(packages, error);
}

static GPtrArray *custom_installed(DistroSession *session, const char *root, GError **error) {
    return g_ptr_array_new_with_free_func((GDestroyNotify) distro_installed_free);
}

static char *custom_changelog(DistroSession *session, const char *root, const char *package) {
    return NULL;
}

static gboolean custom_forget_installation(DistroSession *session, const char *root, GError **error) {
    return TRUE;
}

static gboolean custom_clean_metadata(int root_fd, GError **error) {
    return TRUE;
}

static char **custom_script_helpers(DistroSession *session) {
    return g_new0(char *, 1);
}

static void custom_sandbox_mounts(DistroSession *session, Sandbox *sandbox) {
}

static const char *const none[] = {NULL};

const DistroOps distro_custom_ops = {
        .programs = none,
        .files = none,
        .managers = none,
        .architecture = architecture_to_string,
        .setup = custom_setup,
        .repositories = custom_repositories,
        .list_repositories = custom_list_repositories,
        .image_configuration = custom_image_configuration,
        .metadata_digest = custom_metadata_digest,
        .have_metadata = custom_have_metadata,
        .sync = custom_sync,
        .check_metadata = custom_check_metadata,
        .index_local_repository = custom_sync,
        .resolve = custom_resolve,
        .download = custom_download,
        .install = custom_install,
        .remove = custom_remove,
        .installed = custom_installed,
        .changelog = custom_changelog,
        .forget_installation = custom_forget_installation,
        .clean_metadata = custom_clean_metadata,
        .script_helpers = custom_script_helpers,
        .sandbox_mounts = custom_sandbox_mounts,
};
