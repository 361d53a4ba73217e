/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "format/efi/uki/pcr.h"

#include <openssl/x509.h>
#include <string.h>

#include "base/sha256.h"

#define INITRD_REFERENCE "initrd"
#define INITRD_PHASE "enter-initrd"

static const PcrBank default_banks[] = {PCR_BANK_SHA256};

void pcr_policy_free(PcrPolicy *policy) {
    if (!policy)
        return;
    g_free(policy->reference);
    g_clear_pointer(&policy->signature, g_bytes_unref);
    g_free(policy);
}

static const PcrBank *get_banks(const PcrPolicyOptions *options, guint *ret_n) {
    if (options && options->n_banks > 0) {
        *ret_n = options->n_banks;
        return options->banks;
    }
    *ret_n = G_N_ELEMENTS(default_banks);
    return default_banks;
}

static const char *const *get_phases(const PcrPolicyOptions *options) {
    return options && options->phases ? options->phases : pcr_default_phases;
}

static PcrPolicy *policy_new(PcrMeasurer *measurer, PcrBank bank, GBytes *const sections[N_UKI_SECTIONS],
        const char *phase, const char *reference, const guint8 *config, const guint8 *fingerprint) {
    PcrPolicy *policy = g_new0(PcrPolicy, 1);
    policy->bank = bank;
    policy->with_config = config != NULL;
    policy->reference = g_strdup(reference);
    memcpy(policy->fingerprint, fingerprint, sizeof policy->fingerprint);

    guint8 value[PCR_DIGEST_MAX];
    pcr_measurer_predict(measurer, sections, phase, value);
    pcr_policy_digest(bank, value, config, policy->policy);
    return policy;
}

/* "pkfp" is over the key alone (RSAPublicKey, or the point of an EC key), without the algorithm around it.
 */
gboolean pcr_key_fingerprint(GBytes *public_key, guint8 ret_fingerprint[static 32], GError **error) {
    g_autoptr(GBytes) der = public_key_to_der(public_key, error);
    if (!der) {
        g_prefix_error(error, "reading the public key of PCR signatures: ");
        return FALSE;
    }
    const guint8 *position = g_bytes_get_data(der, NULL);
    EVP_PKEY *key = d2i_PUBKEY(NULL, &position, g_bytes_get_size(der));
    guint8 *raw = NULL;
    int size = key ? i2d_PublicKey(key, &raw) : -1;
    EVP_PKEY_free(key);
    if (size < 0) {
        g_set_error(error, PCR_ERROR, PCR_ERROR_FAILED,
                "the public key of PCR signatures is of a kind that has no fingerprint");
        return FALSE;
    }
    sha256_buffer(raw, size, ret_fingerprint);
    OPENSSL_free(raw);
    return TRUE;
}

GPtrArray *pcr_policies_new(GBytes *const sections[N_UKI_SECTIONS], GBytes *public_key,
        const PcrPolicyOptions *options, PcrMeasurer **measurers, GError **error) {
    guint8 fingerprint[32];
    if (!pcr_key_fingerprint(public_key, fingerprint, error))
        return NULL;

    g_autoptr(GPtrArray) policies = g_ptr_array_new_with_free_func((GDestroyNotify) pcr_policy_free);
    guint n_banks;
    const PcrBank *wanted = get_banks(options, &n_banks);
    for (guint i = 0; i < n_banks; i++) {
        PcrBank bank = wanted[i];
        g_autoptr(PcrMeasurer) own = NULL;
        PcrMeasurer *measurer = measurers ? measurers[bank] : NULL;
        if (!measurer) {
            measurer = pcr_measurer_new(bank);
            *(measurers ? &measurers[bank] : &own) = measurer;
        }
        for (const char *const *phase = get_phases(options); *phase; phase++)
            g_ptr_array_add(policies, policy_new(measurer, bank, sections, *phase, NULL, NULL, fingerprint));
        if (options && options->initrd_policy)
            g_ptr_array_add(policies,
                    policy_new(measurer, bank, sections, INITRD_PHASE, INITRD_REFERENCE, NULL, fingerprint));
        if (!options || !options->config_policies)
            continue;
        guint8 config[PCR_DIGEST_MAX];
        pcr_predict_config(bank, options->profile, config);
        for (const char *const *phase = get_phases(options); *phase; phase++)
            g_ptr_array_add(
                    policies, policy_new(measurer, bank, sections, *phase, NULL, config, fingerprint));
    }
    return g_steal_pointer(&policies);
}

GBytes *pcr_policy_get_to_be_signed(const PcrPolicy *policy) {
    guint8 data[64];
    memcpy(data, policy->policy, 32);
    if (!policy->reference)
        return g_bytes_new(data, 32);
    /* TPM2_PolicyAuthorize hashes policy and reference together; the reference is a digest of its name. */
    sha256_buffer(policy->reference, strlen(policy->reference), data + 32);
    return g_bytes_new(data, 64);
}

