/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "distro/pacman/run.h"

#include <string.h>

#include "base/errors.h"
#include "distro/driver/session.h"
#include "distro/pacman/configuration.h"
#include "distro/pacman/installed.h"
#include "events/task.h"

#define DATABASES "/var/lib/pacman"
#define HOOKS_OFF "/etc/pacman-hooks"

/* Hooks of packages that make initrds, boot loader entries or signatures: the image gets those from us. A hook of the
 * same name in a later directory takes their place. */
static const char *const hooks_off[] = {
        "60-booster-remove.hook",
        "60-dracut-remove.hook",
        "60-mkinitcpio-remove.hook",
        "90-booster-install.hook",
        "90-dracut-install.hook",
        "90-mkinitcpio-install.hook",
        "booster.hook",
        "sbctl.hook",
        "zz-sbctl.hook",
};

char *pacman_path(DistroSession *session, const char *name) {
    return g_build_filename(session->workspace, "pacman", name, NULL);
}

void pacman_mount_configuration(DistroSession *session, Sandbox *sandbox, PacmanRunFlags flags) {
    SandboxMountFlags shared = flags & PACMAN_PACKAGES ? SANDBOX_READ_ONLY : 0;
    g_autofree char *file = pacman_path(session, "pacman.conf");
    g_autofree char *local = pacman_path(session, flags & PACMAN_FETCH ? "no-local.conf" : "mkosi-local.conf");
    g_autofree char *directory = pacman_path(session, "pacman.d");

    sandbox_bind(sandbox, file, "/etc/pacman.conf", SANDBOX_READ_ONLY);
    sandbox_bind(sandbox, local, "/etc/mkosi-local.conf", SANDBOX_READ_ONLY);
    sandbox_bind(sandbox, directory, "/etc/pacman.d", shared);
    if (session->local_repository)
        sandbox_bind(sandbox, session->local_repository, "/repository", SANDBOX_READ_ONLY);
    for (gsize i = 0; i < G_N_ELEMENTS(hooks_off); i++) {
        g_autofree char *link = g_build_filename(HOOKS_OFF, hooks_off[i], NULL);
        sandbox_symlink(sandbox, "/dev/null", link);
    }
}

static void set_proxy(const ImageConfig *config, Sandbox *sandbox) {
    g_autofree char *exclude = config->proxy_exclude ? g_strjoinv(",", config->proxy_exclude) : NULL;

    if (!config->proxy_url)
        return;
    sandbox_setenv(sandbox, "http_proxy", config->proxy_url);
    sandbox_setenv(sandbox, "https_proxy", config->proxy_url);
    if (exclude && *exclude)
        sandbox_setenv(sandbox, "no_proxy", exclude);
}

Sandbox *pacman_sandbox(DistroSession *session, const char *root, PacmanRunFlags flags, GError **error) {
    SandboxMountFlags shared = flags & PACMAN_PACKAGES ? SANDBOX_READ_ONLY : 0;
    g_autofree char *empty = pacman_path(session, "empty-root");
    g_autofree char *databases = pacman_path(session, flags & PACMAN_FETCH ? "fetched" : "sync");
    g_autofree char *packages = g_build_filename(session->package_cache, "archives", NULL);
    const char *tree = root ? root : empty;
    g_autofree char *local = pacman_find_database(tree, error);
    g_autoptr(Sandbox) sandbox = local ? sandbox_new_for_tools(session->tools_tree) : NULL;

    if (!sandbox)
        return NULL;
    pacman_mount_configuration(session, sandbox, flags);
    sandbox_bind(sandbox, databases, DATABASES "/sync", shared);
    sandbox_bind(sandbox, local, DATABASES "/local", 0);
    sandbox_bind(sandbox, packages, "/var/cache/pacman/pkg", shared);
    sandbox_bind(sandbox, tree, PACMAN_ROOT, 0);
    if (!(flags & PACMAN_EMPTY))
        sandbox_api_mounts(sandbox, PACMAN_ROOT);
    session_environment(session, sandbox);
    if (flags & PACMAN_NETWORK)
        set_proxy(session->config, sandbox);
    sandbox_privileges(sandbox, SANDBOX_PRIVILEGES_PACKAGES);
    sandbox_suppress_sync(sandbox);
    sandbox_network(sandbox, flags & PACMAN_NETWORK);
    return g_steal_pointer(&sandbox);
}

