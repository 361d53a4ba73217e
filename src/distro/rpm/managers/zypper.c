/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The driver for openSUSE: the host's (or the tools tree's) zypper and rpm work on the tree at BUILDROOT. */

#include "distro/rpm/managers/zypper.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/directory.h"
#include "base/errors.h"
#include "distro/driver/cache-lock.h"
#include "distro/driver/session.h"
#include "distro/rpm/database/database.h"
#include "distro/rpm/family/family.h"
#include "distro/rpm/family/keys.h"
#include "distro/rpm/managers/manager.h"
#include "distro/rpm/managers/zypper-answer.h"
#include "distro/rpm/managers/zypper-command.h"
#include "distro/rpm/metadata/metadata.h"
#include "distro/rpm/run/configuration.h"
#include "distro/rpm/run/run.h"
#include "events/events.h"
#include "tree/tree.h"

#define INSTALL_ADVICE "Run again with --debug to see the whole output of the package manager."

/* zypper believes in the keys of the tree's database. */
static gboolean import_keys(DistroSession *session, const char *root, RpmRunFlags flags, GError **error) {
    g_autofree char *directory = session_path(session, "rpm/keys");
    g_autoptr(GPtrArray) names = list_directory_if_any(directory);
    g_autoptr(GPtrArray) argv = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(Sandbox) sandbox = rpm_sandbox(session, root, flags);
    const char *const words[] = {"rpm", "--root=" BUILDROOT, "--import", NULL};

    if (names->len == 0)
        return TRUE;
    rpm_add_words(argv, words);
    for (guint i = 0; i < names->len; i++)
        g_ptr_array_add(argv, g_build_filename(RPM_KEYS, names->pdata[i], NULL));
    if (rpm_run(session, sandbox, argv, NULL, NULL, DISTRO_ERROR_MIRROR, "Check the keys in etc/pki/rpm-gpg.", error))
        return TRUE;
    g_prefix_error(error, "Cannot import the keys of the distribution: ");
    return FALSE;
}

/* ---- metadata ---- */

static gboolean refresh(DistroSession *session, const char *repository, RpmRunFlags flags, GError **error) {
    g_autoptr(GPtrArray) argv = zypper_command(session, FALSE);
    g_autoptr(Sandbox) sandbox = rpm_sandbox(session, NULL, flags);
    const char *const words[] = {"refresh", "--force", repository, NULL};

    rpm_add_words(argv, words);
    return rpm_run(session, sandbox, argv, NULL, NULL, DISTRO_ERROR_MIRROR,
            repository ? "Check the files in PackageDirectories=."
                       : "Check the network, Mirror=, Release= and Repositories=.",
            error);
}

static gboolean fetch_metadata(DistroSession *session, GError **error) {
    RpmRunFlags flags = RPM_NETWORK | RPM_FETCHES_METADATA;

    if (!import_keys(session, NULL, flags, error))
        return FALSE;
    if (refresh(session, NULL, flags, error))
        return TRUE;
    g_prefix_error(error, "Cannot fetch repository metadata: ");
    return FALSE;
}

static gboolean zypper_sync(DistroSession *session, GError **error) {
    return rpm_sync_metadata(session, fetch_metadata, error);
}

static gboolean zypper_index_local_repository(DistroSession *session, GError **error) {
    if (!rpm_index_local(session, error))
        return FALSE;
    if (refresh(session, "mkosi", 0, error))
        return TRUE;
    g_prefix_error(error, "Cannot read the local package repository: ");
    return FALSE;
}

/* ---- resolving ---- */

static GPtrArray *make_question(DistroSession *session, char *const *base, char *const *packages) {
    GPtrArray *argv = zypper_command(session, TRUE);

    zypper_add_install(argv, session);
    g_ptr_array_add(argv, g_strdup("--dry-run"));
    rpm_add_words(argv, (const char *const *) base);
    rpm_add_words(argv, (const char *const *) packages);
    return argv;
}

/* What cannot be done stands among what was asked for, marked up for programs; hear it as people do. */
static gboolean hear_reason(DistroSession *session, const char *root, GPtrArray *question, GError **error) {
    g_autoptr(GPtrArray) argv = g_ptr_array_new();
    g_autoptr(Sandbox) sandbox = rpm_sandbox(session, root, 0);
    g_autoptr(GError) failure = NULL;

    for (guint i = 0; i < question->len && question->pdata[i]; i++)
        if (!g_str_equal(question->pdata[i], "--xmlout"))
            g_ptr_array_add(argv, question->pdata[i]);
    if (rpm_run(session, sandbox, argv, NULL, NULL, DISTRO_ERROR_RESOLVE, RPM_NAMES_ADVICE, &failure))
        g_set_error(&failure, DISTRO_ERROR, DISTRO_ERROR_RESOLVE, "zypper answers in two ways");
    g_propagate_prefixed_error(error, g_steal_pointer(&failure),
            "Cannot resolve packages for %s %s: ", distribution_to_string(session->config->distribution),
            session->config->release);
    return FALSE;
}

