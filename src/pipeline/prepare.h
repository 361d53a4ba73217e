/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A build before its first step: places for all images, sync scripts, package managers. Whoever only wants to know
 * the inputs of a build stops here. */

#include "pipeline/state/build-options.h"
#include "pipeline/state/image-build.h"

/* The state of a build of RECIPE that has not begun: a workspace, and its images. */
Build *build_new(const Recipe *recipe, const BuildOptions *options, GError **error);
void build_free(Build *build);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Build, build_free)

/* Sync scripts of all images, with network: before anything else that the recipe names is read. */
gboolean build_run_sync_scripts(Build *build, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Reads SandboxTrees= and opens the package manager of each image. */
gboolean build_open_images(Build *build, GError **error) G_GNUC_WARN_UNUSED_RESULT;
