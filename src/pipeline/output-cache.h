/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* An initrd archive is a function of its inputs, so it is kept as a whole: most builds change the main image
 * only. */

#include "pipeline/state/image-build.h"

/* RET_REUSED: the finished output is in staging, nothing is to be done for this image. */
gboolean output_cache_prepare(ImageBuild *image, gboolean *ret_reused, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The modules of this machine's kernel, where CONFIG makes them a part of the image: names, sorted, a line each; else
 * NULL. Owned by the caller. */
char *output_cache_host_modules(const ImageConfig *config);

/* Keeps the output that was just made. */
gboolean output_cache_store(ImageBuild *image, GError **error) G_GNUC_WARN_UNUSED_RESULT;
