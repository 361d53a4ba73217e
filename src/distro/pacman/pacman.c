/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The driver for Arch Linux: the host's (or the tools tree's) pacman works on the tree at /buildroot. */
#include "distro/pacman/pacman.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/directory.h"
#include "base/errors.h"
#include "distro/driver/session.h"
#include "distro/pacman/configuration.h"
#include "distro/pacman/download.h"
#include "distro/pacman/helpers.h"
#include "distro/pacman/installed.h"
#include "distro/pacman/keyring.h"
#include "distro/pacman/metadata.h"
#include "distro/pacman/resolve.h"
#include "distro/pacman/run.h"
#include "distro/pacman/session.h"
#include "events/events.h"
#include "tree/tree.h"

static const char *const programs[] = {"usr/bin/pacman", NULL};
static const char *const files[] = {
        "*.pkg.tar", "*.pkg.tar.bz2", "*.pkg.tar.gz", "*.pkg.tar.lz4", "*.pkg.tar.xz", "*.pkg.tar.zst", NULL};
static const char *const managers[] = {"usr/bin/pacman", NULL};

static void free_state(gpointer data) {
    PacmanState *state = data;
    g_strfreev(state->base);
    g_free(state->taken);
    g_free(state);
}

static gboolean make_directories(DistroSession *session, GError **error) {
    static const char *const names[] = {"pacman.d", "sync", "empty-root/var/lib/pacman/local"};
    g_autofree char *packages = g_build_filename(session->package_cache, "archives", NULL);

    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *path = pacman_path(session, names[i]);
        if (g_mkdir_with_parents(path, 0755) < 0)
            return set_errno_error(error, errno, "Cannot create %s", path);
    }
    return g_mkdir_with_parents(packages, 0755) == 0 || set_errno_error(error, errno, "Cannot create %s", packages);
}

/* The files of /etc/pacman.d that SandboxTrees= bring. */
static gboolean copy_parts(DistroSession *session, gboolean *ret_includes, GError **error) {
    g_autofree char *directory = pacman_path(session, "pacman.d");
    AUTO_FD source = open(session->sandbox_tree, O_DIRECTORY | O_PATH | O_CLOEXEC);
    AUTO_FD target = open(directory, O_DIRECTORY | O_RDONLY | O_CLOEXEC);

    if (source >= 0 && tree_exists(source, "etc/pacman.d") &&
            !tree_copy(source, "etc/pacman.d", target, ".", TREE_COPY_CONTENTS_ONLY, error))
        return FALSE;
    g_autoptr(GPtrArray) names = list_directory_if_any(directory);
    for (guint i = 0; i < names->len; i++)
        *ret_includes |= g_str_has_suffix(names->pdata[i], ".conf");
    return TRUE;
}

/* The pacman.conf that SandboxTrees= bring, or ours. */
static gboolean write_configuration(DistroSession *session, GError **error) {
    g_autofree char *path = pacman_path(session, "pacman.conf");
    g_autofree char *local = pacman_path(session, "mkosi-local.conf");
    g_autofree char *none = pacman_path(session, "no-local.conf");
    g_autofree char *brought =
            session->sandbox_tree ? g_build_filename(session->sandbox_tree, "etc/pacman.conf", NULL) : NULL;
    g_autofree char *given = NULL, *text = NULL;
    gboolean includes = FALSE;

    if (session->sandbox_tree && !copy_parts(session, &includes, error))
        return FALSE;
    if (brought && g_file_test(brought, G_FILE_TEST_EXISTS)) {
        if (!g_file_get_contents(brought, &given, NULL, error))
            return FALSE;
        text = pacman_configuration_adopt(given);
    } else if (!(text = pacman_configuration(session->config, includes, error)))
        return FALSE;
    return g_file_set_contents(path, text, -1, error) && g_file_set_contents(local, "", 0, error) &&
           g_file_set_contents(none, "", 0, error);
}

