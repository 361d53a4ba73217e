/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Where builds keep what later ones use again. */

#include "pipeline/state/image-build.h"

/* Where things are kept that no setting names a place for; owned by the caller. */
char *build_user_cache_directory(void);

/* Where metadata and packages of the distribution are kept; owned by the caller. */
char *build_package_cache_directory(const ImageConfig *config);

/* CacheDirectory, or its default; owned by the caller. */
char *build_cache_directory(const Build *build, const ImageConfig *config);

/* What the layers of an image are called in the cache: CacheKey=, where nothing else is said with the profiles,
 * so that flavours of a recipe do not replace each other's. SUFFIX says which layer. Owned by the caller. */
char *build_layer_name(const ImageConfig *config, const char *suffix);
