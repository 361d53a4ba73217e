/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The build overlay: what build scripts need and the image does not. It is a layer over the tree with
 * packages, made of BuildPackages= and of prepare scripts that run a second time. With Incremental= it is
 * cached under a key of its own. */

#include "pipeline/state/image-build.h"

gboolean wants_build_overlay(const ImageBuild *image);

/* Mounts the layer over the image's tree and returns where, owned by the caller. VOLATILE: changes go to a
 * directory that is thrown away; else they go to the layer. */
char *build_overlay_mount(ImageBuild *image, gboolean is_volatile, GError **error);
gboolean build_overlay_unmount(const char *root, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Where a part of the overlay lies that is thrown away (or not); owned by the caller. */
char *build_overlay_directory(ImageBuild *image, gboolean is_volatile);
