/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "distro/driver/types.h"

G_DEFINE_QUARK(particleos - distro - error - quark, distro_error)

void distro_package_free(DistroPackage *package) {
    if (!package)
        return;
    g_free(package->file);
    g_free(package->name);
    g_free(package->version);
    g_free(package->architecture);
    g_free(package->digest);
    g_free(package->place);
    g_free(package);
}

void distro_repository_free(DistroRepository *repository) {
    if (!repository)
        return;
    g_free(repository->url);
    g_free(repository->suite);
    g_free(repository->components);
    g_free(repository->metadata);
    g_free(repository->digest);
    g_free(repository);
}

void distro_installed_free(DistroInstalled *installed) {
    if (!installed)
        return;
    g_free(installed->name);
    g_free(installed->version);
    g_free(installed->architecture);
    g_free(installed->source);
    g_free(installed);
}
