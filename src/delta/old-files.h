/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Which file of the old version is most like a new one, by their paths. */

#include "format/erofs/erofs-reader.h"

typedef struct OldFiles OldFiles;

typedef struct {
    guint64 nid, size;
} OldFile;

/* All regular files of the volume that READER (borrowed for this call) reads. */
OldFiles *old_files_new(ErofsReader *reader, GError **error);
void old_files_free(OldFiles *files);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(OldFiles, old_files_free)

/* The file most like one of SIZE bytes at PATH: the one at PATH; else one whose path differs in numbers alone; else one with
 * the same name, or a name that differs in numbers alone, elsewhere. Of several the one whose size is nearest. NULL: none. */
const OldFile *old_files_find(const OldFiles *files, const char *path, guint64 size);
