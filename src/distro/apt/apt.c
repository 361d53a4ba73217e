/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The driver for Debian, Ubuntu and Kali: the host's (or the tools tree's) apt and dpkg work on the tree at
 * /buildroot. */

#include "distro/apt/apt.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/errors.h"
#include "distro/apt/changelog.h"
#include "distro/apt/command.h"
#include "distro/apt/dpkg-bootstrap.h"
#include "distro/apt/dpkg-status.h"
#include "distro/apt/helpers.h"
#include "distro/apt/image.h"
#include "distro/apt/metadata.h"
#include "distro/apt/package-tars.h"
#include "distro/apt/repositories.h"
#include "distro/apt/run.h"
#include "distro/apt/sources.h"
#include "distro/apt/uris.h"
#include "distro/driver/archives.h"
#include "distro/driver/cache-lock.h"
#include "distro/driver/resolve-cache.h"
#include "distro/driver/session.h"
#include "distro/driver/verified.h"
#include "events/events.h"
#include "tree/tree.h"

typedef struct {
    char **base; /* what an empty tree starts with, by name; NULL: not asked yet */
} AptState;

static void free_state(gpointer data) {
    AptState *state = data;
    g_strfreev(state->base);
    g_free(state);
}

static char **base_packages(const DistroSession *session) {
    return ((AptState *) session->state)->base;
}

static void set_base_packages(DistroSession *session, char **packages) {
    AptState *state = session->state;
    g_strfreev(state->base);
    state->base = packages;
}

static gboolean make_directory(const char *path, GError **error) {
    if (g_mkdir_with_parents(path, 0755) == 0)
        return TRUE;
    return set_errno_error(error, errno, "Cannot create %s", path);
}

static gboolean make_cache_directories(DistroSession *session, GError **error) {
    const char *const names[] = {"lists/partial", "archives/partial", "lists/auxfiles"};

    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *path = g_build_filename(session->package_cache, names[i], NULL);
        if (!make_directory(path, error))
            return FALSE;
    }
    return TRUE;
}

/* The configuration directory that apt sees as /etc/apt: what SandboxTrees= bring, and our sources unless
 * they bring their own file of that name. */
static gboolean apt_setup(DistroSession *session, GError **error) {
    g_autofree char *configuration = session_path(session, "apt");
    g_autofree char *sources_directory = g_build_filename(configuration, "sources.list.d", NULL);
    g_autofree char *sources_file = g_build_filename(sources_directory, "mkosi.sources", NULL);
    g_autofree char *parts = g_build_filename(configuration, "apt.conf.d", NULL);
    g_autofree char *preferences = g_build_filename(configuration, "preferences.d", NULL);
    g_autofree char *empty_root = session_path(session, "empty-root");

    session->state = g_new0(AptState, 1);
    session_choose_cache(session);
    if (!make_directory(sources_directory, error) || !make_directory(parts, error) ||
            !make_directory(preferences, error) || !make_directory(empty_root, error) ||
            !make_cache_directories(session, error))
        return FALSE;

    if (session->sandbox_tree) {
        AUTO_FD source = open(session->sandbox_tree, O_DIRECTORY | O_PATH | O_CLOEXEC);
        AUTO_FD target = open(configuration, O_DIRECTORY | O_RDONLY | O_CLOEXEC);
        if (source >= 0 && tree_exists(source, "etc/apt") &&
                !tree_copy(source, "etc/apt", target, ".", TREE_COPY_CONTENTS_ONLY, error))
            return FALSE;
    }
    if (!g_file_test(sources_file, G_FILE_TEST_EXISTS)) {
        g_autofree char *sources = apt_sources(session->config, APT_SOURCES_FOR_BUILD, error);
        if (!sources || !g_file_set_contents(sources_file, sources, -1, error))
            return FALSE;
    }
    return TRUE;
}

/* Everything has been downloaded, and there is no network. Files of the local repository are used where they
 * lie, which apt only finds out by fetching them. */
static void add_install(GPtrArray *argv, const DistroSession *session) {
    apt_add_words(argv, "install", session->local_repository_indexed ? NULL : "--no-download", NULL);
}

static void add_packages(
        GPtrArray *argv, DistroSession *session, char *const *packages, gboolean bootstrap) {
    char **base = base_packages(session);

    if (bootstrap && base && base[0]) {
        for (char **package = base; *package; package++)
            g_ptr_array_add(argv, g_strdup(*package));
    } else if (bootstrap) {
        g_ptr_array_add(argv,
                g_strdup_printf("?essential ?architecture(%s)",
                        architecture_to_debian(session->config->architecture)));
        g_ptr_array_add(argv, g_strdup("base-files"));
    }
    for (char *const *package = packages; package && *package; package++)
        g_ptr_array_add(argv, g_strdup(*package));
}

