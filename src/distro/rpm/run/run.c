/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "distro/rpm/run/run.h"

#include <fcntl.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/directory.h"
#include "distro/driver/cache-lock.h"
#include "distro/driver/session.h"
#include "distro/rpm/family/keys.h"
#include "events/events.h"
#include "tree/tree.h"

RpmState *rpm_state(const DistroSession *session) {
    return session->state;
}

void rpm_state_free(gpointer data) {
    RpmState *state = data;

    g_clear_pointer(&state->missing_keys, g_ptr_array_unref);
    g_strfreev(state->base);
    g_clear_pointer(&state->changelogs, g_hash_table_unref);
    g_free(state);
}

static void bind_own(DistroSession *session, Sandbox *sandbox, const char *name, const char *target) {
    g_autofree char *source = g_build_filename(session->workspace, "rpm", name, NULL);
    sandbox_bind(sandbox, source, target, SANDBOX_READ_ONLY | SANDBOX_OPTIONAL);
}

/* Certificates and keys that the recipe brings for repositories of its own. */
static void bind_certificates(DistroSession *session, Sandbox *sandbox) {
    static const char *const directories[] = {"etc/pki", "etc/ssl"};

    for (gsize i = 0; session->sandbox_tree && i < G_N_ELEMENTS(directories); i++) {
        g_autofree char *top = g_build_filename(session->sandbox_tree, directories[i], NULL);
        g_autoptr(GPtrArray) names = list_directory_if_any(top);
        for (guint j = 0; j < names->len; j++) {
            g_autofree char *source = g_build_filename(top, names->pdata[j], NULL);
            g_autofree char *target = g_build_filename("/", directories[i], names->pdata[j], NULL);
            sandbox_bind(sandbox, source, target, SANDBOX_READ_ONLY);
        }
    }
}

void rpm_sandbox_configuration(DistroSession *session, Sandbox *sandbox) {
    bind_certificates(session, sandbox);
    bind_own(session, sandbox, "dnf", "/etc/dnf");
    bind_own(session, sandbox, "zypp", "/etc/zypp");
    bind_own(session, sandbox, "yum.repos.d", "/etc/yum.repos.d");
    bind_own(session, sandbox, "rpm", "/etc/rpm");
    bind_own(session, sandbox, "keys", RPM_KEYS);
    if (session->local_repository)
        sandbox_bind(sandbox, session->local_repository, "/repository", SANDBOX_READ_ONLY);
    g_autofree char *packages = session_path(session, "zypp-packages");
    sandbox_bind(sandbox, packages, RPM_OWN_PACKAGES, 0);
    /* Debian's rpm would refuse to install; it is not for this machine. */
    sandbox_setenv(sandbox, "RPM_FORCE_DEBIAN", "1");
    sandbox_setenv(sandbox, "ZYPP_CONF", "/etc/zypp/zypp.conf");
}

/* Solvers keep their own form of the metadata beside it, which nobody has verified: it is written over the cache, and
 * goes away with the session. */
static void mount_cache(DistroSession *session, Sandbox *sandbox, RpmRunFlags flags) {
    g_autofree char *metadata = g_build_filename(session->package_cache, "metadata", NULL);
    g_autofree char *archives = g_build_filename(session->package_cache, "archives", NULL);
    g_autofree char *upper = session_path(session, "changes/upper"), *work = session_path(session, "changes/work");
    char *const lowers[] = {metadata, NULL};

    if (flags & RPM_FETCHES_METADATA)
        sandbox_bind(sandbox, metadata, RPM_CACHE, 0);
    else
        sandbox_overlay(sandbox, lowers, upper, work, RPM_CACHE);
    sandbox_bind(sandbox, archives, RPM_ARCHIVES, flags & RPM_DOWNLOADS ? 0 : SANDBOX_READ_ONLY);
}

Sandbox *rpm_sandbox(DistroSession *session, const char *root, RpmRunFlags flags) {
    g_autofree char *empty_root = session_path(session, "empty-root");
    g_autoptr(Sandbox) sandbox = sandbox_new_for_tools(session->tools_tree);

    rpm_sandbox_configuration(session, sandbox);
    mount_cache(session, sandbox, flags);
    sandbox_bind(sandbox, root ? root : empty_root, BUILDROOT, 0);
    if (flags & RPM_FIRST)
        sandbox_tmpfs(sandbox, BUILDROOT "/run");
    else
        sandbox_api_mounts(sandbox, BUILDROOT);
    session_environment(session, sandbox);
    /* Scripts of packages ask systemd's programs to do nothing that needs a running system. */
    sandbox_setenv(sandbox, "SYSTEMD_IN_CHROOT", "1");
    sandbox_privileges(sandbox, SANDBOX_PRIVILEGES_PACKAGES);
    sandbox_suppress_sync(sandbox);
    sandbox_network(sandbox, (flags & RPM_NETWORK) != 0);
    return g_steal_pointer(&sandbox);
}

gboolean rpm_forget_changes(DistroSession *session, GError **error) {
    AUTO_FD fd = open(session->workspace, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    return tree_remove(fd, "changes", error) && tree_mkdir_p(fd, "changes/upper", 0755, error) &&
           tree_mkdir_p(fd, "changes/work", 0755, error);
}

void rpm_set_reason(
        const RpmOutput *output, const char *command, DistroError code, const char *advice, GError **error) {
    g_autofree char *last = rpm_output_last_lines(output);
    const char *reason = *rpm_output_reason(output) ? rpm_output_reason(output) : last;

    g_set_error(error, DISTRO_ERROR, code, "%s; the package manager says:\n%s\n%s", command, reason,
            rpm_output_advice(reason, advice));
}

static void warn_of_scripts(const RpmOutput *output) {
    const GPtrArray *failed = rpm_output_failed_scripts(output);

    for (guint i = 0; i < failed->len; i++)
        events_warning("A script of a package failed, which rpm lets pass:\n%s", (const char *) failed->pdata[i]);
}

/* zypper's "a reboot is needed", "zypper itself was updated", and "a script of a package failed". */
static gboolean is_success(int status) {
    return status == 0 || status == 102 || status == 103 || status == 107;
}

gboolean rpm_run(DistroSession *session, Sandbox *sandbox, GPtrArray *argv, DistroProgress progress, gpointer data,
        DistroError code, const char *advice, GError **error) {
    g_autoptr(RpmOutput) output = rpm_output_new(progress, data);
    int status = 0;
    AUTO_FD lock = session->fetches_metadata ? -1 : cache_lock_metadata(session, FALSE, error);

    if (lock < 0 && !session->fetches_metadata)
        return FALSE;
    g_ptr_array_add(argv, NULL);
    sandbox_on_line(sandbox, rpm_output_line, output);
    gboolean ran = sandbox_run_status(sandbox, (const char *const *) argv->pdata, &status, error);
    warn_of_scripts(output);
    if (!ran || is_success(status))
        return ran;
    g_autofree char *command = g_strdup_printf("%s ended with status %d", (const char *) argv->pdata[0], status);
    rpm_set_reason(output, command, code, advice, error);
    return FALSE;
}
