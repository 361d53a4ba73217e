/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What extension images (systemd-sysext(8), confext) and portable services carry beside their files. */

#include "pipeline/state/image-build.h"

/* The extension-release file that says what a sysext or confext fits to; keys that a file of the tree sets
 * stay. */
gboolean extension_configure_release(ImageBuild *image, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The files over which a portable service gets those of the host. */
gboolean extension_configure_mount_points(ImageBuild *image, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Path of the extension-release file in the tree, or NULL for other formats; owned by the caller. */
char *extension_release_path(const ImageConfig *config);

/* Step: an extension consists of files; empty directories would only hide attributes of the host's. */
gboolean wants_remove_empty_directories(const ImageBuild *image);
gboolean step_remove_empty_directories(ImageBuild *image, GError **error) G_GNUC_WARN_UNUSED_RESULT;