/* What there is to install, and what configures the choice. */
static GChecksum *digest_metadata(DistroSession *session) {
    GChecksum *checksum = g_checksum_new(G_CHECKSUM_SHA256);
    g_autofree char *lists = g_build_filename(session->package_cache, "lists", NULL);
    g_autofree char *configuration = session_path(session, "apt");

    /* Release files hold the digests of all package lists. */
    resolve_cache_digest_files(checksum, lists, "Release");
    resolve_cache_digest_files(checksum, configuration, NULL);
    if (session->local_repository)
        resolve_cache_digest_files(checksum, session->local_repository, "Packages");
    return checksum;
}

static char *apt_metadata_digest(DistroSession *session) {
    g_autoptr(GChecksum) checksum = digest_metadata(session);
    return g_strdup(g_checksum_get_string(checksum));
}

/* The answer of an empty tree depends on what this digests, and on nothing else. */
static char *resolve_key(DistroSession *session, GPtrArray *argv) {
    g_autoptr(GChecksum) checksum = digest_metadata(session);
    g_autofree char *program =
            g_build_filename(session->tools_tree ? session->tools_tree : "/", "usr/bin/apt-get", NULL);

    resolve_cache_digest_program(checksum, program);
    for (guint i = 0; i < argv->len; i++)
        g_checksum_update(checksum, argv->pdata[i], strlen(argv->pdata[i]) + 1);
    return g_strdup(g_checksum_get_string(checksum));
}

/* What "apt-get install --print-uris" prints. */
static char *ask_apt(DistroSession *session, const char *root, GPtrArray *argv, GError **error) {
    g_autoptr(Sandbox) sandbox = apt_sandbox(session, root, 0);
    char *text = NULL;

    if (!apt_prepare_root(session, root, error))
        return NULL;
    if (apt_run(session, sandbox, argv, NULL, DISTRO_ERROR_RESOLVE,
                "Check the names in Packages=, and Release= and Repositories= for where they should come "
                "from.",
                &text, error))
        return text;
    g_prefix_error(error,
            "Cannot resolve packages for %s %s: ", distribution_to_string(session->config->distribution),
            session->config->release);
    return NULL;
}

/* The package files that apt would install, without the base's choice settled. */
static GPtrArray *resolve_packages(DistroSession *session, const char *root, char *const *packages,
        gboolean bootstrap, GError **error) {
    g_autoptr(GPtrArray) argv = apt_command(session, "apt-get");
    g_autofree char *key = NULL, *text = NULL;

    /* Packages that were downloaded already would be left out of the list. */
    apt_add_option(argv, "Dir::Cache::archives=/run/no-archives/");
    apt_add_option(argv, "Acquire::ForceHash=SHA256");
    apt_add_words(argv, "install", "--print-uris", NULL);
    add_packages(argv, session, packages, bootstrap);
    if (!root)
        key = resolve_key(session, argv);
    if (key && (text = resolve_cache_get(session->package_cache, key))) {
        GPtrArray *known = apt_uris_parse(text, NULL);
        if (known)
            return known;
        g_clear_pointer(&text, g_free);
    }
    if (!(text = ask_apt(session, root, argv, error)))
        return NULL;
    if (key)
        resolve_cache_put(session->package_cache, key, text);
    return apt_uris_parse(text, error);
}

/* Settles what an empty tree starts with before the recipe's packages have a say, like mkosi does, so that a
 * dependency on one of several packages is met in the same way; all of them count as asked for. */
static gboolean choose_base(DistroSession *session, GError **error) {
    if (base_packages(session))
        return TRUE;
    g_autoptr(GPtrArray) files = resolve_packages(session, NULL, NULL, TRUE, error);
    if (!files)
        return FALSE;
    g_autoptr(GPtrArray) names = g_ptr_array_new();
    for (guint i = 0; i < files->len; i++) {
        const char *file = ((DistroPackage *) files->pdata[i])->file;
        g_ptr_array_add(names, g_strndup(file, strcspn(file, "_")));
    }
    g_ptr_array_add(names, NULL);
    set_base_packages(session, (char **) g_ptr_array_free(g_steal_pointer(&names), FALSE));
    return TRUE;
}

