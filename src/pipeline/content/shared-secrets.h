/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Files that each machine must make for itself, found in an image that many machines will run. */

#include "pipeline/state/image-build.h"

/* Whether the output holds a system: initrds, extensions and the like have no identity of their own. */
gboolean wants_shared_secrets(const ImageBuild *image);

/* A warning for each kind of secret or identity (host keys of SSH, the key for credentials, names of storage
 * clients) that the output holds: package scripts made it while the image was built. For disks the step comes
 * after the volumes, since the partition definitions say what of the tree is in the output. */
gboolean step_shared_secrets(ImageBuild *image, GError **error) G_GNUC_WARN_UNUSED_RESULT;
