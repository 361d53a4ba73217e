/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "image/plan/partition-plan.h"

/* Writes what the definitions say with MountPoint= into /etc/fstab of the tree, between two marks by which a
 * later systemd-repart --append-fstab= finds it again; lines outside of them stay. Nothing is written when
 * no definition has a mount point. */
gboolean fstab_write(const Plan *plan, int root_fd, GError **error) G_GNUC_WARN_UNUSED_RESULT;