static gboolean pacman_setup(DistroSession *session, GError **error) {
    session->state = g_new0(PacmanState, 1);
    session_choose_cache(session);
    return pacman_configuration_check(session->config, error) && make_directories(session, error) &&
           write_configuration(session, error);
}

static char *pacman_image_configuration(DistroSession *session) {
    return NULL;
}

static guint count_packages(DistroSession *session, const char *root, char *const *packages, gboolean bootstrap) {
    g_autoptr(GPtrArray) choices = pacman_choose(session, bootstrap ? NULL : root, packages, bootstrap, NULL);
    return choices ? choices->len : 0;
}

static gboolean pacman_install(DistroSession *session, const char *root, char *const *packages, gboolean bootstrap,
        DistroProgress progress, gpointer data, GError **error) {
    g_autoptr(GPtrArray) argv = pacman_transaction(session, "--sync");
    guint total = progress ? count_packages(session, root, packages, bootstrap) : 0;
    g_autoptr(PacmanOutput) output = pacman_output_new(progress, data, total);

    pacman_add_words(argv, "--needed", "--assume-installed=initramfs", NULL);
    if (!pacman_keyring_prepare(session, error) || !pacman_add_targets(argv, session, packages, bootstrap, error))
        return FALSE;
    g_autoptr(Sandbox) sandbox = pacman_sandbox(session, root, PACMAN_PACKAGES | (bootstrap ? PACMAN_EMPTY : 0), error);
    if (!sandbox)
        return FALSE;
    if (!pacman_run(session, sandbox, argv, output, DISTRO_ERROR_INSTALL,
                "Run again with --debug to see the whole output of the package manager.", NULL, error)) {
        g_prefix_error(error, "Cannot install packages: ");
        return FALSE;
    }
    return pacman_set_install_dates(root, session->config->source_date_epoch, error);
}

/* The elements of PACKAGES (borrowed) that are installed in ROOT, with a warning for each other. */
static GPtrArray *find_installed(DistroSession *session, const char *root, char *const *packages, GError **error) {
    g_autoptr(GPtrArray) installed = pacman_installed(session, root, error);
    g_autoptr(GHashTable) names = g_hash_table_new(g_str_hash, g_str_equal);
    GPtrArray *found = installed ? g_ptr_array_new() : NULL;

    for (guint i = 0; installed && i < installed->len; i++)
        g_hash_table_add(names, ((DistroInstalled *) installed->pdata[i])->name);
    for (char *const *name = packages; found && *name; name++)
        if (g_hash_table_contains(names, *name))
            g_ptr_array_add(found, *name);
        else
            events_warning("RemovePackages=%s: it is not installed", *name);
    return found;
}

static gboolean pacman_remove(DistroSession *session, const char *root, char *const *packages, GError **error) {
    g_autoptr(GPtrArray) found = find_installed(session, root, packages, error);
    g_autoptr(GPtrArray) argv = pacman_transaction(session, "--remove");
    g_autoptr(Sandbox) sandbox = pacman_sandbox(session, root, PACMAN_PACKAGES, error);

    if (!found || !sandbox)
        return FALSE;
    if (found->len == 0)
        return TRUE;
    pacman_add_words(argv, "--nosave", "--recursive", NULL);
    for (guint i = 0; i < found->len; i++)
        g_ptr_array_add(argv, g_strdup(found->pdata[i]));
    if (pacman_run(session, sandbox, argv, NULL, DISTRO_ERROR_INSTALL,
                "Other packages need it: name them in RemovePackages=, too.", NULL, error))
        return TRUE;
    g_prefix_error(error, "Cannot remove packages: ");
    return FALSE;
}

static gboolean has_package_files(DistroSession *session) {
    g_autoptr(GPtrArray) names = list_directory_if_any(session->local_repository);

    return names->len > 0;
}

