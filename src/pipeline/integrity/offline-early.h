/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Signatures inside of /usr, when they are made elsewhere: policies of IPE and the boot loader that updates take from there.
 * The root hash of /usr is signed, so that they come first: a build that does not have them asks and ends. What is signed
 * depends on the policy or on the package alone, so that later builds find the answers. */

#include "pipeline/state/image-build.h"
#include "signing/thing.h"

/* CONTENT, a thing of TYPE called TITLE with a pending signature by CERTIFICATE, with the answer that there is:
 * in mkosi.signatures/ of the recipe, in OUTPUT.signing/ of any output, or remembered from an earlier build. While there
 * is none, CONTENT itself, and offline_check_early() asks. */
GBytes *offline_sign_early(ImageBuild *image, SigningType type, const char *title, GBytes *content,
        Certificate *certificate, GError **error);

/* An error, which says what to do, when something is missing; OUTPUT.signing/ asks for it. */
gboolean wants_offline_early(const ImageBuild *image);
gboolean offline_check_early(ImageBuild *image, GError **error) G_GNUC_WARN_UNUSED_RESULT;
