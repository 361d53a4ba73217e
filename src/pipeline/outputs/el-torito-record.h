/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* ElTorito=: the finished disk boots as CD-ROM, too. */

#include "pipeline/state/image-build.h"

gboolean el_torito_check(const ImageConfig *config, GError **error) G_GNUC_WARN_UNUSED_RESULT;
gboolean el_torito_add(ImageBuild *image, GError **error) G_GNUC_WARN_UNUSED_RESULT;
