/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What goes into a file system: CopyFiles= with everything that is left out, MakeDirectories=,
 * MakeSymlinks=.
 */

#include <gio/gio.h>

#include "image/definitions/partition-definition.h"

/* One source of CopyFiles=, found. */
typedef struct {
    const char *source; /* path in the tree, as the definition has it (symlinks not resolved) */
    const char *target; /* path in the file system */
    int fd;             /* the file or directory, O_PATH; owned */
    gboolean is_directory;
} ContentSource;

typedef struct {
    const PartitionDefinition *definition;
    GPtrArray *sources;         /* ContentSource */
    GPtrArray *source_excludes; /* DefinitionExclude, borrowed: of this definition and the implied ones */
    GPtrArray *implied;         /* DefinitionExclude, owned */
} Content;

/* Finds the sources of DEFINITION in the tree ROOT_FD. A missing source is an error, but for ESP and
 * XBOOTLDR it is skipped. A root file system leaves out what belongs to the other ones of DEFINITIONS: the
 * contents of their mount points. All leave out the contents of /proc, /sys, /dev, /tmp, /run and /var/tmp.
 */
Content *content_new(
        const PartitionDefinition *definition, GPtrArray *definitions, int root_fd, GError **error);
void content_free(Content *content);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Content, content_free)

/* FALSE when what is at PATH (relative to the source, "" is the source itself) is to be left out. */
gboolean content_wants(const Content *content, const ContentSource *source, const char *path);
