/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "distro/apt/run.h"

#include "base/cleanup.h"
#include "base/errors.h"
#include "distro/apt/command.h"
#include "distro/apt/dpkg-bootstrap.h"
#include "distro/driver/cache-lock.h"
#include "distro/driver/session.h"
#include "events/task.h"

#include <string.h>

Sandbox *apt_sandbox(DistroSession *session, const char *root, AptRunFlags flags) {
    g_autofree char *configuration = session_path(session, "apt");
    g_autofree char *empty_root = session_path(session, "empty-root");
    g_autofree char *lists = g_build_filename(session->package_cache, "lists", NULL);
    SandboxMountFlags shared = flags & APT_PACKAGES ? SANDBOX_READ_ONLY : 0;
    g_autoptr(Sandbox) sandbox = sandbox_new_for_tools(session->tools_tree);

    sandbox_bind(sandbox, configuration, "/etc/apt", shared);
    sandbox_file(sandbox, APT_CONFIG_FILE, "Dir::Etc \"/etc/apt\";\n", FALSE);
    sandbox_bind(sandbox, session->package_cache, "/var/cache/apt", shared);
    sandbox_bind(sandbox, lists, "/var/lib/apt/lists", shared);
    sandbox_bind(sandbox, root ? root : empty_root, BUILDROOT, 0);
    sandbox_api_mounts(sandbox, BUILDROOT);
    if (session->local_repository)
        sandbox_bind(sandbox, session->local_repository, "/repository", shared);
    sandbox_setenv(sandbox, "APT_CONFIG", APT_CONFIG_FILE);
    sandbox_setenv(sandbox, "DEBIAN_FRONTEND", "noninteractive");
    sandbox_setenv(sandbox, "DEBCONF_INTERACTIVE_SEEN", "true");
    /* ucf asks about the files that it cares for, as dpkg does about conffiles. */
    sandbox_setenv(sandbox, "UCF_FORCE_CONFFOLD", "1");
    session_environment(session, sandbox);
    sandbox_privileges(sandbox, SANDBOX_PRIVILEGES_PACKAGES);
    sandbox_suppress_sync(sandbox);
    sandbox_network(sandbox, flags & APT_NETWORK);
    return g_steal_pointer(&sandbox);
}

gboolean apt_prepare_root(DistroSession *session, const char *root, GError **error) {
    return root ? dpkg_prepare_root(root, ".", error)
                : dpkg_prepare_root(session->workspace, "empty-root", error);
}

/* The command and how it ended, without its last lines: the reason is picked from all of them. */
static char *first_line(const char *message) {
    char *line = g_strndup(message, strcspn(message, "\n"));

    if (g_str_has_suffix(line, ":"))
        line[strlen(line) - 1] = '\0';
    return line;
}

static void set_reason(const Sandbox *sandbox, const GError *failure, const AptOutput *output,
        DistroError code, const char *advice, GError **error) {
    const char *reason = apt_output_reason(output);
    g_autofree char *command = first_line(failure->message);
    g_autofree char *apt = sandbox_advice(sandbox, "apt-get", reason);
    g_autofree char *dpkg = apt ? NULL : sandbox_advice(sandbox, "dpkg", reason);
    const char *too_old = apt ? apt : dpkg;

    g_set_error(error, DISTRO_ERROR, code, "%s; apt says:\n%s\n%s", command, reason,
            too_old ? too_old : apt_output_advice(output, advice));
}

gboolean apt_run(DistroSession *session, Sandbox *sandbox, GPtrArray *argv, AptOutput *output,
        DistroError code, const char *advice, char **ret_stdout, GError **error) {
    g_autoptr(AptOutput) own = output ? NULL : (output = apt_output_new(NULL, NULL, 0));
    g_autoptr(GError) failure = NULL;
    gboolean ok;
    AUTO_FD lock = session->fetches_metadata ? -1 : cache_lock_metadata(session, FALSE, error);

    if (lock < 0 && !session->fetches_metadata)
        return FALSE;
    g_ptr_array_add(argv, NULL);
    sandbox_on_line(sandbox, apt_output_line, output);
    if (ret_stdout) {
        *ret_stdout = sandbox_run_output(sandbox, (const char *const *) argv->pdata, NULL, &failure);
        ok = *ret_stdout != NULL;
    } else
        ok = sandbox_run(sandbox, (const char *const *) argv->pdata, &failure);
    if (ok)
        return TRUE;
    /* Which dependencies are not met stands among what was asked for; hear it as messages. */
    if (ret_stdout && !task_is_cancelled(task_current()))
        ignore_failure(sandbox_run(sandbox, (const char *const *) argv->pdata, NULL));
    if (!*apt_output_reason(output) || task_is_cancelled(task_current())) {
        g_propagate_error(error, g_steal_pointer(&failure));
        return FALSE;
    }
    set_reason(sandbox, failure, output, code, advice, error);
    return FALSE;
}
