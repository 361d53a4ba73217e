/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "pipeline/state/image-build.h"

/* Signs every policy /usr/lib/ipe/NAME.pol of the tree ROOT_FD for the kernel's Integrity Policy
 * Enforcement: beside it appears NAME.p7b, a PKCS#7 message with the text inside, which systemd (257 and
 * later) loads at boot. One that is there already stays as it is. The policy's name in the text has to be
 * NAME, because systemd activates it by the file's name. */
gboolean ipe_sign_policies(
        int root_fd, const KeySource *key, const Certificate *certificate, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The same for an image, with its verity key. */
gboolean wants_ipe(const ImageBuild *image);
gboolean step_ipe(ImageBuild *image, GError **error) G_GNUC_WARN_UNUSED_RESULT;
