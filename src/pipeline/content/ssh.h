/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Ssh=: an SSH server that listens on vsock. */

#include "pipeline/state/image-build.h"

gboolean step_ssh(ImageBuild *image, GError **error) G_GNUC_WARN_UNUSED_RESULT;
