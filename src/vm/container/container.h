/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* From a recipe to the command line of systemd-nspawn(1). Nothing here looks at the host: every decision is
 * in the description. */

#include <glib.h>

#include "recipe/result/image-config.h"
#include "vm/host/credentials.h"

typedef struct {
    const char *program; /* systemd-nspawn */
    const char *path;    /* a directory or a disk image */
    gboolean is_directory;
    gboolean boot;                    /* TRUE: the image's init; FALSE: a command */
    gboolean register_machine;        /* with systemd-machined */
    gboolean keep_unit;               /* no systemd that could make a scope */
    const char *core_limit;           /* RLIMIT_CORE of a command: "SOFT:HARD" */
    const GPtrArray *credentials;     /* of VmCredential */
    const char *credential_directory; /* where each is a file */
    const char *user;                 /* BindUser=: the name of the caller */
    gboolean forward_journal;         /* systemd-nspawn knows --forward-journal */
    const char *journal_socket;       /* else the socket of systemd-journal-remote, or NULL */
    char *const *arguments;           /* of the verb */
} VmContainer;

/* The name of the machine: host names have no underscore. Owned by the caller. */
char *vm_machine_name(const ImageConfig *config);

/* Kernel arguments that container and machine get for every boot; owned by the caller. */
char **vm_extra_kernel_arguments(const ImageConfig *config);

/* The same and what only virtual machines get; owned by the caller. */
char **vm_machine_kernel_arguments(const ImageConfig *config);

/* PATH as a field of fstab(5); owned by the caller. */
char *vm_fstab_escape(const char *path);

/* Where a tree of RuntimeTrees= is mounted; owned by the caller. */
char *vm_runtime_tree_target(const RecipeTree *tree);

/* What RuntimeTrees= and RuntimeBuildSources= mount: an array of RecipeTree with absolute targets; owned by
 * the caller. */
GPtrArray *vm_runtime_trees(const ImageConfig *config);

/* NULL-terminated argument vector, owned by the caller (g_strfreev). */
char **vm_container_arguments(const ImageConfig *config, const VmContainer *container);
