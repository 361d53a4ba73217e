/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What walks need of directories. */

#include "format/erofs/erofs-reader.h"

/* The inode of "..", when it was read already. */
gboolean erofs_directory_get_parent(const ErofsDirectory *directory, guint64 *ret_nid);
