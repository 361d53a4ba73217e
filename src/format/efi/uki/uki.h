/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Assembles unified kernel images (UAPI group specification "Unified Kernel Image") from any systemd-stub:
 * the stub's sections, then ours. When the stub's headers have no room for all section headers, its raw data
 * moves. Nothing depends on the clock; the same input gives the same bytes. */

#include <glib.h>

#include "crypto/sources/key-source.h"
#include "format/efi/uki/pcr.h"

typedef enum {
    UKI_ERROR_INVALID, /* the parts cannot make a UKI */
    UKI_ERROR_FAILED,
} UkiError;

#define UKI_ERROR uki_error_quark()
GQuark uki_error_quark(void);

/* A profile beside the main one. */
typedef struct {
    const char *profile;        /* content of .profile: KEY=VALUE lines, see uki_profile_text() */
    const char *cmdline;        /* whole kernel command line, or NULL: that of the base */
    gboolean sign_expected_pcr; /* predicted PCR values are signed for it */
} UkiProfile;

/* What goes into a UKI. Strings and bytes are borrowed for the call; all but STUB and LINUX may be NULL. */
typedef struct {
    GBytes *stub;
    GBytes *linux_image; /* the kernel; signed beforehand if it should be */
    GPtrArray *initrds;  /* of GBytes, in order; each but the last is padded to 4 bytes */
    const char *cmdline;
    const char *os_release;
    const char *uname; /* kernel version */
    GBytes *splash;
    GBytes *ucode;
    GBytes *dtb;
    GPtrArray *dtbauto; /* of GBytes: device trees of which the stub takes the one for the machine */
    const char *sbat;   /* own .sbat lines (CSV, first line "sbat,…"); NULL: a line about UKIs */

    const char *base_profile; /* .profile of the base; NULL: "ID=main" when there are profiles */
    GPtrArray *profiles;      /* of UkiProfile */

    /* Expected PCRs. With PCR_KEY, signatures go to .pcrsig and its public half to .pcrpkey. With only
     * PCR_PUBLIC_KEY (PEM), .pcrpkey holds it, and with PCR_RESERVE .pcrsig gets the policy digests with
     * room for signatures made elsewhere (uki_attach_signatures()). */
    const KeySource *pcr_key;
    GBytes *pcr_public_key;
    const KeySource *pcr_former_key; /* with PCR_KEY: signs the same policies, for what was sealed to it; or NULL */
    gboolean pcr_reserve;
    gboolean base_sign_expected_pcr; /* sign for the main profile too (usually TRUE) */
    PcrPolicyOptions pcr;
} UkiSpec;

/* Builds the image, not yet signed for Secure Boot. RET_POLICIES (may be NULL) receives the policies of all
 * profiles together, an array of PcrPolicy, signed or not, for SplitArtifacts=pcrs; NULL when no key is
 * known. */
GBytes *uki_build(const UkiSpec *spec, GPtrArray **ret_policies, GError **error);

/* Archives one after the other, as the kernel reads them: each but the last padded to 4 bytes. A new
 * reference. */
GBytes *uki_join_initrds(GPtrArray *initrds);

/* UKI with the signatures of JSON (entries match by policy and reference) put into its .pcrsig sections,
 * which were made with PCR_RESERVE. The image must not be signed yet. */
GBytes *uki_attach_signatures(GBytes *uki, const char *json, GError **error);

/* UKI with the pending signatures (pcr_policies_complete()) of its .pcrsig sections made by KEY; nothing moves, and a
 * signature of the image stays where it is. NULL without ERROR set when there are none for KEY. */
GBytes *uki_complete_signatures(GBytes *uki, const KeySource *key, GError **error);

/* The content of .profile for KEYS and VALUES (of N entries): values that are not plain words are quoted. */
char *uki_profile_text(const char *const *keys, const char *const *values, gsize n);

/* Version string of an x86 bzImage ("6.12.1-amd64"), or NULL; owned by the caller. */
char *uki_kernel_version(const void *data, gsize size);

/* systemd version of a stub, from its .sdmagic ("257.13-1"), or NULL; owned by the caller. */
char *uki_stub_version(GBytes *stub);

/* Whether a stub of VERSION, for x86-64 or another architecture, starts a kernel that has no signature although
 * Secure Boot is on: since 257 on PCs, where it tells the firmware to, since 262 everywhere, where it loads the
 * kernel itself. */
gboolean uki_stub_starts_unsigned_kernel(const char *version, gboolean is_x86_64);

/* Merges .sbat texts (NULL-terminated array): one "sbat," line, then every other line once, in order. */
char *uki_merge_sbat(const char *const *texts);
