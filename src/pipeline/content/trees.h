/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "pipeline/state/image-build.h"

/* Copies or unpacks SOURCE (directory, file, archive) into TARGET (NULL: the root) of the tree TREE_FD.
 * Everything belongs to root there. */
gboolean trees_install(int tree_fd, const char *source, const char *target, GError **error) G_GNUC_WARN_UNUSED_RESULT;

gboolean trees_install_skeleton(ImageBuild *image, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Merges SandboxTrees= into image->sandbox_tree. */
gboolean trees_install_sandbox(ImageBuild *image, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Collects the package files of PackageDirectories=, VolatilePackageDirectories= and $PACKAGEDIR in
 * image->repository. */
gboolean trees_install_package_directories(ImageBuild *image, GError **error) G_GNUC_WARN_UNUSED_RESULT;

gboolean wants_extra_trees(const ImageBuild *image);
gboolean step_extra_trees(ImageBuild *image, GError **error) G_GNUC_WARN_UNUSED_RESULT;

gboolean wants_remove_files(const ImageBuild *image);
gboolean step_remove_files(ImageBuild *image, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* An error unless the tree looks like one of an operating system. */
gboolean step_check_tree(ImageBuild *image, GError **error) G_GNUC_WARN_UNUSED_RESULT;
