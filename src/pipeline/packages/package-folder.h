/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* $PACKAGEDIR: packages that scripts make, for all later images and steps. */

#include "pipeline/state/image-build.h"

/* Waits for the earlier images whose scripts can make packages and takes over what they made. */
gboolean package_folder_inherit(ImageBuild *image, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Offers the packages of PackageDirectories=, VolatilePackageDirectories= and $PACKAGEDIR to the package
 * manager. Again after scripts may have added some. */
gboolean package_folder_offer(ImageBuild *image, GError **error) G_GNUC_WARN_UNUSED_RESULT;
gboolean step_offer_packages(ImageBuild *image, GError **error) G_GNUC_WARN_UNUSED_RESULT;
