/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "distro/apt/helpers.h"

#include <string.h>

#include "distro/apt/command.h"

static const struct {
    const char *name, *program, *operation;
} helpers[] = {
        {"apt", "apt", NULL},
        {"apt-cache", "apt-cache", NULL},
        {"apt-cdrom", "apt-cdrom", NULL},
        {"apt-config", "apt-config", NULL},
        {"apt-extracttemplates", "apt-extracttemplates", NULL},
        {"apt-get", "apt-get", NULL},
        {"apt-key", "apt-key", NULL},
        {"apt-mark", "apt-mark", NULL},
        {"apt-sortpkgs", "apt-sortpkgs", NULL},
        {"dpkg", "dpkg", NULL},
        {"dpkg-query", "dpkg-query", NULL},
        {"mkosi-install", "apt-get", "install"},
        {"mkosi-upgrade", "apt-get", "upgrade"},
        {"mkosi-remove", "apt-get", "purge"},
        {"mkosi-reinstall", "apt-get", "install --reinstall"},
};

static gboolean is_set(const ImageConfig *config, const char *name) {
    gsize length = strlen(name);

    for (char **variable = config->environment; *variable; variable++)
        if (strncmp(*variable, name, length) == 0 && (*variable)[length] == '=')
            return TRUE;
    return FALSE;
}

/* What apt gets when the program itself runs it: no questions, and no initramfs generators or boot loader
 * hooks unless the recipe wants them. */
static void append_environment(GString *script, const ImageConfig *config) {
    static const char *const bypasses[][2] = {
            {"INITRD", "No"}, {"KERNEL_INSTALL_BYPASS", "1"}, {"SYSTEMD_HWDB_UPDATE_BYPASS", "1"}};

    g_string_append(script,
            "export APT_CONFIG=" APT_CONFIG_FILE " DEBIAN_FRONTEND=noninteractive"
            " DEBCONF_INTERACTIVE_SEEN=true UCF_FORCE_CONFFOLD=1 HOME=/ SYSTEMD_IN_CHROOT=1\n");
    for (size_t i = 0; i < G_N_ELEMENTS(bypasses); i++)
        if (!is_set(config, bypasses[i][0]))
            g_string_append_printf(script, "export %s=%s\n", bypasses[i][0], bypasses[i][1]);
}

static void append_command(GString *script, DistroSession *session, const char *program) {
    g_autoptr(GPtrArray) argv = NULL;

    g_string_append_printf(script, "exec " DISTRO_HELPER_WRAPPER " /usr/bin/%s", program);
    if (g_str_has_prefix(program, "dpkg")) {
        g_string_append(script, " --admindir=" BUILDROOT "/var/lib/dpkg --root=" BUILDROOT);
        return;
    }
    argv = apt_command(session, program);
    for (guint i = 1; i < argv->len; i++) {
        g_autofree char *quoted = g_shell_quote(argv->pdata[i]);
        g_string_append_printf(script, " %s", quoted);
    }
}

static char *helper_script(DistroSession *session, const char *program, const char *operation) {
    GString *script = g_string_new("#!/bin/sh\n");

    append_environment(script, session->config);
    append_command(script, session, program);
    if (operation)
        g_string_append_printf(script, " %s", operation);
    g_string_append(script, " \"$@\"\n");
    return g_string_free(script, FALSE);
}

char **apt_script_helpers(DistroSession *session) {
    GPtrArray *scripts = g_ptr_array_new();

    for (size_t i = 0; i < G_N_ELEMENTS(helpers); i++) {
        g_ptr_array_add(scripts, g_strdup(helpers[i].name));
        g_ptr_array_add(scripts, helper_script(session, helpers[i].program, helpers[i].operation));
    }
    g_ptr_array_add(scripts, NULL);
    return (char **) g_ptr_array_free(scripts, FALSE);
}
