/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Steps that run programs of the image itself, inside the image, so that their version always matches its
 * content. A program that the image does not have is no error: its work is not needed then. */

#include "pipeline/state/image-build.h"

gboolean systemd_tools_hwdb(ImageBuild *image, GError **error) G_GNUC_WARN_UNUSED_RESULT;

gboolean step_locale_gen(ImageBuild *image, GError **error) G_GNUC_WARN_UNUSED_RESULT;
gboolean step_sysusers(ImageBuild *image, GError **error) G_GNUC_WARN_UNUSED_RESULT;
gboolean step_tmpfiles(ImageBuild *image, GError **error) G_GNUC_WARN_UNUSED_RESULT;
gboolean step_presets(ImageBuild *image, GError **error) G_GNUC_WARN_UNUSED_RESULT;
gboolean step_firstboot(ImageBuild *image, GError **error) G_GNUC_WARN_UNUSED_RESULT;
