/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "pipeline/layers/layer.h"
#include "pipeline/state/image-build.h"

/* Fetches repository metadata for every image that needs it, once per set of repositories. NEWEST: also where
 * what is there would do for a build, unless CacheOnly= says no. */
gboolean packages_sync(Build *build, gboolean newest, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Whether the package manager has something to do for IMAGE. */
gboolean packages_are_used(const ImageBuild *image);

/* TRUE when the layer with packages is in the cache, as far as one can know before metadata is fetched. */
gboolean packages_are_cached(ImageBuild *image);

/* TRUE when it is in the cache and was made without anything that its prepare scripts could have chosen from the
 * repositories, so that it fits whatever these offer now. Metadata is there. */
gboolean packages_ignore_repositories(ImageBuild *image);

/* Makes the tree with packages installed: the layer that all later steps build on, from the cache if its key
 * is the same. Leaves image->root usable. */
gboolean step_base_layer(ImageBuild *image, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* What installing PACKAGES into the tree ROOT (NULL: an empty one, with the distribution's base) would
 * install, with digests; owned by the caller. */
char *packages_resolved_text(ImageBuild *image, const char *root, char *const *packages, GError **error);

/* What a build that began now would install into IMAGE: elements DistroPackage, sorted by file name. With MORE
 * packages (NULL: none), that are installed later, what they add to it, as far as it can be known while there is no
 * tree: what base trees hold already counts as if it was not there. */
GPtrArray *packages_expect(ImageBuild *image, char *const *more, GError **error);

/* Downloads PACKAGES and installs them into the tree ROOT, as a step called WHAT. */
gboolean packages_install_over(
        ImageBuild *image, const char *root, char *const *packages, const char *what, GError **error) G_GNUC_WARN_UNUSED_RESULT;

gboolean wants_volatile_packages(const ImageBuild *image);
gboolean step_volatile_packages(ImageBuild *image, GError **error) G_GNUC_WARN_UNUSED_RESULT;

gboolean wants_remove_packages(const ImageBuild *image);
gboolean step_remove_packages(ImageBuild *image, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* What is left of the installation and is another each time: inode numbers, the time of the build. */
gboolean wants_forget_installation(const ImageBuild *image);
gboolean step_forget_installation(ImageBuild *image, GError **error) G_GNUC_WARN_UNUSED_RESULT;

gboolean wants_clean_metadata(const ImageBuild *image);
gboolean step_clean_metadata(ImageBuild *image, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The inputs of that layer: settings, trees, scripts, and the exact packages. */
LayerInputs *packages_layer_inputs(ImageBuild *image, GError **error);
