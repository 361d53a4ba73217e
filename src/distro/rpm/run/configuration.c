/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "distro/rpm/run/configuration.h"

#include <fcntl.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/directory.h"
#include "base/errors.h"
#include "distro/driver/session.h"
#include "distro/rpm/family/family.h"
#include "distro/rpm/family/keys.h"
#include "distro/rpm/run/run.h"
#include "tree/tree.h"

#define LOCAL "mkosi-local.repo"

static char *repositories_path(const DistroSession *session, const char *name) {
    return g_build_filename(session->workspace, "rpm", rpm_state(session)->repositories, name, NULL);
}

static gboolean make_directories(DistroSession *session, GError **error) {
    static const char *const own[] = {"rpm/dnf/vars", "rpm/yum.repos.d", "rpm/zypp/repos.d", "zypp-packages", "rpm/rpm",
            "rpm/keys", "empty-root", "changes/upper", "changes/work"};
    static const char *const cached[] = {"metadata/archives", "archives"};
    AUTO_FD workspace = open(session->workspace, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (workspace < 0)
        return set_errno_error(error, errno, "Cannot open %s", session->workspace);
    for (gsize i = 0; i < G_N_ELEMENTS(own); i++)
        if (!tree_mkdir_p(workspace, own[i], 0755, error))
            return FALSE;
    for (gsize i = 0; i < G_N_ELEMENTS(cached); i++) {
        g_autofree char *path = g_build_filename(session->package_cache, cached[i], NULL);
        if (g_mkdir_with_parents(path, 0755) < 0)
            return set_errno_error(error, errno, "Cannot create %s", path);
    }
    return TRUE;
}

static gboolean take_sandbox_trees(DistroSession *session, GError **error) {
    static const char *const names[] = {"dnf", "yum.repos.d", "rpm", "zypp"};
    AUTO_FD source = open(session->sandbox_tree, O_DIRECTORY | O_PATH | O_CLOEXEC);
    AUTO_FD target = open(session->workspace, O_DIRECTORY | O_RDONLY | O_CLOEXEC);

    for (gsize i = 0; source >= 0 && i < G_N_ELEMENTS(names); i++) {
        g_autofree char *from = g_build_filename("etc", names[i], NULL), *to = g_build_filename("rpm", names[i], NULL);
        if (tree_exists(source, from) &&
                (!tree_mkdir_p(target, to, 0755, error) ||
                        !tree_copy(source, from, target, to, TREE_COPY_MERGE | TREE_COPY_CONTENTS_ONLY, error)))
            return FALSE;
    }
    return TRUE;
}

gboolean rpm_configure_default(DistroSession *session, const char *name, const char *text, GError **error) {
    g_autofree char *path = g_build_filename(session->workspace, "rpm", name, NULL);
    return g_file_test(path, G_FILE_TEST_EXISTS) || g_file_set_contents(path, text, -1, error);
}

/* Plugins act on the machine, or mark files for it. Digests are checked in any case; signatures are for whoever
 * knows the keys of a repository, and local packages have none. */
static char *rpm_macros(const ImageConfig *config) {
    static const char *const plugins[] = {"audit", "dbus_announce", "fapolicyd", "fsverity", "ima", "prioreset",
            "selinux", "syslog", "systemd_inhibit"};
    g_autoptr(GString) text = g_string_new(NULL);

    g_string_append_printf(text, "%%_dbpath /%s\n%%_pkgverify_level digest\n", rpm_family_database(config));
    for (gsize i = 0; i < G_N_ELEMENTS(plugins); i++)
        g_string_append_printf(text, "%%__transaction_%s %%{nil}\n", plugins[i]);
    if (!config->with_docs)
        g_string_append(text, "%_excludedocs 1\n");
    return g_string_free(g_steal_pointer(&text), FALSE);
}

/* CentOS writes its releases like this into addresses. */
static gboolean write_variables(DistroSession *session, GError **error) {
    const ImageConfig *config = session->config;
    g_autofree char *stream = g_strdup_printf("%.*s-stream\n", (int) strcspn(config->release, "."), config->release);

    return config->distribution != DISTRIBUTION_CENTOS ||
           rpm_configure_default(session, "dnf/vars/stream", stream, error);
}

static gboolean write_configuration(DistroSession *session, GError **error) {
    RpmState *state = rpm_state(session);
    g_autofree char *own = repositories_path(session, "mkosi.repo");
    g_autofree char *macros = rpm_macros(session->config);

    if (!rpm_configure_default(session, "dnf/dnf.conf", "[main]\n", error) ||
            !rpm_configure_default(session, "rpm/macros.particleos", macros, error) || !write_variables(session, error))
        return FALSE;
    if (g_file_test(own, G_FILE_TEST_EXISTS)) {
        state->missing_keys = g_ptr_array_new();
        return TRUE;
    }
    if (!session_require_mirror(session->config, error))
        return FALSE;
    g_autofree char *keys = rpm_keys_prepare(session, &state->missing_keys, error);
    g_autofree char *text = keys ? rpm_family_repositories(session->config, keys, error) : NULL;
    return text && g_file_set_contents(own, text, -1, error);
}

static gboolean has_program(const DistroSession *session, const char *name) {
    g_autofree char *path = g_build_filename(session->tools_tree ? session->tools_tree : "/", "usr/bin", name, NULL);
    return g_file_test(path, G_FILE_TEST_IS_EXECUTABLE);
}

gboolean rpm_configure(
        DistroSession *session, const struct RpmManager *manager, const char *repositories, GError **error) {
    RpmState *state = g_new0(RpmState, 1);

    session->state = state;
    state->manager = manager;
    state->repositories = repositories;
    state->five = has_program(session, "dnf5");
    session_choose_cache(session);
    return make_directories(session, error) && (!session->sandbox_tree || take_sandbox_trees(session, error)) &&
           write_configuration(session, error);
}

char *rpm_repositories(DistroSession *session) {
    g_autofree char *directory = repositories_path(session, NULL);
    g_autoptr(GPtrArray) names = list_directory_if_any(directory);
    GString *all = g_string_new(session->cache_is_private ? session->package_cache : NULL);

    for (guint i = 0; i < names->len; i++) {
        g_autofree char *path = g_build_filename(directory, names->pdata[i], NULL), *text = NULL;
        if (!g_str_equal(names->pdata[i], LOCAL) && g_file_get_contents(path, &text, NULL, NULL))
            g_string_append_printf(all, "# %s\n%s", (const char *) names->pdata[i], text);
    }
    /* What is on belongs to it: only that is fetched. */
    for (char **repository = session->config->repositories; *repository; repository++)
        g_string_append_printf(all, "# with %s\n", *repository);
    return g_string_free(all, FALSE);
}

gboolean rpm_configure_local(DistroSession *session, GError **error) {
    g_autofree char *path = repositories_path(session, LOCAL);
    return g_file_set_contents(path,
            "[mkosi]\nname=mkosi\nbaseurl=file:///repository\ngpgcheck=0\nrepo_gpgcheck=0\nenabled=1\npriority=10\n",
            -1, error);
}
