/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The content of a volume as a directory, for programs that want one. */

#include "image/volumes/volume.h"

typedef struct {
    guint64 bytes; /* of regular files, each rounded up to 4096 */
    guint64 inodes;
} StageSize;

/* Makes the directory TREE in the work directory of VOLUME and copies (or links) the content there. Returns
 * its path. */
char *stage_content(const Volume *volume, StageSize *ret_size, GError **error);

/* Removes what stage_content() made. */
gboolean stage_remove(const Volume *volume, GError **error) G_GNUC_WARN_UNUSED_RESULT;