static gboolean sign_policy(PcrPolicy *policy, const KeySource *key, GError **error) {
    g_autoptr(GBytes) tbs = pcr_policy_get_to_be_signed(policy);

    g_clear_pointer(&policy->signature, g_bytes_unref);
    policy->signature = key_source_sign(key, g_bytes_get_data(tbs, NULL), g_bytes_get_size(tbs), error);
    if (policy->signature)
        return TRUE;
    g_prefix_error(error, "signing expected PCR values: ");
    return FALSE;
}

gboolean pcr_policies_sign(GPtrArray *policies, const KeySource *key, GError **error) {
    for (guint i = 0; i < policies->len; i++)
        if (!sign_policy(policies->pdata[i], key, error))
            return FALSE;
    return TRUE;
}

static gboolean is_pending(const PcrPolicy *policy) {
    gsize size = 0;
    const guint8 *data = policy->signature ? g_bytes_get_data(policy->signature, &size) : NULL;

    for (gsize i = 0; i < size; i++)
        if (data[i] != 0)
            return FALSE;
    return size > 0;
}

gboolean pcr_policies_complete(GPtrArray *policies, const KeySource *key, guint *ret_n, GError **error) {
    g_autoptr(GBytes) public_key = key_source_get_public_der(key, error);
    guint8 fingerprint[32];
    guint n = 0;

    if (!public_key || !pcr_key_fingerprint(public_key, fingerprint, error))
        return FALSE;
    for (guint i = 0; i < policies->len; i++) {
        PcrPolicy *policy = policies->pdata[i];
        if (!is_pending(policy) || memcmp(policy->fingerprint, fingerprint, sizeof fingerprint) != 0)
            continue;
        if (!sign_policy(policy, key, error))
            return FALSE;
        n++;
    }
    if (ret_n)
        *ret_n = n;
    return TRUE;
}

GBytes *pcr_json_complete(const void *text, gsize size, const KeySource *key, GError **error) {
    g_autoptr(GPtrArray) policies = pcr_policies_parse(text, (gssize) size, error);
    guint n = 0;

    if (!policies || !pcr_policies_complete(policies, key, &n, error) || n == 0)
        return NULL;
    g_autofree char *json = pcr_policies_to_json(policies);
    if (strlen(json) != size) {
        g_set_error_literal(error, PCR_ERROR, PCR_ERROR_MALFORMED,
                "the PCR policies are not as we write them, so that their signatures have no place");
        return NULL;
    }
    return g_bytes_new_take(g_steal_pointer(&json), size);
}

gboolean pcr_policy_equal(const PcrPolicy *a, const PcrPolicy *b) {
    return a->bank == b->bank && a->with_config == b->with_config &&
           memcmp(a->fingerprint, b->fingerprint, 32) == 0 && memcmp(a->policy, b->policy, 32) == 0 &&
           g_strcmp0(a->reference, b->reference) == 0;
}

static PcrPolicy *find_policy(GPtrArray *policies, guint n, const PcrPolicy *policy) {
    for (guint i = 0; i < n; i++)
        if (pcr_policy_equal(policies->pdata[i], policy))
            return policies->pdata[i];
    return NULL;
}

static gboolean verify_signature(const PcrPolicy *policy, GBytes *public_key, GError **error) {
    g_autoptr(GBytes) tbs = pcr_policy_get_to_be_signed(policy);
    if (!policy->signature) {
        g_set_error(error, PCR_ERROR, PCR_ERROR_MISMATCH, "a PCR policy is not signed");
        return FALSE;
    }
    if (!public_key_verify(
                public_key, g_bytes_get_data(tbs, NULL), g_bytes_get_size(tbs), policy->signature, error)) {
        g_prefix_error(error, "signature of a PCR policy: ");
        return FALSE;
    }
    return TRUE;
}

gboolean pcr_policies_verify(GPtrArray *policies, GBytes *const sections[N_UKI_SECTIONS], GBytes *public_key,
        const PcrPolicyOptions *options, PcrMeasurer **measurers, GError **error) {
    for (guint i = 0; i < policies->len; i++)
        if (!verify_signature(policies->pdata[i], public_key, error))
            return FALSE;

    g_autoptr(GPtrArray) expected = pcr_policies_new(sections, public_key, options, measurers, error);
    if (!expected)
        return FALSE;
    for (guint i = 0; i < expected->len; i++) {
        const PcrPolicy *policy = expected->pdata[i];
        if (find_policy(policies, policies->len, policy))
            continue;
        g_set_error(error, PCR_ERROR, PCR_ERROR_MISMATCH,
                "no signature for the expected values of the sections (bank %s, policy %u of %u)",
                pcr_bank_name(policy->bank), i + 1, expected->len);
        return FALSE;
    }
    return TRUE;
}
