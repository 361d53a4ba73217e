/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The patterns of KernelModules= and its relatives: lists that are read from the end, where the first glob
 * that matches decides (reference, "Filters of kernel modules and firmware"). Pure functions. */

#include <glib.h>

typedef enum {
    KERNEL_FILTER_MODULES,  /* names without .ko and compression suffix, '_' equals '-' */
    KERNEL_FILTER_FIRMWARE, /* names without compression suffix */
} KernelFilterKind;

typedef struct KernelFilter KernelFilter;

/* What words in lists of modules stand for; both NULL-terminated, NULL: nothing. */
typedef struct {
    const char *const *default_modules; /* "default": patterns of the default initrd */
    const char *const *host_modules;    /* "host": names of the modules that this machine has loaded */
} KernelFilterWords;

/* Compiles PATTERNS (NULL-terminated; NULL is empty): globs, "-glob", "re:REGEX", and the WORDS unless that
 * is NULL. */
KernelFilter *kernel_filter_new(
        KernelFilterKind kind, const char *const *patterns, const KernelFilterWords *words, GError **error);
void kernel_filter_free(KernelFilter *filter);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(KernelFilter, kernel_filter_free)

gboolean kernel_filter_is_empty(const KernelFilter *filter);

/* Whether there are globs (as opposed to regular expressions). */
gboolean kernel_filter_has_globs(const KernelFilter *filter);

typedef enum {
    KERNEL_FILTER_NO_MATCH,
    KERNEL_FILTER_KEEP,
    KERNEL_FILTER_DROP, /* the deciding glob starts with '-' */
} KernelFilterVerdict;

/* What the globs say about PATH, relative to the module directory ("kernel/fs/ext4/ext4.ko.xz") or to
 * usr/lib/firmware. */
KernelFilterVerdict kernel_filter_match_globs(const KernelFilter *filter, const char *path);

/* Whether a regular expression is found in PATH: for modules, relative to the directory below the module
 * directory ("fs/ext4/ext4.ko.xz"), for firmware relative to usr/lib/firmware. */
gboolean kernel_filter_match_regex(const KernelFilter *filter, const char *path);

/* NAME of a module as this room compares them: file name without suffixes, '_' as '-'; owned by the caller.
 */
char *kernel_module_name(const char *path);

/* Whether NAME ends like a kernel module (.ko, .ko.gz, .ko.xz, .ko.zst). */
gboolean kernel_module_is_file(const char *name);
