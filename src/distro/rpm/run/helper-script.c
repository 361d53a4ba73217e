/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "distro/rpm/run/helper-script.h"

#include "distro/rpm/run/run.h"

/* No initramfs generators and boot loader hooks unless the recipe wants them. */
static void append_environment(GString *script, const ImageConfig *config) {
    static const char *const bypasses[][2] = {
            {"INITRD", "No"}, {"KERNEL_INSTALL_BYPASS", "1"}, {"SYSTEMD_HWDB_UPDATE_BYPASS", "1"}};

    g_string_append(script, "#!/bin/sh\nexport HOME=/ SYSTEMD_IN_CHROOT=1 RPM_FORCE_DEBIAN=1"
                            " ZYPP_CONF=/etc/zypp/zypp.conf\n");
    for (gsize i = 0; i < G_N_ELEMENTS(bypasses); i++)
        if (!g_environ_getenv(config->environment, bypasses[i][0]))
            g_string_append_printf(script, "export %s=%s\n", bypasses[i][0], bypasses[i][1]);
}

static char *write_script(DistroSession *session, GPtrArray *argv, const RpmHelper *helper) {
    GString *script = g_string_new(NULL);

    append_environment(script, session->config);
    g_string_append_printf(script, "exec " DISTRO_HELPER_WRAPPER " /usr/bin/%s", helper->program);
    if (g_str_equal(helper->program, "rpm"))
        g_string_append(script, " --root=" BUILDROOT);
    for (guint i = 1; !g_str_equal(helper->program, "rpm") && i < argv->len; i++) {
        g_autofree char *quoted = g_shell_quote(argv->pdata[i]);
        g_string_append_printf(script, " %s", quoted);
    }
    if (helper->operation)
        g_string_append_printf(script, " %s", helper->operation);
    g_string_append(script, " \"$@\"\n");
    return g_string_free(script, FALSE);
}

char **rpm_helper_scripts(DistroSession *session, GPtrArray *argv, const RpmHelper *helpers, gsize n) {
    GPtrArray *scripts = g_ptr_array_new();

    for (gsize i = 0; i < n; i++) {
        g_ptr_array_add(scripts, g_strdup(helpers[i].name));
        g_ptr_array_add(scripts, write_script(session, argv, &helpers[i]));
    }
    g_ptr_array_add(scripts, NULL);
    return (char **) g_ptr_array_free(scripts, FALSE);
}
