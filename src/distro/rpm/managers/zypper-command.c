/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "distro/rpm/managers/zypper-command.h"

#include "distro/rpm/run/helper-script.h"
#include "distro/rpm/run/run.h"

static void add(GPtrArray *argv, const char *word) {
    g_ptr_array_add(argv, g_strdup(word));
}

GPtrArray *zypper_command(DistroSession *session, gboolean xml) {
    const ImageConfig *config = session->config;
    GPtrArray *argv = g_ptr_array_new_with_free_func(g_free);

    add(argv, "zypper");
    if (xml)
        add(argv, "--xmlout");
    add(argv, "--installroot=" BUILDROOT);
    add(argv, "--cache-dir=" RPM_CACHE);
    add(argv, "--pkg-cache-dir=" RPM_OWN_PACKAGES);
    add(argv, "--non-interactive");
    add(argv, "--no-refresh");
    g_ptr_array_add(argv, g_strdup_printf("--releasever=%s", config->release));
    if (!config->repository_key_check)
        add(argv, "--no-gpg-checks");
    for (char **repository = config->repositories; *repository; repository++)
        g_ptr_array_add(argv, g_strdup_printf("--plus-content=%s", *repository));
    return argv;
}

void zypper_add_install(GPtrArray *argv, DistroSession *session) {
    add(argv, "install");
    add(argv, session->config->with_recommends ? "--recommends" : "--no-recommends");
    /* Local packages win, whatever their version is. */
    add(argv, "--oldpackage");
}

char **zypper_script_helpers(DistroSession *session) {
    g_autoptr(GPtrArray) argv = zypper_command(session, FALSE);
    const char *recommends = session->config->with_recommends ? "--recommends" : "--no-recommends";
    g_autofree char *install = g_strdup_printf("install %s", recommends);
    g_autofree char *again = g_strdup_printf("install %s --force", recommends);
    const RpmHelper helpers[] = {
            {"zypper", "zypper", NULL},
            {"mkosi-install", "zypper", install},
            {"mkosi-upgrade", "zypper", "update"},
            {"mkosi-remove", "zypper", "remove --clean-deps"},
            {"mkosi-reinstall", "zypper", again},
            {"rpm", "rpm", NULL},
    };

    return rpm_helper_scripts(session, argv, helpers, G_N_ELEMENTS(helpers));
}
