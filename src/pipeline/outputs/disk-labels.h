/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* SELinuxRelabel=: files of a disk get the labels of the image's own policy. */

#include "pipeline/state/image-build.h"
#include "selinux/labels.h"

/* RET: the labels for the disk of IMAGE, or NULL: none are wanted, or SELinuxRelabel=auto finds no policy in its tree. */
gboolean disk_labels_open(ImageBuild *image, SelinuxLabels **ret, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The label of PATH in the tree; DATA: SelinuxLabels. For DiskOptions. */
gboolean disk_label_of(const char *path, mode_t mode, GBytes **ret, gpointer data, GError **error)
        G_GNUC_WARN_UNUSED_RESULT;
