/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Which kernel modules and firmware files of a tree are wanted, with everything that they need. */

#include <glib.h>

typedef struct {
    /* Lists as in the recipe (reference, "Filters of kernel modules and firmware"); NULL: empty. */
    const char *const *modules;          /* KernelModules=, KernelInitrdModules= */
    const char *const *modules_exclude;  /* the older …Exclude=, elements with "re:" */
    const char *const *firmware;         /* FirmwareFiles= */
    const char *const *firmware_exclude; /* FirmwareExclude= */
    gboolean include_host;               /* also modules that are loaded on this machine */
} KernelModuleFilter;

typedef struct {
    GPtrArray *modules;  /* of char *: paths relative to the tree's root, sorted */
    GPtrArray *firmware; /* of char *: files, and symbolic links on the way to them, sorted */
    GPtrArray *missing;  /* of char *: "module: dependency" for dependencies that are not installed */
    guint n_available;   /* modules that the tree has */
} KernelModuleSet;

void kernel_module_set_free(KernelModuleSet *set);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(KernelModuleSet, kernel_module_set_free)

/* The kernel versions below usr/lib/modules of the tree ROOT_FD that have modules or a kernel image, newest
 * last; NULL-terminated, owned by the caller. */
char **kernel_versions(int root_fd, GError **error);

/* What FILTER keeps of the modules of kernel VERSION in ROOT_FD, with dependencies (modules.dep, soft
 * dependencies) and the firmware that kept and builtin modules name. */
KernelModuleSet *kernel_modules_required(
        int root_fd, const char *version, const KernelModuleFilter *filter, GError **error);
