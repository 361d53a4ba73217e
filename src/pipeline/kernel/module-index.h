/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The index of kernel modules, which depmod of the image makes. */

#include "pipeline/state/image-build.h"

/* ALWAYS: also where there is one already. An image without depmod gets none. */
gboolean module_index_make(ImageBuild *image, gboolean always, GError **error) G_GNUC_WARN_UNUSED_RESULT;