void pacman_add_words(GPtrArray *argv, const char *first, ...) {
    va_list arguments;

    va_start(arguments, first);
    for (const char *word = first; word; word = va_arg(arguments, const char *))
        g_ptr_array_add(argv, g_strdup(word));
    va_end(arguments);
}

GPtrArray *pacman_command(DistroSession *session) {
    GPtrArray *argv = g_ptr_array_new_with_free_func(g_free);

    pacman_add_words(argv, "pacman", "--config=/etc/pacman.conf", "--root=" PACMAN_ROOT, "--dbpath=" DATABASES,
            "--gpgdir=/etc/pacman.d/gnupg", "--logfile=/dev/null", "--hookdir=" PACMAN_ROOT "/etc/pacman.d/hooks",
            "--hookdir=" HOOKS_OFF, "--noconfirm", "--color=never", NULL);
    g_ptr_array_add(argv, g_strconcat("--arch=", pacman_architecture(session->config->architecture), NULL));
    /* What is downloaded goes to the first one that can be written to: there has to be one, whatever happens. */
    if (session->local_repository)
        g_ptr_array_add(argv, g_strdup("--cachedir=/repository"));
    pacman_add_words(argv, "--cachedir=/var/cache/pacman/pkg", "--cachedir=/run/pacman-cache", NULL);
    return argv;
}

GPtrArray *pacman_transaction(DistroSession *session, const char *operation) {
    GPtrArray *argv = pacman_command(session);

    pacman_add_words(argv, operation, "--noprogressbar", NULL);
    return argv;
}

/* The command and how it ended, without its last lines: the reason is picked from all of them. */
static char *first_line(const char *message) {
    char *line = g_strndup(message, strcspn(message, "\n"));

    if (g_str_has_suffix(line, ":"))
        line[strlen(line) - 1] = '\0';
    return line;
}

static gboolean fail(const Sandbox *sandbox, const GError *failure, const PacmanOutput *output, DistroError code,
        const char *advice, GError **error) {
    const char *reason = pacman_output_reason(output);
    g_autofree char *command = failure ? first_line(failure->message) : g_strdup("A program of a package failed");
    g_autofree char *too_old = sandbox_advice(sandbox, "pacman", reason);

    g_set_error(error, DISTRO_ERROR, code, "%s; pacman says:\n%s\n%s", command, reason,
            too_old ? too_old : pacman_output_advice(output, advice));
    return FALSE;
}

gboolean pacman_run(DistroSession *session, Sandbox *sandbox, GPtrArray *argv, PacmanOutput *output, DistroError code,
        const char *advice, char **ret_stdout, GError **error) {
    g_autoptr(PacmanOutput) own = output ? NULL : (output = pacman_output_new(NULL, NULL, 0));
    g_autoptr(GError) failure = NULL;
    gboolean ok;

    g_ptr_array_add(argv, NULL);
    sandbox_on_line(sandbox, pacman_output_line, output);
    if (ret_stdout) {
        *ret_stdout = sandbox_run_output(sandbox, (const char *const *) argv->pdata, NULL, &failure);
        ok = *ret_stdout != NULL;
    } else
        ok = sandbox_run(sandbox, (const char *const *) argv->pdata, &failure);
    if (ok && !pacman_output_failed(output))
        return TRUE;
    /* Which dependencies are not met stands among what was asked for; hear it as messages. */
    if (!ok && ret_stdout && !task_is_cancelled(task_current()))
        ignore_failure(sandbox_run(sandbox, (const char *const *) argv->pdata, NULL));
    if (!*pacman_output_reason(output) || task_is_cancelled(task_current())) {
        g_propagate_error(error, g_steal_pointer(&failure));
        return FALSE;
    }
    return fail(sandbox, failure, output, code, advice, error);
}
