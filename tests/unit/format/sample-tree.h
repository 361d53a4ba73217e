/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A tree with one of everything that a file system has to store, and the comparison of two trees. */

#include <glib.h>

/*
 * Fills the empty directory PATH. As root it also gets devices, owners and attributes that only root may
 * set.
 */
void sample_tree_make(const char *path);

/* The same kinds of things, but 6 MB rather than 65. */
void sample_tree_make_small(const char *path);

/* Writes SIZE bytes to the file NAME in the directory PATH; the same KIND and SEED give the same bytes. */
typedef enum {
    SAMPLE_ZERO,
    SAMPLE_TEXT,   /* compresses well */
    SAMPLE_RANDOM, /* does not compress */
    SAMPLE_MIXED,  /* stretches of both */
} SampleKind;
void sample_write(const char *path, const char *name, SampleKind kind, guint32 seed, gsize size);

typedef enum {
    COMPARE_TIMES = 1 << 0,
    COMPARE_LINKS = 1 << 1,
    COMPARE_XATTRS = 1 << 2,
    COMPARE_ALL = (1 << 3) - 1,
} CompareFlags;

/* Ends the test with a message about the first difference in names, types, modes, owners, contents, devices.
 */
void compare_trees(const char *expected, const char *actual, CompareFlags flags);

/* Removes PATH and everything below it. */
void remove_tree(const char *path);