static GPtrArray *apt_resolve(DistroSession *session, const char *root, char *const *packages,
        gboolean bootstrap, GError **error) {
    if (!bootstrap)
        return resolve_packages(session, root, packages, FALSE, error);
    if (!choose_base(session, error))
        return NULL;
    GPtrArray *files = resolve_packages(session, root, packages, TRUE, NULL);
    if (files)
        return files;
    /* The recipe wants something that excludes a part of that base: let apt choose all at once. */
    set_base_packages(session, g_new0(char *, 1));
    return resolve_packages(session, root, packages, TRUE, error);
}

static gboolean fetch_packages(DistroSession *session, const char *root, char *const *packages,
        gboolean bootstrap, GError **error) {
    gboolean offline = session->config->cache_only == CACHE_ONLY_ALWAYS;
    g_autoptr(GPtrArray) argv = apt_command(session, "apt-get");
    g_autoptr(Sandbox) sandbox = apt_sandbox(session, root, offline ? 0 : APT_NETWORK);

    apt_add_words(argv, "install", "--download-only", NULL);
    add_packages(argv, session, packages, bootstrap);
    if (apt_run(session, sandbox, argv, NULL, DISTRO_ERROR_MIRROR,
                offline ? "CacheOnly=always lets packages come from the cache only, and these are not there."
                        : "Check the network and Mirror=; if the archive has moved on, fetch its metadata "
                          "again with -ff.",
                NULL, error))
        return TRUE;
    g_prefix_error(error, "Cannot download packages: ");
    return FALSE;
}

/* apt takes a file in the cache for the package when it has the right size, so wrong ones are removed before. */
static gboolean fetch_missing(DistroSession *session, const char *root, char *const *packages,
        gboolean bootstrap, GPtrArray *files, GError **error) {
    AUTO_FD lock = cache_lock_packages(session, error);

    if (lock < 0)
        return FALSE;
    g_autoptr(GPtrArray) missing = archives_check(session, files, error);
    if (!missing)
        return FALSE;
    if (missing->len == 0)
        return TRUE;
    if (!fetch_packages(session, root, packages, bootstrap, error))
        return FALSE;
    g_autoptr(GPtrArray) wrong = archives_check(session, files, error);
    if (!wrong)
        return FALSE;
    if (wrong->len == 0)
        return TRUE;
    g_set_error(error, DISTRO_ERROR, DISTRO_ERROR_MIRROR,
            "%s was downloaded and is not what the index of the repository says. Somebody else changes "
            "files in "
            "%s, or the metadata there is damaged: try -ff",
            (const char *) wrong->pdata[0], session->package_cache);
    return FALSE;
}

static gboolean download_packages(DistroSession *session, const char *root, char *const *packages,
        gboolean bootstrap, GError **error) {
    if (!apt_prepare_root(session, root, error))
        return FALSE;
    g_autoptr(GPtrArray) files = resolve_packages(session, root, packages, bootstrap, error);
    if (!files || (session->cache_is_private &&
                          !archives_copy(session, files, session->shared_package_cache, error)))
        return FALSE;
    return archives_complete(session, files) ||
           fetch_missing(session, root, packages, bootstrap, files, error);
}

static gboolean apt_download(DistroSession *session, const char *root, char *const *packages,
        gboolean bootstrap, GError **error) {
    if (bootstrap && !choose_base(session, error))
        return FALSE;
    /* A base that the recipe's packages partly replace is installed first all the same. */
    if (bootstrap && !base_packages(session)[0] && !download_packages(session, root, NULL, TRUE, error))
        return FALSE;
    return download_packages(session, root, packages, bootstrap, error);
}

