/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "inspect/boot/uki-audit.h"

#include <string.h>

#include "format/efi/uki/uki-stub.h"

/* Sections of the stub itself, beside those that make a UKI. */
static gboolean is_stub_section(const char *name) {
    static const char *const names[] = {".text", ".rodata", ".data", ".sbat", ".sdmagic", ".reloc",
            ".dynamic", ".rela", ".dynsym", ".dynstr", ".rdata", ".pdata", ".xdata", ".eh_frame", ".bss",
            ".got", NULL};
    return g_strv_contains(names, name);
}

/* Readers take the first or the last of several, so there may be one of each in a profile. */
const char *uki_audit_section(const PeImage *pe, guint index, GHashTable *seen) {
    const char *name = pe->sections[index].name;
    gboolean many = strcmp(name, ".dtbauto") == 0 || strcmp(name, ".efifw") == 0;

    if (strcmp(name, ".profile") == 0)
        g_hash_table_remove_all(seen);
    if (!is_stub_section(name) && uki_section_from_name(name) < 0 && strcmp(name, ".efifw") != 0)
        return "nobody knows what reads this section";
    return g_hash_table_add(seen, (char *) name) || many ? NULL : "there are two of this section in one profile";
}

void uki_audit_sections(const PeImage *pe, GPtrArray *problems) {
    g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);

    for (guint i = 0; i < pe->n_sections; i++) {
        const char *problem = uki_audit_section(pe, i, seen);
        if (problem)
            g_ptr_array_add(problems, g_strdup_printf("section %s: %s", pe->sections[i].name, problem));
    }
}

static gboolean has_initrd_policy(GPtrArray *policies) {
    for (guint i = 0; i < policies->len; i++) {
        const PcrPolicy *policy = policies->pdata[i];
        if (g_strcmp0(policy->reference, "initrd") == 0)
            return TRUE;
    }
    return FALSE;
}

static gboolean has_config_policy(GPtrArray *policies) {
    for (guint i = 0; i < policies->len; i++) {
        const PcrPolicy *policy = policies->pdata[i];
        if (policy->with_config)
            return TRUE;
    }
    return FALSE;
}

/* SHA-256, and what else there are policies for. */
static guint list_banks(GPtrArray *policies, PcrBank ret_banks[static N_PCR_BANKS]) {
    guint n = 0;
    for (PcrBank bank = 0; bank < N_PCR_BANKS; bank++) {
        gboolean used = bank == PCR_BANK_SHA256;
        for (guint i = 0; i < policies->len && !used; i++)
            used = ((const PcrPolicy *) policies->pdata[i])->bank == bank;
        if (used)
            ret_banks[n++] = bank;
    }
    return n;
}

/* A machine takes the one that fits it, and measures that. */
static GPtrArray *list_automatic_devicetrees(const PeImage *pe) {
    GPtrArray *trees = g_ptr_array_new_with_free_func((GDestroyNotify) g_bytes_unref);
    for (guint i = 0; i < pe->n_sections; i++)
        if (strcmp(pe->sections[i].name, ".dtbauto") == 0)
            g_ptr_array_add(trees, pe_image_get_bytes(pe, &pe->sections[i]));
    return trees;
}

GPtrArray *uki_expected_policies(const PeImage *pe, const UkiProfileView *profile, GPtrArray *policies, GBytes *key,
        gboolean verify, PcrMeasurer **measurers, GError **error) {
    PcrBank banks[N_PCR_BANKS];
    PcrPolicyOptions options = {
            .banks = banks,
            .n_banks = list_banks(policies, banks),
            .initrd_policy = has_initrd_policy(policies),
            .config_policies = has_config_policy(policies),
            .profile = (guint) MAX(profile->number, 0),
    };
    GBytes *measured[N_UKI_SECTIONS];
    uki_stub_select_sections(pe, profile->sections, measured);
    g_autoptr(GPtrArray) trees = list_automatic_devicetrees(pe);
    g_autoptr(GPtrArray) expected = g_ptr_array_new_with_free_func((GDestroyNotify) pcr_policy_free);
    for (guint i = 0; i < MAX(trees->len, 1); i++) {
        if (measured[UKI_SECTION_DTBAUTO] && trees->len > 0)
            measured[UKI_SECTION_DTBAUTO] = trees->pdata[i];
        if (verify && !pcr_policies_verify(policies, measured, key, &options, measurers, error))
            return NULL;
        GPtrArray *some = pcr_policies_new(measured, key, &options, measurers, error);
        if (!some)
            return NULL;
        g_ptr_array_extend_and_steal(expected, some);
    }
    return g_steal_pointer(&expected);
}
