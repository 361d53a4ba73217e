/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "distro/apt/command.h"

const char *const apt_documentation[] = {
        "/usr/share/doc/*",
        "/usr/share/man/*",
        "/usr/share/groff/*",
        "/usr/share/gtk-doc/*",
        "/usr/share/info/*",
        NULL,
};

void apt_add_option(GPtrArray *argv, const char *format, ...) {
    va_list arguments;

    va_start(arguments, format);
    g_ptr_array_add(argv, g_strdup("-o"));
    g_ptr_array_add(argv, g_strdup_vprintf(format, arguments));
    va_end(arguments);
}

static void add_trust_options(GPtrArray *argv, const ImageConfig *config) {
    if (config->repository_key_check)
        return;
    apt_add_option(argv, "Acquire::AllowInsecureRepositories=true");
    apt_add_option(argv, "Acquire::AllowDowngradeToInsecureRepositories=true");
    apt_add_option(argv, "APT::Get::AllowUnauthenticated=true");
}

static void add_dpkg_options(GPtrArray *argv, const ImageConfig *config) {
    apt_add_option(argv, "DPkg::Options::=--root=" BUILDROOT);
    apt_add_option(argv, "DPkg::Options::=--force-unsafe-io");
    apt_add_option(argv, "DPkg::Options::=--force-architecture");
    apt_add_option(argv, "DPkg::Options::=--force-depends");
    /* Nobody is there to be asked: what the recipe brought stays, as is dpkg's own choice. */
    apt_add_option(argv, "DPkg::Options::=--force-confdef");
    apt_add_option(argv, "DPkg::Options::=--force-confold");
    apt_add_option(argv, "DPkg::Options::=--no-debsig");
    apt_add_option(argv, "DPkg::Use-Pty=false");
    if (config->with_docs)
        return;
    for (const char *const *glob = apt_documentation; *glob; glob++)
        apt_add_option(argv, "DPkg::Options::=--path-exclude=%s", *glob);
    apt_add_option(argv, "DPkg::Options::=--path-include=/usr/share/doc/*/copyright");
}

GPtrArray *apt_command(DistroSession *session, const char *program) {
    const ImageConfig *config = session->config;
    const char *architecture = architecture_to_debian(config->architecture);
    GPtrArray *argv = g_ptr_array_new_with_free_func(g_free);

    g_ptr_array_add(argv, g_strdup(program));
    apt_add_option(argv, "APT::Architecture=%s", architecture);
    apt_add_option(argv, "APT::Architectures=%s", architecture);
    apt_add_option(argv, "APT::Install-Recommends=%s", config->with_recommends ? "true" : "false");
    apt_add_option(argv, "APT::Immediate-Configure=off");
    apt_add_option(argv, "APT::Get::Assume-Yes=true");
    apt_add_option(argv, "APT::Get::AutomaticRemove=true");
    apt_add_option(argv, "APT::Get::Allow-Change-Held-Packages=true");
    apt_add_option(argv, "APT::Get::Allow-Remove-Essential=true");
    /* Local packages win, whatever their version is. */
    apt_add_option(argv, "APT::Get::allow-downgrades=true");
    apt_add_option(argv, "APT::Sandbox::User=root");
    apt_add_option(argv, "Acquire::AllowReleaseInfoChange=true");
    apt_add_option(argv, "Acquire::Check-Valid-Until=false");
    apt_add_option(argv, "Acquire::Languages=none");
    apt_add_option(argv, "Acquire::Retries=2");
    apt_add_option(argv, "Acquire::http::Timeout=30");
    apt_add_option(argv, "Acquire::https::Timeout=30");
    apt_add_option(argv, "Acquire::IndexTargets::deb::DEP-11::DefaultEnabled=false");
    apt_add_option(argv, "Dir::Cache=/var/cache/apt");
    apt_add_option(argv, "Dir::State=" BUILDROOT "/var/lib/apt");
    apt_add_option(argv, "Dir::State::lists=/var/lib/apt/lists/");
    apt_add_option(argv, "Dir::State::Status=" BUILDROOT "/var/lib/dpkg/status");
    apt_add_option(argv, "Dir::Log=/tmp");
    apt_add_option(argv, "Debug::NoLocking=true");
    apt_add_option(argv, "pkgCacheGen::ForceEssential=,");
    add_trust_options(argv, config);
    add_dpkg_options(argv, config);
    if (config->proxy_url) {
        apt_add_option(argv, "Acquire::http::Proxy=%s", config->proxy_url);
        apt_add_option(argv, "Acquire::https::Proxy=%s", config->proxy_url);
    }
    return argv;
}

void apt_add_words(GPtrArray *argv, const char *first, ...) {
    va_list arguments;

    va_start(arguments, first);
    for (const char *word = first; word; word = va_arg(arguments, const char *))
        g_ptr_array_add(argv, g_strdup(word));
    va_end(arguments);
}
