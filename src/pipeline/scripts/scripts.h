/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The recipe's scripts: what they see, where they run (reference of the recipe language, chapter 13,
 * Scripts). */

#include "pipeline/state/image-build.h"

/* FALSE when there is nothing to do for IMAGE: it has no output, or only build scripts run again, and it has
 * none. */
gboolean scripts_want_image(const ImageBuild *image);

/* Sync scripts, with network, before any image is built. CACHED: a cached tree can be used. */
gboolean scripts_run_sync(ImageBuild *image, gboolean cached, GError **error) G_GNUC_WARN_UNUSED_RESULT;

gboolean scripts_run_prepare(ImageBuild *image, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Prepare scripts once more, with the argument "build", on the tree ROOT with the build overlay. */
gboolean scripts_run_prepare_build(ImageBuild *image, const char *root, GError **error) G_GNUC_WARN_UNUSED_RESULT;

gboolean wants_build_scripts(const ImageBuild *image);
gboolean step_build_scripts(ImageBuild *image, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* TRUE when nothing comes after the build scripts. */
gboolean scripts_end_build(const ImageBuild *image);
/* What build scripts left in $DESTDIR. */
gboolean wants_build_results(const ImageBuild *image);
gboolean step_build_results(ImageBuild *image, GError **error) G_GNUC_WARN_UNUSED_RESULT;

gboolean wants_postinst(const ImageBuild *image);
gboolean step_postinst(ImageBuild *image, GError **error) G_GNUC_WARN_UNUSED_RESULT;
gboolean wants_finalize(const ImageBuild *image);
gboolean step_finalize(ImageBuild *image, GError **error) G_GNUC_WARN_UNUSED_RESULT;
gboolean wants_postoutput(const ImageBuild *image);
gboolean step_postoutput(ImageBuild *image, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Runs the postoutput scripts of CONFIG, which was finished after its build, on its output directory. Needs
 * sandbox_become_root() before. */
gboolean scripts_run_postoutput(const Recipe *recipe, const ImageConfig *config, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Clean scripts, after outputs were removed. */
gboolean scripts_run_clean(const Recipe *recipe, const ImageConfig *config, GError **error) G_GNUC_WARN_UNUSED_RESULT;