/* The package files that make up the base, as paths on this side of the sandbox. */
static char **list_base_packages(DistroSession *session, const char *root, GError **error) {
    g_autoptr(GPtrArray) argv = apt_command(session, "apt-get");
    g_autoptr(Sandbox) sandbox = apt_sandbox(session, root, 0);
    g_autoptr(GPtrArray) files = g_ptr_array_new_with_free_func(g_free);
    g_autofree char *list = session_path(session, "base-packages");
    g_autofree char *text = NULL;

    if (!g_file_set_contents(list, "", 0, error))
        return NULL;
    sandbox_bind(sandbox, list, "/run/base-packages", 0);
    /* With this debug option apt does not start dpkg, but still hands the list of files to the hook. */
    apt_add_option(argv, "Debug::pkgDPkgPm=1");
    apt_add_option(argv, "DPkg::Pre-Install-Pkgs::=cat >/run/base-packages");
    add_install(argv, session);
    add_packages(argv, session, NULL, TRUE);
    if (!apt_run(session, sandbox, argv, NULL, DISTRO_ERROR_INSTALL, "", NULL, error) ||
            !g_file_get_contents(list, &text, NULL, error))
        return NULL;

    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    for (char **line = lines; *line; line++)
        if (g_str_has_prefix(*line, "/var/cache/apt/"))
            g_ptr_array_add(files,
                    g_build_filename(session->package_cache, *line + strlen("/var/cache/apt/"), NULL));
        else if (g_str_has_prefix(*line, "/repository/"))
            g_ptr_array_add(files,
                    g_build_filename(session->local_repository, *line + strlen("/repository/"), NULL));
    g_ptr_array_add(files, NULL);
    return (char **) g_ptr_array_free(g_steal_pointer(&files), FALSE);
}

static gboolean apt_bootstrap(DistroSession *session, const char *root, GError **error) {
    g_auto(GStrv) files = list_base_packages(session, root, error);
    if (!files)
        return FALSE;
    return dpkg_bootstrap(root,
            architecture_to_debian(session->config->architecture), files,
            session->config->with_docs ? NULL : apt_documentation, error);
}

static gboolean apt_install(DistroSession *session, const char *root, char *const *packages,
        gboolean bootstrap, DistroProgress progress, gpointer data, GError **error) {
    g_autoptr(GPtrArray) argv = apt_command(session, "apt-get");
    g_autoptr(Sandbox) sandbox = apt_sandbox(session, root, APT_PACKAGES);

    if (!apt_prepare_root(session, root, error))
        return FALSE;
    g_autoptr(GPtrArray) files = apt_resolve(session, bootstrap ? NULL : root, packages, bootstrap, NULL);
    g_autoptr(AptOutput) output = apt_output_new(progress, data, files ? 2 * files->len : 0);
    g_autoptr(PackageTars) tars = files ? package_tars_begin(session, files, sandbox) : NULL;
    if (bootstrap && !apt_bootstrap(session, root, error)) {
        g_prefix_error(error, "Cannot unpack the base packages: ");
        return FALSE;
    }
    AUTO_FD root_fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (!dpkg_deny_services(root, error))
        return FALSE;
    add_install(argv, session);
    add_packages(argv, session, packages, bootstrap);
    if (!apt_run(session, sandbox, argv, output, DISTRO_ERROR_INSTALL,
                "Run again with --debug to see the whole output of the package manager.", NULL, error)) {
        g_prefix_error(error, "Cannot install packages: ");
        return FALSE;
    }
    g_autoptr(Sandbox) divert = apt_sandbox(session, root, APT_PACKAGES);
    return dpkg_allow_services(root, error) &&
           (!bootstrap || apt_image_fix_os_release(session, divert, root_fd, error)) &&
           apt_image_finish(session, root_fd, error);
}

static gboolean apt_remove(DistroSession *session, const char *root, char *const *packages, GError **error) {
    g_autoptr(GPtrArray) argv = apt_command(session, "apt-get");
    g_autoptr(Sandbox) sandbox = apt_sandbox(session, root, APT_PACKAGES);

    apt_add_words(argv, "purge", NULL);
    add_packages(argv, session, packages, FALSE);
    if (apt_run(session, sandbox, argv, NULL, DISTRO_ERROR_INSTALL, "Check the names in RemovePackages=.",
                NULL, error))
        return TRUE;
    g_prefix_error(error, "Cannot remove packages: ");
    return FALSE;
}

