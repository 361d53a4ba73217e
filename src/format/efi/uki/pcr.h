/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Prediction of PCRs 11 and 12 of a UKI and signatures of TPM policies over them: what systemd-boot,
 * systemd-stub and systemd-pcrphase measure, TPM2_PolicyPCR (TPM 2.0 library specification, part 3, 23.7),
 * and the JSON of .pcrsig (UAPI group specification "Unified Kernel Image"). */

#include <glib.h>

#include "crypto/sources/key-source.h"
#include "format/efi/uki/uki-sections.h"

typedef enum {
    PCR_ERROR_FAILED,
    PCR_ERROR_MALFORMED, /* JSON or key that cannot be read */
    PCR_ERROR_MISMATCH,  /* a signature does not verify */
} PcrError;

#define PCR_ERROR pcr_error_quark()
GQuark pcr_error_quark(void);

#define PCR_KERNEL_BOOT 11
#define PCR_KERNEL_CONFIG 12
#define PCR_DIGEST_MAX 64

typedef enum {
    PCR_BANK_SHA1,
    PCR_BANK_SHA256,
    PCR_BANK_SHA384,
    PCR_BANK_SHA512,
    N_PCR_BANKS,
} PcrBank;

/* "sha256" and so on, as in JSON. */
const char *pcr_bank_name(PcrBank bank);
/* The bank called NAME, or -1. */
int pcr_bank_from_name(const char *name);
/* Bytes of a value of the bank. */
gsize pcr_bank_size(PcrBank bank);

/* The phase paths for which values are predicted unless the caller chooses others; NULL-terminated. */
extern const char *const pcr_default_phases[];

/* The digests of all sections of an image, computed once for all of its profiles. */
typedef struct PcrMeasurer PcrMeasurer;

/* A measurer for BANK. It remembers digests by content address, so the buffers must live as long as it. */
PcrMeasurer *pcr_measurer_new(PcrBank bank);
void pcr_measurer_free(PcrMeasurer *measurer);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PcrMeasurer, pcr_measurer_free)

/* The value of PCR 11 after the stub measured SECTIONS (content by UkiSection, NULL when absent) and the
 * system went through PHASE_PATH ("enter-initrd:leave-initrd"; "" for none). */
void pcr_measurer_predict(PcrMeasurer *measurer, GBytes *const sections[N_UKI_SECTIONS],
        const char *phase_path, guint8 ret_value[static PCR_DIGEST_MAX]);

/* The value of PCR 12 of BANK when profile number PROFILE of a UKI was started from the menu of systemd-boot
 * and nobody added anything: the loader measures the option that chooses the profile ("@2"), and the stub
 * its number ("2"), both in UTF-16 with the final NUL. Zeros for profile 0. */
void pcr_predict_config(PcrBank bank, guint profile, guint8 ret_value[static PCR_DIGEST_MAX]);

/* TPM2_PolicyPCR of PCR 11 of BANK with VALUE, and of PCR 12 with CONFIG unless that is NULL: always
 * SHA-256, as sessions are. */
void pcr_policy_digest(
        PcrBank bank, const guint8 *value, const guint8 *config, guint8 ret_digest[static 32]);

/* One entry of .pcrsig or of the digests that are signed elsewhere. */
typedef struct {
    PcrBank bank;
    gboolean with_config;   /* over PCRs 11 and 12, not over 11 alone ("pcrs") */
    guint8 fingerprint[32]; /* SHA-256 of the bare public key ("pkfp") */
    guint8 policy[32];      /* "pol" */
    char *reference;        /* policyref ("ref"), or NULL */
    GBytes *signature;      /* NULL when not signed yet ("sig") */
} PcrPolicy;

void pcr_policy_free(PcrPolicy *policy);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PcrPolicy, pcr_policy_free)

/* Whether two entries are about the same bank, PCRs, key, policy and reference. */
gboolean pcr_policy_equal(const PcrPolicy *a, const PcrPolicy *b);

/* What to predict and sign for each profile. */
typedef struct {
    const PcrBank *banks; /* NULL: SHA-256 only */
    guint n_banks;
    const char *const *phases; /* NULL: pcr_default_phases */
    gboolean initrd_policy;    /* also one policy that holds only in the initrd (reference "initrd") */
    gboolean config_policies;  /* also policies over PCRs 11 and 12: nothing was added to the boot */
    guint profile;             /* number of the profile, for PCR 12 */
} PcrPolicyOptions;

/* By which entries name PUBLIC_KEY, PEM or DER ("pkfp"). */
gboolean pcr_key_fingerprint(GBytes *public_key, guint8 ret_fingerprint[static 32], GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The policies of one profile, an array of PcrPolicy without signatures. PUBLIC_KEY is PEM or DER.
 * MEASURERS[bank] is used, and made when NULL, so that profiles share digests; MEASURERS may be NULL. */
GPtrArray *pcr_policies_new(GBytes *const sections[N_UKI_SECTIONS], GBytes *public_key,
        const PcrPolicyOptions *options, PcrMeasurer **measurers, GError **error);

/* What is signed: the policy digest, followed by the SHA-256 of the reference if there is one. */
GBytes *pcr_policy_get_to_be_signed(const PcrPolicy *policy);

/* Adds signatures by KEY to POLICIES. */
gboolean pcr_policies_sign(GPtrArray *policies, const KeySource *key, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Signs those of POLICIES that are for KEY and whose signature is pending: nothing but zeros. RET_N (may be NULL)
 * receives how many these are. */
gboolean pcr_policies_complete(GPtrArray *policies, const KeySource *key, guint *ret_n, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* JSON on one line: {"sha256":[{"pcrs":[11],"pkfp":"…","pol":"…","sig":"…"}]}. Entries without signature get
 * "tbs" (what is to be signed, in hexadecimal) instead of "sig". The same entry is written once. */
char *pcr_policies_to_json(GPtrArray *policies);

/* Reads such JSON; an array of PcrPolicy. Entries about other PCRs or unknown banks are skipped. */
GPtrArray *pcr_policies_parse(const char *json, gssize length, GError **error);

/* Fails unless POLICIES hold a signature by PUBLIC_KEY for every phase in OPTIONS of the profile with these
 * SECTIONS, and no signature that does not verify. */
gboolean pcr_policies_verify(GPtrArray *policies, GBytes *const sections[N_UKI_SECTIONS], GBytes *public_key,
        const PcrPolicyOptions *options, PcrMeasurer **measurers, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* SIZE bytes of such JSON at TEXT with the pending signatures for KEY made. The result is as long as TEXT. NULL without
 * ERROR set when there are none. */
GBytes *pcr_json_complete(const void *text, gsize size, const KeySource *key, GError **error);
