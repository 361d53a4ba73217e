/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Unified kernel images. Kernel, initrd and stub are code of whoever wrote the recipe; what is judged is
 * that the image is of this project, target and version, starts only what was signed in this job, and brings
 * policies of our key alone. */

#include <string.h>

#include "crypto/sources/key-source.h"
#include "format/efi/pe/authenticode.h"
#include "format/efi/uki/pcr.h"
#include "format/efi/uki/uki-sections.h"
#include "inspect/boot/uki-audit.h"
#include "signer/judges/judges.h"
#include "signer/text/error.h"
#include "text/os-release.h"

/* Where a judge is. */
typedef struct {
    SignerCase *this;
    const UkiView *view;
    const UkiProfileView *profile;
    GBytes *pcr_key; /* PEM of the key that policies are by; NULL: the UKI has none */
    char *where;     /* for people */
    PcrMeasurer *measurers[N_PCR_BANKS];
} Judge;

static void judge_clear(Judge *judge) {
    g_clear_pointer(&judge->pcr_key, g_bytes_unref);
    g_free(judge->where);
    for (guint i = 0; i < N_PCR_BANKS; i++)
        pcr_measurer_free(judge->measurers[i]);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Judge, judge_clear)

static gboolean check_os_release(const Judge *judge, GError **error) {
    const SignerCase *this = judge->this;
    g_autofree char *text = uki_profile_view_get_text(judge->profile, UKI_SECTION_OSREL);
    g_autofree char *id = text ? os_release_get(text, "IMAGE_ID") : NULL;
    g_autofree char *version = text ? os_release_get(text, "IMAGE_VERSION") : NULL;

    if (g_strcmp0(id, this->target->image_id) != 0)
        return signer_refuse(error, SIGNER_ERROR_CONTENT, "%s: its .osrel says IMAGE_ID=%.64s, and target %s makes %s",
                judge->where, id ?: "", this->target->name, this->target->image_id);
    if (g_strcmp0(version, this->request->version) != 0)
        return signer_refuse(error, SIGNER_ERROR_CONTENT,
                "%s: its .osrel says IMAGE_VERSION=%.64s, and this job makes %s", judge->where, version ?: "",
                this->request->version);
    return TRUE;
}

static gboolean check_command_line(const Judge *judge, GError **error) {
    SignerCase *this = judge->this;
    g_autofree char *text = uki_profile_view_get_text(judge->profile, UKI_SECTION_CMDLINE);

    if (judge->profile->sections[UKI_SECTION_CMDLINE] && !text)
        return signer_refuse(error, SIGNER_ERROR_CONTENT, "%s: its command line is no text", judge->where);
    g_autoptr(GPtrArray) hashes = signer_list_root_hashes(text ?: "");
    gboolean initrd = signer_target_is_initrd(this->target, judge->profile->id ?: "");
    if (initrd ? hashes->len > 0 : hashes->len != 1)
        return signer_refuse(error, SIGNER_ERROR_CONTENT,
                "%s: its command line has %u of usrhash= and roothash=, and has to have %s", judge->where, hashes->len,
                initrd ? "none (Initrd= of the policy)" : "exactly one");
    for (guint i = 0; i < hashes->len; i++)
        g_ptr_array_add(this->root_hashes, g_strdup(hashes->pdata[i]));
    return signer_check_words(this->policy, text ?: "", judge->where, error);
}

/* Disks are sealed to the key in here. */
static gboolean check_pcr_key(const Judge *judge, GError **error) {
    GBytes *key = judge->profile->sections[UKI_SECTION_PCRPKEY];
    g_autoptr(GBytes) ours = key ? public_key_to_der(judge->pcr_key, error) : NULL;
    g_autoptr(GBytes) der = ours ? public_key_to_der(key, NULL) : NULL;

    if (!key || (der && g_bytes_equal(ours, der)))
        return TRUE;
    return signer_refuse(
            error, SIGNER_ERROR_CONTENT, "%s: its .pcrpkey is another key than that of the project", judge->where);
}

/* Each policy is one that we predict, of our key, and waits for its signature. */
static gboolean check_policies(Judge *judge, GPtrArray *policies, GError **error) {
    g_autoptr(GError) problem = NULL;
    g_autoptr(GPtrArray) expected = uki_expected_policies(
            judge->view->pe, judge->profile, policies, judge->pcr_key, FALSE, judge->measurers, &problem);

    if (!expected)
        return signer_refuse_because(error, g_steal_pointer(&problem), SIGNER_ERROR_CONTENT, "%s", judge->where);
    for (guint i = 0; i < policies->len; i++) {
        const PcrPolicy *policy = policies->pdata[i];
        gboolean known = FALSE;
        for (guint k = 0; k < expected->len && !known; k++)
            known = pcr_policy_equal(expected->pdata[k], policy);
        if (!known)
            return signer_refuse(error, SIGNER_ERROR_CONTENT,
                    "%s: policy %u of its .pcrsig is not of what this program measures, or of another key",
                    judge->where, i + 1);
        for (gsize k = 0; policy->signature && k < g_bytes_get_size(policy->signature); k++)
            if (((const guint8 *) g_bytes_get_data(policy->signature, NULL))[k] != 0)
                return signer_refuse(error, SIGNER_ERROR_CONTENT, "%s: policy %u of its .pcrsig is signed already",
                        judge->where, i + 1);
    }
    return TRUE;
}

