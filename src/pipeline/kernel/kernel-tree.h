/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What a tree knows about its kernel modules: which there are, what they depend on, which firmware they
 * name. Reads depmod's text files where they exist and the modules themselves where needed. */

#include <glib.h>

typedef struct {
    char *name;          /* as kernel_module_name() gives it */
    char *path;          /* relative to the module directory; NULL: built into the kernel */
    GPtrArray *needs;    /* of char *, names; NULL until known */
    GPtrArray *firmware; /* of char *, as modinfo says; NULL until known */
} KernelModule;

typedef struct {
    int root_fd;    /* borrowed */
    int modules_fd; /* usr/lib/modules/VERSION */
    char *version;
    GPtrArray *modules;  /* of KernelModule with a path, sorted by path */
    GPtrArray *builtin;  /* of KernelModule without one that need something */
    GHashTable *by_name; /* name → KernelModule that has a path */
    GHashTable *builtin_names;
    GHashTable *aliases;       /* plain name → GPtrArray of names of modules that provide it */
    gboolean has_dependencies; /* depmod ran: NEEDS of all modules are known */
} KernelTree;

KernelTree *kernel_tree_new(int root_fd, const char *version, GError **error);
void kernel_tree_free(KernelTree *tree);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(KernelTree, kernel_tree_free)

/* Reads the MODULES (an array of KernelModule) that are not known well enough, several at a time. Without
 * WITH_FIRMWARE only those whose dependencies depmod did not tell. */
gboolean kernel_tree_inspect(KernelTree *tree, GPtrArray *modules, gboolean with_firmware, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Names in the directory PATH below DIR_FD, sorted; empty when it does not exist. */
GPtrArray *kernel_tree_list(int dir_fd, const char *path, GError **error);

/* Calls VISIT for every file and symbolic link below PATH of DIR_FD, sorted, with its path relative to
 * PATH. Symbolic links are not followed. */
typedef void (*KernelTreeVisit)(const char *path, gpointer user_data);
gboolean kernel_tree_walk(
        int dir_fd, const char *path, KernelTreeVisit visit, gpointer user_data, GError **error) G_GNUC_WARN_UNUSED_RESULT;
