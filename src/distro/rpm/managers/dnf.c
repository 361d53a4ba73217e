/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The driver for Fedora and what is made like it: the host's (or the tools tree's) dnf and rpm work on the tree at
 * BUILDROOT. */

#include "distro/rpm/managers/dnf.h"

#include "base/cleanup.h"
#include "distro/driver/cache-lock.h"
#include "distro/driver/session.h"
#include "distro/rpm/database/database.h"
#include "distro/rpm/family/family.h"
#include "distro/rpm/managers/dnf-command.h"
#include "distro/rpm/managers/manager.h"
#include "distro/rpm/metadata/metadata.h"
#include "distro/rpm/metadata/table.h"
#include "distro/rpm/run/configuration.h"
#include "distro/rpm/run/run.h"

/* ---- metadata ---- */

static gboolean fetch_metadata(DistroSession *session, GError **error) {
    g_autoptr(GPtrArray) argv = dnf_command(session, DNF_FETCHES);
    g_autoptr(Sandbox) sandbox = rpm_sandbox(session, NULL, RPM_NETWORK | RPM_FETCHES_METADATA);
    const char *const words[] = {"makecache", "--refresh", NULL};

    rpm_add_words(argv, words);
    if (rpm_run(session, sandbox, argv, NULL, NULL, DISTRO_ERROR_MIRROR,
                "Check the network, Mirror=, Release= and Repositories=.", error))
        return TRUE;
    g_prefix_error(error, "Cannot fetch repository metadata: ");
    return FALSE;
}

static gboolean dnf_sync(DistroSession *session, GError **error) {
    return rpm_sync_metadata(session, fetch_metadata, error);
}

static gboolean dnf_index_local_repository(DistroSession *session, GError **error) {
    g_autoptr(GPtrArray) argv = dnf_command(session, DNF_READS);
    const char *const words[] = {"makecache", "--refresh", "--disablerepo=*", "--enablerepo=mkosi", NULL};
    g_autoptr(Sandbox) sandbox = rpm_sandbox(session, NULL, 0);

    if (!rpm_index_local(session, error))
        return FALSE;
    rpm_add_words(argv, words);
    if (!rpm_run(session, sandbox, argv, NULL, NULL, DISTRO_ERROR_MIRROR, "Check the files in PackageDirectories=.",
                error)) {
        g_prefix_error(error, "Cannot read the local package repository: ");
        return FALSE;
    }
    return TRUE;
}

/* ---- resolving ---- */

static gboolean fail_to_resolve(DistroSession *session, const char *answer, RpmOutput *output, GError **error) {
    rpm_output_text(output, answer);
    rpm_set_reason(output, "there is no answer", DISTRO_ERROR_RESOLVE, RPM_NAMES_ADVICE, error);
    g_prefix_error(error, "Cannot resolve packages for %s %s: ", distribution_to_string(session->config->distribution),
            session->config->release);
    return FALSE;
}

/* What dnf says that it would do; it ends with status 1 because nobody lets it. */
static GPtrArray *ask_dnf(DistroSession *session, const char *root, GPtrArray *question, GError **error) {
    g_autoptr(Sandbox) sandbox = rpm_sandbox(session, root, 0);
    g_autoptr(RpmOutput) output = rpm_output_new(NULL, NULL);
    AUTO_FD lock = cache_lock_metadata(session, FALSE, error);

    if (lock < 0)
        return NULL;
    g_ptr_array_add(question, NULL);
    sandbox_accept_status(sandbox, 1);
    sandbox_on_line(sandbox, rpm_output_line, output);
    g_autofree char *answer = sandbox_run_output(sandbox, (const char *const *) question->pdata, NULL, error);
    if (answer && dnf_table_is_answer(answer))
        return dnf_table_parse(answer);
    if (answer)
        (void) fail_to_resolve(session, answer, output, error);
    return NULL;
}

static GPtrArray *make_question(DistroSession *session, char *const *base, char *const *packages) {
    GPtrArray *argv = dnf_command(session, DNF_READS);
    const char *const words[] = {"--cacheonly", "--assumeno", "install", NULL};

    rpm_add_words(argv, words);
    rpm_add_words(argv, (const char *const *) base);
    rpm_add_words(argv, (const char *const *) packages);
    return argv;
}

/* ---- downloading ---- */

