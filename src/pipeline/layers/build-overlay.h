/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The build overlay: what build scripts need and the image does not. It is a layer over the tree with
 * packages, made of BuildPackages= and of prepare scripts that run a second time. With Incremental= it is
 * cached under a key of its own. */

#include "pipeline/state/image-build.h"

gboolean wants_build_overlay(const ImageBuild *image);

/* Makes the layer, or takes it from the cache. */
gboolean step_build_overlay(ImageBuild *image, GError **error);

/* Mounts the layer over the image's tree and returns where, owned by the caller. VOLATILE: changes go to a
 * directory that is thrown away; else they go to the layer. */
char *build_overlay_mount(ImageBuild *image, gboolean is_volatile, GError **error);
gboolean build_overlay_unmount(const char *root, GError **error);
