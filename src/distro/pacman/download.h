/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "distro/driver/driver.h"

/* Operation of the driver; see distro.h. */
gboolean pacman_download(
        DistroSession *session, const char *root, char *const *packages, gboolean bootstrap, GError **error) G_GNUC_WARN_UNUSED_RESULT;