static gboolean fetch_packages(DistroSession *session, const char *root, char *const *base, char *const *packages,
        GPtrArray *files, GError **error) {
    gboolean offline = session->config->cache_only == CACHE_ONLY_ALWAYS;
    g_autoptr(GPtrArray) argv = dnf_command(session, DNF_READS);
    g_autoptr(Sandbox) sandbox = rpm_sandbox(session, root, RPM_DOWNLOADS | (offline ? 0 : RPM_NETWORK));
    const char *const words[] = {"install", "--downloadonly", NULL};

    if (offline)
        g_ptr_array_add(argv, g_strdup("--cacheonly"));
    rpm_add_words(argv, words);
    rpm_add_words(argv, (const char *const *) base);
    rpm_add_words(argv, (const char *const *) packages);
    return rpm_run(session, sandbox, argv, NULL, NULL, DISTRO_ERROR_MIRROR,
            offline ? RPM_OFFLINE_ADVICE : RPM_MOVED_ADVICE, error);
}

static const RpmManager manager = {.question = make_question, .ask = ask_dnf, .fetch = fetch_packages};

static gboolean dnf_setup(DistroSession *session, GError **error) {
    return rpm_configure(session, &manager, "yum.repos.d", error);
}

/* ---- the tree ---- */

static gboolean dnf_install(DistroSession *session, const char *root, char *const *packages, gboolean bootstrap,
        DistroProgress progress, gpointer data, GError **error) {
    g_autoptr(GPtrArray) argv = dnf_command(session, DNF_INSTALLS);
    g_autoptr(Sandbox) sandbox = rpm_sandbox(session, root, bootstrap ? RPM_FIRST : 0);
    const char *const words[] = {"--cacheonly", "install", NULL};

    rpm_add_words(argv, words);
    if (bootstrap) {
        char *const *base = rpm_base(session, error);
        if (!base)
            return FALSE;
        rpm_add_words(argv, (const char *const *) base);
    }
    rpm_add_words(argv, (const char *const *) packages);
    if (rpm_run(session, sandbox, argv, progress, data, DISTRO_ERROR_INSTALL,
                "Run again with --debug to see the whole output of the package manager.", error))
        return TRUE;
    g_prefix_error(error, "Cannot install packages: ");
    return FALSE;
}

static gboolean dnf_remove(DistroSession *session, const char *root, char *const *packages, GError **error) {
    g_autoptr(GPtrArray) argv = dnf_command(session, DNF_INSTALLS);
    g_autoptr(Sandbox) sandbox = rpm_sandbox(session, root, 0);
    const char *const words[] = {"--cacheonly", "remove", NULL};

    rpm_add_words(argv, words);
    rpm_add_words(argv, (const char *const *) packages);
    if (rpm_run(session, sandbox, argv, NULL, NULL, DISTRO_ERROR_INSTALL, "Check the names in RemovePackages=.", error))
        return TRUE;
    g_prefix_error(error, "Cannot remove packages: ");
    return FALSE;
}

static const char *const programs[] = {"usr/bin/dnf5", "usr/bin/dnf-3", "usr/bin/rpm", NULL};
static const char *const files[] = {"*.rpm", NULL};
static const char *const managers[] = {"usr/bin/rpm", "usr/bin/dnf", "usr/bin/dnf5", "usr/bin/microdnf", NULL};

const DistroOps distro_dnf_ops = {
        .programs = programs,
        .files = files,
        .managers = managers,
        .architecture = rpm_architecture,
        .setup = dnf_setup,
        .free_state = rpm_state_free,
        .repositories = rpm_repositories,
        .list_repositories = rpm_list_repositories,
        .image_configuration = rpm_image_configuration,
        .metadata_digest = rpm_metadata_digest,
        .have_metadata = rpm_have_metadata,
        .sync = dnf_sync,
        .check_metadata = rpm_check_metadata,
        .index_local_repository = dnf_index_local_repository,
        .resolve = rpm_resolve,
        .download = rpm_download,
        .install = dnf_install,
        .remove = dnf_remove,
        .installed = rpm_installed,
        .changelog = rpm_changelog,
        .forget_installation = rpm_forget_installation,
        .clean_metadata = rpm_clean_metadata,
        .script_helpers = dnf_script_helpers,
        .sandbox_mounts = rpm_sandbox_mounts,
};
