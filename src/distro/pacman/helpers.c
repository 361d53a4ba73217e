/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "distro/pacman/helpers.h"

#include <string.h>

#include "distro/driver/session.h"
#include "distro/pacman/keyring.h"
#include "distro/pacman/metadata.h"
#include "distro/pacman/run.h"
#include "events/events.h"

static const struct {
    const char *name, *operation;
} helpers[] = {
        {"pacman", ""},
        {"mkosi-install", " --sync --needed"},
        {"mkosi-upgrade", " --sync --sysupgrade --needed"},
        {"mkosi-remove", " --remove --recursive --nosave"},
        {"mkosi-reinstall", " --sync"},
};

/* What pacman gets when the program itself runs it, unless Environment= says otherwise: scripts have that already. The
 * database is where the tree has it, which a script may change. */
static const char preparation[] =
        "export HOME=/ SYSTEMD_IN_CHROOT=1 KERNEL_INSTALL_BYPASS=\"${KERNEL_INSTALL_BYPASS-1}\""
        " SYSTEMD_HWDB_UPDATE_BYPASS=\"${SYSTEMD_HWDB_UPDATE_BYPASS-1}\"\n"
        "place=" PACMAN_ROOT "/var/lib/pacman/local\n"
        "[ -d \"$place\" ] || [ ! -d " PACMAN_ROOT "/usr/lib/pacman/local ] || place=" PACMAN_ROOT
        "/usr/lib/pacman/local\n"
        "mkdir -p \"$place\" /var/lib/pacman/local\n"
        "mountpoint -q /var/lib/pacman/local || mount --bind \"$place\" /var/lib/pacman/local\n";

static char *helper_script(DistroSession *session, const char *operation) {
    g_autoptr(GPtrArray) argv = pacman_command(session);
    g_autoptr(GString) script = g_string_new("#!/bin/sh\n");

    g_string_append(script, preparation);
    g_string_append(script, "exec " DISTRO_HELPER_WRAPPER " /usr/bin/pacman");
    for (guint i = 1; i < argv->len; i++) {
        g_autofree char *quoted = g_shell_quote(argv->pdata[i]);
        g_string_append_printf(script, " %s", quoted);
    }
    g_string_append_printf(script, "%s \"$@\"\n", operation);
    return g_string_free(g_steal_pointer(&script), FALSE);
}

char **pacman_script_helpers(DistroSession *session) {
    GPtrArray *scripts = g_ptr_array_new();

    for (size_t i = 0; i < G_N_ELEMENTS(helpers); i++) {
        g_ptr_array_add(scripts, g_strdup(helpers[i].name));
        g_ptr_array_add(scripts, helper_script(session, helpers[i].operation));
    }
    g_ptr_array_add(scripts, NULL);
    return (char **) g_ptr_array_free(scripts, FALSE);
}

void pacman_sandbox_mounts(DistroSession *session, Sandbox *sandbox) {
    g_autofree char *databases = pacman_path(session, "sync");
    g_autofree char *packages = g_build_filename(session->package_cache, "archives", NULL);
    g_autoptr(GError) problem = NULL;

    /* Without metadata a script that wants packages fails and says so. */
    if (!pacman_take_metadata(session, &problem) || !pacman_keyring_prepare(session, &problem))
        events_debug("pacman in scripts has no metadata or no keyring: %s", problem->message);
    pacman_mount_configuration(session, sandbox, PACMAN_PACKAGES);
    session_throwaway(session, sandbox, databases, "sync", "/var/lib/pacman/sync");
    session_throwaway(session, sandbox, packages, "packages", "/var/cache/pacman/pkg");
}
