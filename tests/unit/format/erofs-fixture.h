/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Images of the sample tree, for tests of the reader. */

#include "format/erofs/erofs-reader.h"
#include "format/erofs/writer/erofs-writer.h"

#define MKFS "usr/bin/mkfs.erofs"

extern char *scratch; /* everything is in here */
extern char *sample;  /* the tree that is stored again and again; not changed */

/* Makes both, and removes them. */
void erofs_fixture_make(void);
void erofs_fixture_remove(void);

/* PATH of NAME in the scratch directory; owned by the caller. */
char *scratch_path(const char *name);

typedef struct {
    int fd;
    ErofsImage *image;
} Opened;

/* Opens an image that is good. */
Opened open_image(const char *path, guint64 offset);
void opened_clear(Opened *opened);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Opened, opened_clear)

/* The sample, written by us at OFFSET of the file NAME; returns its path. */
char *write_image(const char *name, ErofsCompression compression, guint32 cluster, guint64 offset);

/* An image of the sample by mkfs.erofs of the test tree; returns its path. OPTIONS: separated by spaces. */
char *make_image(const char *options);
