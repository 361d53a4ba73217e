/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* SELinux labels of a tree that is complete. */

#include "format/erofs/writer/erofs-tree.h"

/* See erofs_writer_label(). */
gboolean erofs_tree_label(ErofsTree *tree, ErofsLabel label, gpointer data, GError **error) G_GNUC_WARN_UNUSED_RESULT;
