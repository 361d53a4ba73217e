/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Assembling the unified kernel images of an image, with its settings. */

#include "pipeline/state/image-build.h"

/* What differs from one UKI of an image to the next; all borrowed. */
typedef struct {
    const char *version;    /* of the kernel */
    GBytes *kernel;         /* not signed by us yet */
    GPtrArray *initrds;     /* GBytes, in the order in which the kernel unpacks them */
    const char *cmdline;    /* "" for none */
    GPtrArray *devicetrees; /* Devicetree */
} UkiParts;

/* A UKI with stub, microcode, splash, profiles and PCR signatures of IMAGE, signed for Secure Boot if the
 * recipe wants that. RET_POLICIES (may be NULL) as for uki_build(). */
GBytes *uki_assemble(ImageBuild *image, const UkiParts *parts, GPtrArray **ret_policies, GError **error);

/* Split artifacts of the UKI: kernel and initrd as they are inside, PCR policies. */
gboolean uki_write_artifacts(ImageBuild *image, GBytes *uki, GPtrArray *policies, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The kernel, signed if the recipe signs; a signature that it has stays in front. */
GBytes *uki_sign_kernel(ImageBuild *image, GBytes *kernel, GError **error);

/* Whether a PCR policy that holds only in the initrd is signed too. SETTING is SignInitrdPCRs=; with auto the version of
 * the image's stub decides (NULL: unknown), since the system inside is of the same release. */
gboolean uki_wants_initrd_policy(Feature setting, const char *stub_version);