static gboolean apt_index_local_repository(DistroSession *session, GError **error) {
    g_autofree char *configuration = session_path(session, "apt");
    g_autofree char *sources = g_build_filename(configuration, "sources.list.d/mkosi-local.sources", NULL);
    g_autofree char *pins = g_build_filename(configuration, "preferences.d/mkosi-local.pref", NULL);
    g_autofree char *index = g_build_filename(session->local_repository, "Packages", NULL);
    g_autoptr(Sandbox) scanner = sandbox_new_for_tools(session->tools_tree);
    const char *const scan[] = {"apt-ftparchive", "packages", ".", NULL};
    gsize length = 0;

    sandbox_bind(scanner, session->local_repository, "/repository", SANDBOX_READ_ONLY);
    sandbox_chdir(scanner, "/repository");
    g_autofree char *packages = sandbox_run_output(scanner, scan, &length, error);
    if (!packages) {
        g_prefix_error(error, "Cannot index the packages of PackageDirectories=: ");
        return FALSE;
    }
    if (!g_file_set_contents(index, packages, length, error) ||
            !g_file_set_contents(sources, "Types: deb\nURIs: file:///repository\nSuites: ./\nTrusted: yes\n",
                    -1, error) ||
            !g_file_set_contents(pins, "Package: *\nPin: origin \"\"\nPin-Priority: 1100\n", -1, error))
        return FALSE;

    g_autoptr(GPtrArray) argv = apt_command(session, "apt-get");
    g_autoptr(Sandbox) sandbox = apt_sandbox(session, NULL, 0);
    if (!apt_prepare_root(session, NULL, error))
        return FALSE;
    apt_add_option(argv, "Dir::Etc::sourcelist=sources.list.d/mkosi-local.sources");
    apt_add_option(argv, "Dir::Etc::sourceparts=-");
    apt_add_option(argv, "APT::Get::List-Cleanup=0");
    apt_add_words(argv, "update", "--error-on=any", NULL);
    if (!apt_run(session, sandbox, argv, NULL, DISTRO_ERROR_MIRROR,
                "Check the files in PackageDirectories=.", NULL, error)) {
        g_prefix_error(error, "Cannot read the local package repository: ");
        return FALSE;
    }
    session->local_repository_indexed = TRUE;
    return TRUE;
}

static void apt_sandbox_mounts(DistroSession *session, Sandbox *sandbox) {
    g_autofree char *configuration = session_path(session, "apt");
    g_autofree char *lists = g_build_filename(session->package_cache, "lists", NULL);

    sandbox_bind(sandbox, configuration, "/etc/apt", 0);
    sandbox_file(sandbox, APT_CONFIG_FILE, "Dir::Etc \"/etc/apt\";\n", FALSE);
    session_throwaway(session, sandbox, session->package_cache, "cache", "/var/cache/apt");
    session_throwaway(session, sandbox, lists, "lists", "/var/lib/apt/lists");
    if (session->local_repository)
        sandbox_bind(sandbox, session->local_repository, "/repository", SANDBOX_READ_ONLY);
}

static gboolean apt_clean_metadata(int root_fd, GError **error) {
    static const char *const globs[] = {
            "/var/lib/apt",
            "/var/lib/dpkg",
            "/var/cache/apt",
            "/var/cache/debconf",
            "/var/log/apt",
            "/var/log/dpkg.log",
            "/var/log/alternatives.log",
            "/var/log/bootstrap.log",
    };

    for (size_t i = 0; i < G_N_ELEMENTS(globs); i++)
        if (!tree_remove_glob(root_fd, globs[i], error))
            return FALSE;
    return TRUE;
}

static GPtrArray *apt_installed(DistroSession *session, const char *root, GError **error) {
    AUTO_FD fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd >= 0)
        return dpkg_installed(fd, error);
    set_errno_error(error, errno, "Cannot open %s", root);
    return NULL;
}

/* dpkg's log is not written at all. */
static gboolean apt_forget_installation(DistroSession *session, const char *root, GError **error) {
    AUTO_FD fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd < 0)
        return set_errno_error(error, errno, "Cannot open %s", root);
    return tree_remove_glob(fd, "/var/log/alternatives.log", error);
}

static const char *const programs[] = {"usr/bin/apt-get", "usr/bin/dpkg", "usr/bin/dpkg-deb", NULL};
static const char *const files[] = {"*.deb", NULL};
static const char *const managers[] = {"usr/bin/apt-get", NULL};

const DistroOps distro_apt_ops = {
        .programs = programs,
        .files = files,
        .managers = managers,
        .architecture = architecture_to_debian,
        .setup = apt_setup,
        .free_state = free_state,
        .repositories = apt_repositories,
        .list_repositories = apt_list_repositories,
        .image_configuration = apt_image_configuration,
        .metadata_digest = apt_metadata_digest,
        .have_metadata = apt_have_metadata,
        .sync = apt_sync,
        .check_metadata = apt_check_metadata,
        .index_local_repository = apt_index_local_repository,
        .resolve = apt_resolve,
        .download = apt_download,
        .install = apt_install,
        .remove = apt_remove,
        .installed = apt_installed,
        .changelog = apt_changelog,
        .forget_installation = apt_forget_installation,
        .clean_metadata = apt_clean_metadata,
        .script_helpers = apt_script_helpers,
        .sandbox_mounts = apt_sandbox_mounts,
};
