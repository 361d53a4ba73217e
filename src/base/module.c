/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/module.h"

#include <dlfcn.h>

#include "config.h"

/* A program that runs from its build directory has its modules there. */
static char *find_module(const char *name) {
    const char *chosen = g_getenv("PARTICLEOS_MODULES");
    g_autofree char *self = g_file_read_link("/proc/self/exe", NULL), *file = g_strconcat(name, ".so", NULL);

    if (chosen)
        return g_build_filename(chosen, file, NULL);
    if (self && g_str_has_prefix(self, PARTICLEOS_BUILD_DIR "/"))
        return g_build_filename(PARTICLEOS_BUILD_DIR "/src/modules", file, NULL);
    return g_build_filename(PARTICLEOS_LIBEXECDIR, file, NULL);
}

gconstpointer module_load(const char *name, const char *symbol, GError **error) {
    g_autofree char *path = find_module(name);
    void *module = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    gconstpointer found = module ? dlsym(module, symbol) : NULL;

    if (!found)
        g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_FAILED, "Cannot load a part of the program: %s", dlerror());
    return found;
}
