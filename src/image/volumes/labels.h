/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* SELinux labels: whoever makes a disk says what label a file of the tree has. */

#include "image/volumes/volume.h"

/* The label (the value of security.selinux) that VOLUME's file system has at PATH, absolute there: that of the file in the tree
 * which is copied to it, or of the place where it will be mounted. RET is NULL for none, else owned by the caller. */
gboolean volume_label_of(
        const Volume *volume, const char *path, mode_t mode, GBytes **ret, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Sets the label of NAME in the directory DIR_FD, which is at PATH in the file system. */
gboolean volume_label_set(const Volume *volume, int dir_fd, const char *name, const char *path, mode_t mode,
        GError **error) G_GNUC_WARN_UNUSED_RESULT;
