/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/run/host-program.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "events/events.h"
#include "sandbox/program-packages.h"
#include "text/environment-file.h"

char *host_program_find(const ImageConfig *config, const char *program, GError **error) {
    static const char *const directories[] = {"/usr/sbin", "/sbin", "/usr/lib/systemd", "/lib/systemd", NULL};
    for (char **directory = config ? config->extra_search_paths : NULL; directory && *directory; directory++) {
        g_autofree char *path = g_build_filename(*directory, program, NULL);
        if (g_file_test(path, G_FILE_TEST_IS_EXECUTABLE))
            return g_steal_pointer(&path);
    }
    char *found = g_find_program_in_path(program);
    for (const char *const *directory = directories; !found && *directory; directory++) {
        found = g_build_filename(*directory, program, NULL);
        if (!g_file_test(found, G_FILE_TEST_IS_EXECUTABLE))
            g_clear_pointer(&found, g_free);
    }
    if (!found) {
        g_autofree char *advice = program_packages_advice(program);
        g_set_error(error, RECIPE_ERROR, RECIPE_ERROR_MISSING, "%s is not installed: %s", program, advice);
    }
    return found;
}

guint host_program_systemd_version(const char *path) {
    g_autoptr(Sandbox) sandbox = sandbox_new_for_host();
    const char *const argv[] = {path, "--version", NULL};
    g_autofree char *text = sandbox_run_output(sandbox, argv, NULL, NULL);
    return text && g_str_has_prefix(text, "systemd ") ? strtoul(text + strlen("systemd "), NULL, 10) : 0;
}

static gboolean set_from_file(Sandbox *sandbox, const char *path, GError **error) {
    g_autofree char *text = NULL;
    if (!g_file_get_contents(path, &text, NULL, error)) {
        g_prefix_error(error, "EnvironmentFiles=: ");
        return FALSE;
    }
    g_auto(GStrv) inherited = g_get_environ(), variables = environment_file_parse(text, inherited);
    for (char **variable = variables; *variable; variable++) {
        g_auto(GStrv) pair = g_strsplit(*variable, "=", 2);
        sandbox_setenv(sandbox, pair[0], pair[1]);
    }
    return TRUE;
}

Sandbox *host_program_sandbox(const ImageConfig *config, GError **error) {
    g_autoptr(Sandbox) sandbox = sandbox_new_for_host();
    sandbox_interactive(sandbox);
    for (char **file = config->environment_files; *file; file++)
        if (!set_from_file(sandbox, *file, error))
            return NULL;
    for (char **variable = config->environment; *variable; variable++) {
        g_auto(GStrv) pair = g_strsplit(*variable, "=", 2);
        sandbox_setenv(sandbox, pair[0], pair[1] ? pair[1] : "");
    }
    return g_steal_pointer(&sandbox);
}

gboolean host_program_run(Sandbox *sandbox, const char *const *argv, int *ret_exit_status, GError **error) {
    struct sigaction ignore = {.sa_handler = SIG_IGN}, interrupt, quit;
    sigaction(SIGINT, &ignore, &interrupt);
    sigaction(SIGQUIT, &ignore, &quit);
    gboolean good = sandbox_run_status(sandbox, argv, ret_exit_status, error);
    sigaction(SIGINT, &interrupt, NULL);
    sigaction(SIGQUIT, &quit, NULL);
    return good;
}

gboolean host_program_need_root(const char *what, GError **error) {
    if (sandbox_is_real_root())
        return TRUE;
    g_set_error(error, RECIPE_ERROR, RECIPE_ERROR_MISSING,
            "%s needs root on this machine: run particleos with sudo or run0", what);
    return FALSE;
}

void host_program_allow_unverified(Sandbox *sandbox) {
    if (g_file_test("/dev/mapper/control", G_FILE_TEST_EXISTS))
        return;
    events_warning("This host has no device mapper: verity volumes of the image are mounted without being "
                   "verified");
    sandbox_setenv(sandbox, "SYSTEMD_DISSECT_VERITY_SIDECAR", "0");
    sandbox_setenv(sandbox, "SYSTEMD_DISSECT_VERITY_EMBEDDED", "0");
}