static gboolean check_pcrs(Judge *judge, GError **error) {
    const UkiProfileView *profile = judge->profile;
    g_autofree char *text = uki_profile_view_get_text(profile, UKI_SECTION_PCRSIG);
    g_autoptr(GError) problem = NULL;

    if (!profile->sections[UKI_SECTION_PCRSIG] || (profile->number > 0 && !profile->own[UKI_SECTION_PCRSIG]))
        return TRUE;
    g_autoptr(GPtrArray) policies = pcr_policies_parse(text ?: "", -1, &problem);
    if (!policies)
        return signer_refuse_because(
                error, g_steal_pointer(&problem), SIGNER_ERROR_CONTENT, "%s: .pcrsig", judge->where);
    /* Nothing else is in there, in whatever way readers read it. */
    g_autofree char *again = pcr_policies_to_json(policies);
    if (strcmp(g_strchomp(again), text) != 0)
        return signer_refuse(
                error, SIGNER_ERROR_CONTENT, "%s: its .pcrsig holds something that nobody knows", judge->where);
    return check_policies(judge, policies, error);
}

static gboolean judge_profile(Judge *judge, GError **error) {
    const UkiProfileView *profile = judge->profile;

    g_free(judge->where);
    judge->where = profile->number < 0 ? g_strdup(judge->this->thing->title)
                                       : g_strdup_printf("%s, profile %d", judge->this->thing->title, profile->number);
    return check_os_release(judge, error) && check_command_line(judge, error) && check_pcr_key(judge, error) &&
           check_pcrs(judge, error);
}

/* Whose key policies are by is needed only where there are any. */
static gboolean find_pcr_key(Judge *judge, GError **error) {
    SignerCase *this = judge->this;
    const PeImage *pe = judge->view->pe;

    if (!pe_image_find_section(pe, ".pcrpkey") && !pe_image_find_section(pe, ".pcrsig"))
        return TRUE;
    g_autoptr(Certificate) certificate =
            signer_keys_open_certificate(this->keys, this->policy, this->request->owner, SIGNER_PURPOSE_PCR, error);
    if (certificate && pe_image_find_section(pe, ".pcrsig"))
        g_ptr_array_insert(this->purposes, 0, GUINT_TO_POINTER(SIGNER_PURPOSE_PCR));
    return certificate && (judge->pcr_key = certificate_get_public_key_pem(certificate, error));
}

/* Firmware goes by any of several signatures. */
static gboolean check_signatures(const SignerCase *this, GBytes *image, GError **error) {
    g_autoptr(GPtrArray) signatures = authenticode_parse(g_bytes_get_data(image, NULL), g_bytes_get_size(image), NULL);

    return (signatures && signatures->len == 1) ||
           signer_refuse(error, SIGNER_ERROR_CONTENT, "%s: it has %u signatures, and has to have room for one",
                   this->thing->title, signatures ? signatures->len : 0);
}

gboolean signer_judge_uki(SignerCase *this, GBytes *image, GError **error) {
    g_autoptr(GError) problem = NULL;
    g_autoptr(UkiView) view = uki_view_new(image, &problem);
    g_autoptr(GPtrArray) problems = g_ptr_array_new_with_free_func(g_free);
    g_auto(Judge) judge = {.this = this, .view = view};

    if (!view)
        return signer_refuse_because(error, g_steal_pointer(&problem), SIGNER_ERROR_CONTENT, "%s", this->thing->title);
    uki_audit_sections(view->pe, problems);
    if (problems->len > 0)
        return signer_refuse(
                error, SIGNER_ERROR_CONTENT, "%s: %s", this->thing->title, (const char *) problems->pdata[0]);
    if (!check_signatures(this, image, error) || !find_pcr_key(&judge, error))
        return FALSE;
    for (guint i = 0; i < view->profiles->len; i++) {
        judge.profile = view->profiles->pdata[i];
        if (!judge_profile(&judge, error))
            return FALSE;
    }
    json_object_set_boolean_member(this->facts, "uki", TRUE);
    return TRUE;
}
