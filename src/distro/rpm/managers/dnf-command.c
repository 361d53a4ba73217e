/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "distro/rpm/managers/dnf-command.h"

#include "distro/rpm/run/helper-script.h"
#include "distro/rpm/run/run.h"

static void add(GPtrArray *argv, const char *format, ...) G_GNUC_PRINTF(2, 3);
static void add(GPtrArray *argv, const char *format, ...) {
    va_list arguments;

    va_start(arguments, format);
    g_ptr_array_add(argv, g_strdup_vprintf(format, arguments));
    va_end(arguments);
}

const char *dnf_program(DistroSession *session) {
    return rpm_state(session)->five ? "dnf5" : "dnf";
}

static void add_configuration(GPtrArray *argv, gboolean five, DnfWork work) {
    if (five) {
        add(argv, "--use-host-config");
        add(argv, "--setopt=plugins=0");
        /* Relations to files need them. */
        add(argv, "--setopt=optional_metadata_types=comps,filelists");
        return;
    }
    add(argv, "--config=/etc/dnf/dnf.conf");
    add(argv, "--setopt=reposdir=/etc/yum.repos.d");
    add(argv, "--setopt=varsdir=/etc/dnf/vars");
    add(argv, "--setopt=persistdir=%s", work == DNF_INSTALLS ? BUILDROOT "/var/lib/dnf" : "/run/dnf");
    add(argv, "--noplugins");
}

static void add_choices(GPtrArray *argv, const ImageConfig *config, gboolean five) {
    add(argv, "--setopt=install_weak_deps=%d", config->with_recommends);
    if (!config->with_docs)
        add(argv, five ? "--no-docs" : "--nodocs");
    if (!config->repository_key_check)
        add(argv, five ? "--no-gpgchecks" : "--nogpgcheck");
    for (char **repository = config->repositories; *repository; repository++)
        add(argv, "%s=%s", five ? "--enable-repo" : "--enablerepo", *repository);
    if (config->proxy_url)
        add(argv, "--setopt=proxy=%s", config->proxy_url);
}

GPtrArray *dnf_command(DistroSession *session, DnfWork work) {
    const ImageConfig *config = session->config;
    GPtrArray *argv = g_ptr_array_new_with_free_func(g_free);
    gboolean five = rpm_state(session)->five;

    add(argv, "%s", dnf_program(session));
    add(argv, "--assumeyes");
    add(argv, "--best");
    add(argv, "--releasever=%s", config->release);
    add(argv, "--forcearch=%s", session->ops->architecture(config->architecture));
    add(argv, "--installroot=" BUILDROOT);
    add(argv, "--setopt=cachedir=" RPM_CACHE);
    add(argv, "--setopt=keepcache=1");
    /* Below the tree both are file systems of the sandbox. */
    add(argv, "--setopt=logdir=/run");
    add(argv, "--setopt=metadata_expire=never");
    add(argv, "--setopt=skip_if_unavailable=0");
    add(argv, "--setopt=protected_packages=");
    add(argv, "--setopt=timeout=30");
    add(argv, "--setopt=retries=2");
    if (work != DNF_FETCHES)
        add(argv, "--setopt=*.repo_gpgcheck=0");
    add_configuration(argv, five, work);
    add_choices(argv, config, five);
    return argv;
}

char **dnf_script_helpers(DistroSession *session) {
    g_autoptr(GPtrArray) argv = dnf_command(session, DNF_INSTALLS);
    const char *dnf = dnf_program(session);
    const RpmHelper helpers[] = {
            {"dnf", dnf, NULL},
            {"mkosi-install", dnf, "install"},
            {"mkosi-upgrade", dnf, "upgrade"},
            {"mkosi-remove", dnf, "remove"},
            {"mkosi-reinstall", dnf, "reinstall"},
            {"rpm", "rpm", NULL},
    };

    return rpm_helper_scripts(session, argv, helpers, G_N_ELEMENTS(helpers));
}