static GPtrArray *ask_zypper(DistroSession *session, const char *root, GPtrArray *question, GError **error) {
    g_autoptr(Sandbox) sandbox = rpm_sandbox(session, root, 0);
    g_autofree char *answer = NULL;

    g_ptr_array_add(question, NULL);
    {
        AUTO_FD lock = cache_lock_metadata(session, FALSE, error);
        if (lock < 0)
            return NULL;
        answer = sandbox_run_output(sandbox, (const char *const *) question->pdata, NULL, NULL);
    }
    if (answer)
        return zypper_answer_parse(answer, error);
    (void) hear_reason(session, root, question, error);
    return NULL;
}

/* ---- packages in zypper's own folders ---- */

/* Links to the files in the cache, where zypper looks for them. */
static gboolean place_packages(DistroSession *session, GPtrArray *files, GError **error) {
    g_autofree char *directory = session_path(session, "zypp-packages");
    g_autofree char *archives = g_build_filename(session->package_cache, "archives", NULL);

    for (guint i = 0; i < files->len; i++) {
        const DistroPackage *package = files->pdata[i];
        g_autofree char *cached = g_build_filename(archives, package->file, NULL);
        g_autofree char *link = package->place ? g_build_filename(directory, package->place, NULL) : NULL;
        if (!link || package->local || !g_file_test(cached, G_FILE_TEST_EXISTS))
            continue;
        g_autofree char *parent = g_path_get_dirname(link);
        g_autofree char *target = g_build_filename(RPM_ARCHIVES, package->file, NULL);
        if (g_mkdir_with_parents(parent, 0755) < 0 || ((void) unlink(link), symlink(target, link) < 0))
            return set_errno_error(error, errno, "Cannot create %s", link);
    }
    return TRUE;
}

