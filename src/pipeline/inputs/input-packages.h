/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Packages and repositories as inputs: what would be installed now, and what scripts could install. */

#include "pipeline/inputs/input-set-private.h"

/* Packages that IMAGE gets: "install", "build", "volatile" -> name -> version and file.
 * NULL with ERROR set on failure. */
Value *input_packages(ImageBuild *image, GError **error);

/* The programs that install them, with their digests. */
Value *input_packages_programs(const ImageBuild *image);

/* Digest of what the packages configure for the package manager inside of IMAGE; NULL: nothing. Owned by the caller. */
char *input_packages_sources(const ImageBuild *image);

/* Whether scripts can install packages that nobody named. */
gboolean input_packages_are_chosen(const ImageConfig *config) G_GNUC_WARN_UNUSED_RESULT;

/* What scripts of IMAGE may install from: names of scripts, digests of repositories, and "unused" when the cached
 * layer shows that those scripts take nothing from them; NULL when they cannot.
 * Adds every repository of IMAGE to REPOSITORIES: URL of its metadata -> what is known of it. */
gboolean input_packages_repositories(
        const InputSet *set, ImageBuild *image, Value *repositories, Value **ret_metadata, GError **error) G_GNUC_WARN_UNUSED_RESULT;
