/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "recipe/reading/builtin.h"

#include <unistd.h>

#include "config.h"

static const char *const builtin_configurations[] = {
        "mkosi-vm", "mkosi-initrd", "mkosi-tools", "mkosi-addon", "mkosi-obs", NULL};

gboolean is_builtin_configuration(const char *name) {
    return g_strv_contains(builtin_configurations, name);
}

char *builtin_configuration_path(const char *name) {
    /* A program that runs from its build directory uses the configurations beside its source. */
    char self[4096];
    gssize length = readlink("/proc/self/exe", self, sizeof self - 1);
    self[MAX(length, 0)] = 0;
    g_autofree char *installed = g_build_filename(PARTICLEOS_DATADIR, name, NULL);
    gboolean developing = g_str_has_prefix(self, PARTICLEOS_BUILD_DIR "/") || access(installed, F_OK) != 0;
    return developing ? g_build_filename(PARTICLEOS_SOURCE_DIR, "resources", name, NULL) : g_steal_pointer(&installed);
}
