/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* OpenPGPTool=builtin: the signature of the checksums, and the key ring that devices check it with. */

#include "pipeline/state/image-build.h"

/* What is wrong with the settings, without opening the key. */
gboolean manifest_signer_check(const ImageConfig *config, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Opens the key of BUILD when an image of it wants that. Before any work is spent: an unsuitable key, and a
 * certificate that is another key's or has expired, is an error. */
gboolean manifest_signer_load(Build *build, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Writes SIGNATURE, the signature of the file SUMS, and the key ring into the image's staging directory. */
gboolean manifest_signer_sign(ImageBuild *image, const char *sums, const char *signature, GError **error) G_GNUC_WARN_UNUSED_RESULT;
