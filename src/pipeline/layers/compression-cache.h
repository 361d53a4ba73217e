/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Compressed parts of file systems, which are the same in the next build where nothing has changed. They are kept in
 * CacheDirectory= with Incremental=, up to CompressionCache= bytes, for all images whose caches are there. */

#include "packs/pack-store.h"
#include "pipeline/state/image-build.h"

/* What IMAGE may use and add to; NULL when it is to keep nothing. That it cannot is said for --debug, and no error. */
PackStore *compression_cache_open(const ImageBuild *image);

/* The end: keeps what was added, and says for --debug what the cache was good for. STORE may be NULL. */
void compression_cache_close(const ImageBuild *image, PackStore *store);

/* Removes what is kept in the CacheDirectory= of CONFIG, also that of other recipes which have the same one: it only saves
 * time. Nothing there is no error. */
gboolean compression_cache_remove(const Build *build, const ImageConfig *config, GError **error) G_GNUC_WARN_UNUSED_RESULT;