static gboolean run_repo_add(DistroSession *session, const char *target, GError **error) {
    g_autoptr(GPtrArray) names = list_directory_if_any(session->local_repository);
    g_autoptr(GPtrArray) argv = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(Sandbox) sandbox = sandbox_new_for_tools(session->tools_tree);

    pacman_add_words(argv, "repo-add", "--quiet", "--nocolor", "/run/index/" PACMAN_LOCAL ".db.tar", NULL);
    for (guint i = 0; i < names->len; i++)
        if (strstr(names->pdata[i], ".pkg.tar") && !g_str_has_suffix(names->pdata[i], ".sig"))
            g_ptr_array_add(argv, g_build_filename("/repository", names->pdata[i], NULL));
    g_ptr_array_add(argv, NULL);
    sandbox_bind(sandbox, session->local_repository, "/repository", SANDBOX_READ_ONLY);
    sandbox_bind(sandbox, target, "/run/index", 0);
    sandbox_suppress_sync(sandbox);
    if (sandbox_run(sandbox, (const char *const *) argv->pdata, error))
        return TRUE;
    g_prefix_error(error, "Cannot index the packages of PackageDirectories=: ");
    return FALSE;
}

/* pacman cannot fetch one database alone, so this one is put where fetched ones lie. Its server is never asked: the
 * folder of the packages is among the caches. */
static gboolean pacman_index_local_repository(DistroSession *session, GError **error) {
    static const char configuration[] = "[" PACMAN_LOCAL "]\nServer = file:///repository\nSigLevel = Never\n"
                                        "Usage = Install Search Upgrade\n";
    g_autofree char *index = pacman_path(session, "index"), *local = pacman_path(session, "mkosi-local.conf");
    g_autofree char *made = g_build_filename(index, PACMAN_LOCAL ".db.tar", NULL);
    g_autofree char *target = pacman_path(session, PACMAN_LOCAL ".db");

    if (!has_package_files(session))
        return TRUE;
    if (!tree_remove(AT_FDCWD, index, error))
        return FALSE;
    if (g_mkdir_with_parents(index, 0755) < 0)
        return set_errno_error(error, errno, "Cannot create %s", index);
    if (!run_repo_add(session, index, error))
        return FALSE;
    if (g_rename(made, target) < 0)
        return set_errno_error(error, errno, "Cannot rename %s", made);
    session->local_repository_indexed = TRUE;
    g_clear_pointer(&pacman_state(session)->taken, g_free);
    return g_file_set_contents(local, configuration, -1, error);
}

static char *pacman_changelog(DistroSession *session, const char *root, const char *package) {
    return NULL;
}

static gboolean pacman_forget_installation(DistroSession *session, const char *root, GError **error) {
    return TRUE;
}

static gboolean pacman_clean_metadata(int root_fd, GError **error) {
    static const char *const globs[] = {"/var/lib/pacman", "/var/cache/pacman", "/var/log/pacman.log"};

    for (size_t i = 0; i < G_N_ELEMENTS(globs); i++)
        if (!tree_remove_glob(root_fd, globs[i], error))
            return FALSE;
    return TRUE;
}

const DistroOps distro_pacman_ops = {
        .programs = programs,
        .files = files,
        .managers = managers,
        .architecture = pacman_architecture,
        .setup = pacman_setup,
        .free_state = free_state,
        .repositories = pacman_repositories,
        .list_repositories = pacman_list_repositories,
        .image_configuration = pacman_image_configuration,
        .metadata_digest = pacman_metadata_digest,
        .have_metadata = pacman_have_metadata,
        .sync = pacman_sync,
        .check_metadata = pacman_check_metadata,
        .index_local_repository = pacman_index_local_repository,
        .resolve = pacman_resolve,
        .download = pacman_download,
        .install = pacman_install,
        .remove = pacman_remove,
        .installed = pacman_installed,
        .changelog = pacman_changelog,
        .forget_installation = pacman_forget_installation,
        .clean_metadata = pacman_clean_metadata,
        .script_helpers = pacman_script_helpers,
        .sandbox_mounts = pacman_sandbox_mounts,
};