/* Takes what zypper downloaded into the cache, where it is checked. */
static gboolean collect_packages(DistroSession *session, GPtrArray *files, GError **error) {
    g_autofree char *from = session_path(session, "zypp-packages");
    g_autofree char *to = g_build_filename(session->package_cache, "archives", NULL);
    AUTO_FD source = open(from, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    AUTO_FD target = open(to, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    for (guint i = 0; source >= 0 && target >= 0 && i < files->len; i++) {
        const DistroPackage *package = files->pdata[i];
        struct stat info;
        if (!package->place || fstatat(source, package->place, &info, AT_SYMLINK_NOFOLLOW) < 0 ||
                !S_ISREG(info.st_mode))
            continue;
        if (!tree_copy(source, package->place, target, package->file, 0, error) ||
                !tree_remove(source, package->place, error)) {
            g_prefix_error(error, "Cannot keep %s: ", package->file);
            return FALSE;
        }
    }
    return TRUE;
}

static gboolean fetch_packages(DistroSession *session, const char *root, char *const *base, char *const *packages,
        GPtrArray *files, GError **error) {
    gboolean offline = session->config->cache_only == CACHE_ONLY_ALWAYS;
    g_autoptr(GPtrArray) argv = zypper_command(session, FALSE);
    g_autoptr(Sandbox) sandbox = rpm_sandbox(session, root, offline ? 0 : RPM_NETWORK);

    zypper_add_install(argv, session);
    g_ptr_array_add(argv, g_strdup("--download-only"));
    rpm_add_words(argv, (const char *const *) base);
    rpm_add_words(argv, (const char *const *) packages);
    return (root || import_keys(session, NULL, 0, error)) && place_packages(session, files, error) &&
           rpm_run(session, sandbox, argv, NULL, NULL, DISTRO_ERROR_MIRROR,
                   offline ? RPM_OFFLINE_ADVICE : RPM_MOVED_ADVICE, error) &&
           collect_packages(session, files, error);
}

static const RpmManager manager = {.question = make_question, .ask = ask_zypper, .fetch = fetch_packages};

static gboolean zypper_setup(DistroSession *session, GError **error) {
    g_autofree char *text =
            g_strdup_printf("[main]\nrpm.install.excludedocs = %s\n", session->config->with_docs ? "no" : "yes");

    return rpm_configure(session, &manager, "zypp/repos.d", error) &&
           rpm_configure_default(session, "zypp/zypp.conf", text, error);
}

/* ---- the tree ---- */

static gboolean run_install(DistroSession *session, const char *root, char *const *base, char *const *packages,
        DistroProgress progress, gpointer data, GError **error) {
    RpmRunFlags flags = base ? RPM_FIRST : 0;
    g_autoptr(GPtrArray) argv = zypper_command(session, FALSE);
    g_autoptr(Sandbox) sandbox = rpm_sandbox(session, root, flags);

    zypper_add_install(argv, session);
    g_ptr_array_add(argv, g_strdup("--download=in-advance"));
    rpm_add_words(argv, (const char *const *) base);
    rpm_add_words(argv, (const char *const *) packages);
    return import_keys(session, root, flags, error) &&
           rpm_run(session, sandbox, argv, progress, data, DISTRO_ERROR_INSTALL, INSTALL_ADVICE, error);
}

static gboolean zypper_install(DistroSession *session, const char *root, char *const *packages, gboolean bootstrap,
        DistroProgress progress, gpointer data, GError **error) {
    char *const *base = bootstrap ? rpm_base(session, error) : NULL;

    if (bootstrap && !base)
        return FALSE;
    g_autoptr(GPtrArray) files = rpm_resolve(session, bootstrap ? NULL : root, packages, bootstrap, error);
    if (files && place_packages(session, files, error) &&
            run_install(session, root, base, packages, progress, data, error))
        return TRUE;
    g_prefix_error(error, "Cannot install packages: ");
    return FALSE;
}

static gboolean has_name(GPtrArray *installed, const char *name) {
    for (guint i = 0; i < installed->len; i++) {
        const DistroInstalled *package = installed->pdata[i];
        if (g_str_equal(package->name, name))
            return TRUE;
    }
    return FALSE;
}

/* zypper fails for names that nobody has; dnf does not. Patterns are left to it. Owned by the caller. */
static char **names_there(DistroSession *session, const char *root, char *const *packages, GError **error) {
    g_autoptr(GPtrArray) installed = rpm_installed(session, root, error);
    g_autoptr(GStrvBuilder) builder = g_strv_builder_new();

    for (; installed && *packages; packages++) {
        if (strpbrk(*packages, "*?[:=<>") || has_name(installed, *packages))
            g_strv_builder_add(builder, *packages);
        else
            events_warning("RemovePackages=%s: it is not installed", *packages);
    }
    return installed ? g_strv_builder_end(builder) : NULL;
}

static gboolean zypper_remove(DistroSession *session, const char *root, char *const *packages, GError **error) {
    g_autoptr(GPtrArray) argv = zypper_command(session, FALSE);
    g_autoptr(Sandbox) sandbox = rpm_sandbox(session, root, 0);
    const char *const words[] = {"remove", "--clean-deps", NULL};
    g_auto(GStrv) names = names_there(session, root, packages, error);

    if (!names || !*names)
        return names != NULL;
    rpm_add_words(argv, words);
    rpm_add_words(argv, (const char *const *) names);
    if (rpm_run(session, sandbox, argv, NULL, NULL, DISTRO_ERROR_INSTALL, "Check the names in RemovePackages=.", error))
        return TRUE;
    g_prefix_error(error, "Cannot remove packages: ");
    return FALSE;
}

static const char *const programs[] = {"usr/bin/zypper", "usr/bin/rpm", NULL};
static const char *const files[] = {"*.rpm", NULL};
static const char *const managers[] = {"usr/bin/rpm", "usr/bin/zypper", NULL};

const DistroOps distro_zypper_ops = {
        .programs = programs,
        .files = files,
        .managers = managers,
        .architecture = rpm_architecture,
        .setup = zypper_setup,
        .free_state = rpm_state_free,
        .repositories = rpm_repositories,
        .list_repositories = rpm_list_repositories,
        .image_configuration = rpm_image_configuration,
        .metadata_digest = rpm_metadata_digest,
        .have_metadata = rpm_have_metadata,
        .sync = zypper_sync,
        .check_metadata = rpm_check_metadata,
        .index_local_repository = zypper_index_local_repository,
        .resolve = rpm_resolve,
        .download = rpm_download,
        .install = zypper_install,
        .remove = zypper_remove,
        .installed = rpm_installed,
        .changelog = rpm_changelog,
        .forget_installation = rpm_forget_installation,
        .clean_metadata = rpm_clean_metadata,
        .script_helpers = zypper_script_helpers,
        .sandbox_mounts = rpm_sandbox_mounts,
};
