/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "format/efi/uki/pcr.h"

#include <openssl/evp.h>
#include <string.h>

#include "base/sha256.h"

G_DEFINE_QUARK(pcr - error - quark, pcr_error)

const char *const pcr_default_phases[] = {
        "enter-initrd",
        "enter-initrd:leave-initrd",
        "enter-initrd:leave-initrd:sysinit",
        "enter-initrd:leave-initrd:sysinit:ready",
        NULL,
};

static const struct {
    const char *name;
    gsize size;
    guint16 algorithm; /* TPM_ALG_ID */
    const EVP_MD *(*md)(void);
} banks[N_PCR_BANKS] = {
        [PCR_BANK_SHA1] = {"sha1", 20, 0x0004, EVP_sha1},
        [PCR_BANK_SHA256] = {"sha256", 32, 0x000b, EVP_sha256},
        [PCR_BANK_SHA384] = {"sha384", 48, 0x000c, EVP_sha384},
        [PCR_BANK_SHA512] = {"sha512", 64, 0x000d, EVP_sha512},
};

const char *pcr_bank_name(PcrBank bank) {
    g_return_val_if_fail(bank < N_PCR_BANKS, NULL);
    return banks[bank].name;
}

int pcr_bank_from_name(const char *name) {
    for (int i = 0; i < N_PCR_BANKS; i++)
        if (g_str_equal(banks[i].name, name))
            return i;
    return -1;
}

gsize pcr_bank_size(PcrBank bank) {
    g_return_val_if_fail(bank < N_PCR_BANKS, 0);
    return banks[bank].size;
}

struct PcrMeasurer {
    PcrBank bank;
    GHashTable *digests; /* GBytes by identity → digest */
};

PcrMeasurer *pcr_measurer_new(PcrBank bank) {
    PcrMeasurer *measurer = g_new0(PcrMeasurer, 1);
    measurer->bank = bank;
    measurer->digests = g_hash_table_new_full(NULL, NULL, (GDestroyNotify) g_bytes_unref, g_free);
    return measurer;
}

void pcr_measurer_free(PcrMeasurer *measurer) {
    if (!measurer)
        return;
    g_hash_table_unref(measurer->digests);
    g_free(measurer);
}

static void bank_digest(PcrBank bank, const void *data, gsize size, guint8 *ret_digest) {
    /* Only a lack of memory, or a library built without the algorithm, makes this fail. */
    if (EVP_Digest(data, size, ret_digest, NULL, banks[bank].md(), NULL) != 1)
        g_error("OpenSSL cannot compute %s", banks[bank].name);
}

/* The kernel and the initrd are in every profile and are large: each is hashed once. */
static const guint8 *measurer_digest(PcrMeasurer *measurer, GBytes *content) {
    guint8 *digest = g_hash_table_lookup(measurer->digests, content);
    if (digest)
        return digest;
    gsize size;
    const void *data = g_bytes_get_data(content, &size);
    digest = g_malloc(banks[measurer->bank].size);
    bank_digest(measurer->bank, data, size, digest);
    g_hash_table_insert(measurer->digests, g_bytes_ref(content), digest);
    return digest;
}

/* TPM2_PCR_Extend */
static void extend(PcrBank bank, guint8 *value, const guint8 *digest) {
    gsize size = banks[bank].size;
    guint8 both[2 * PCR_DIGEST_MAX];
    memcpy(both, value, size);
    memcpy(both + size, digest, size);
    bank_digest(bank, both, 2 * size, value);
}

static void extend_text(PcrBank bank, guint8 *value, const char *text, gsize size) {
    guint8 digest[PCR_DIGEST_MAX];
    bank_digest(bank, text, size, digest);
    extend(bank, value, digest);
}

void pcr_measurer_predict(PcrMeasurer *measurer, GBytes *const sections[N_UKI_SECTIONS],
        const char *phase_path, guint8 ret_value[static PCR_DIGEST_MAX]) {
    memset(ret_value, 0, PCR_DIGEST_MAX);
    for (guint i = 0; i < N_UKI_SECTIONS; i++) {
        if (!sections[i] || g_bytes_get_size(sections[i]) == 0 || !uki_section_is_measured(i))
            continue;
        /* The name is measured with its final NUL. */
        const char *name = uki_section_name(i);
        extend_text(measurer->bank, ret_value, name, strlen(name) + 1);
        extend(measurer->bank, ret_value, measurer_digest(measurer, sections[i]));
    }

    g_auto(GStrv) phases = g_strsplit(phase_path, ":", -1);
    for (char **phase = phases; *phase; phase++)
        if (**phase)
            extend_text(measurer->bank, ret_value, *phase, strlen(*phase));
}

static void extend_utf16(PcrBank bank, guint8 *value, const char *ascii) {
    g_autofree gunichar2 *text = NULL;
    glong length;

    text = g_utf8_to_utf16(ascii, -1, NULL, &length, NULL);
    for (glong i = 0; i <= length; i++)
        text[i] = GUINT16_TO_LE(text[i]);
    extend_text(bank, value, (const char *) text, (gsize) (length + 1) * sizeof *text);
}

void pcr_predict_config(PcrBank bank, guint profile, guint8 ret_value[static PCR_DIGEST_MAX]) {
    char option[16];

    memset(ret_value, 0, PCR_DIGEST_MAX);
    if (profile == 0)
        return;
    g_snprintf(option, sizeof option, "@%u", profile);
    extend_utf16(bank, ret_value, option);
    extend_utf16(bank, ret_value, option + 1);
}

void pcr_policy_digest(
        PcrBank bank, const guint8 *value, const guint8 *config, guint8 ret_digest[static 32]) {
    guint8 values[2 * PCR_DIGEST_MAX];
    gsize size = banks[bank].size;
    struct __attribute__((packed)) {
        guint8 policy[32];
        guint32 command;
        guint32 n_selections;
        guint16 algorithm;
        guint8 select_size;
        guint8 select[3];
        guint8 pcr_digest[32];
    } input = {
            .command = GUINT32_TO_BE(0x0000017f), /* TPM_CC_PolicyPCR */
            .n_selections = GUINT32_TO_BE(1),
            .algorithm = GUINT16_TO_BE(banks[bank].algorithm),
            .select_size = 3,
            .select = {0, 1 << (PCR_KERNEL_BOOT - 8) | (config ? 1 << (PCR_KERNEL_CONFIG - 8) : 0), 0},
    };
    G_STATIC_ASSERT(sizeof input == 32 + 4 + 4 + 2 + 4 + 32);
    memcpy(values, value, size);
    if (config)
        memcpy(values + size, config, size);
    sha256_buffer(values, config ? 2 * size : size, input.pcr_digest);
    sha256_buffer(&input, sizeof input, ret_digest);
}
