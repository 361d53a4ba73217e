/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <openssl/crypto.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/sources/error.h"
#include "format/efi/pe/authenticode.h"
#include "format/efi/uki/pcr.h"
#include "format/efi/uki/uki-sections.h"
#include "format/efi/uki/uki-stub.h"
#include "format/efi/uki/uki.h"
#include "inspect/boot/command-line-judge.h"
#include "inspect/boot/command-line.h"
#include "inspect/boot/uki-audit.h"
#include "inspect/verdict/inspect-internal.h"

#define MACHINE_X86_64 0x8664

/* Inside of a UKI: the kernel, what each profile's command line mounts, and the expected PCRs. */

static gboolean stub_starts_unsigned_kernel(const PeImage *pe) {
    g_autofree char *version = uki_stub_version(pe->bytes);
    /* Stubs of somebody else do as they like. */
    return !version || uki_stub_starts_unsigned_kernel(version, pe->machine == MACHINE_X86_64);
}

/* What surrounds the kernel is signed, and covers it. A signature of its own has to be right, but it may be
 * anybody's. */
static void check_kernel(InspectContext *context, InspectNode *node, const UkiView *view) {
    GBytes *kernel = ((const UkiProfileView *) view->profiles->pdata[0])->sections[UKI_SECTION_LINUX];
    g_autoptr(GError) error = NULL;
    g_autoptr(Certificate) signer = NULL;
    if (!kernel)
        return;
    InspectNode *link = inspect_node_add(node, "kernel", "kernel inside (.linux)");
    if (authenticode_verify(
                g_bytes_get_data(kernel, NULL), g_bytes_get_size(kernel), NULL, &signer, &error)) {
        inspect_node_add_signer(link, signer);
        inspect_node_set(link, INSPECT_OK, "also signed by %s", certificate_get_description(signer));
    } else if (!g_error_matches(error, CRYPTO_ERROR, CRYPTO_ERROR_MISSING))
        inspect_node_set_error(link, error);
    else if ((context->options->certificate || context->db) && !stub_starts_unsigned_kernel(view->pe))
        inspect_node_set(link, INSPECT_BROKEN,
                "not signed, and with Secure Boot its stub starts no kernel that is not: sign it, or take a "
                "newer systemd-boot-efi");
    else
        inspect_node_set(link, INSPECT_OK, "without a signature of its own, so that it starts only here");
}

static gboolean knows_root_hash(InspectContext *context, const char *designator, const char *hash) {
    g_autofree char *wanted = g_strdup_printf("%s=%s", designator, hash);
    g_autofree char *lower = g_ascii_strdown(wanted, -1);
    return g_ptr_array_find_with_equal_func(context->root_hashes, lower, g_str_equal, NULL);
}

/* What the command line says about the volume DESIGNATOR, which this image has. */
static void judge_volume(
        InspectContext *context, InspectNode *link, const char *command_line, const char *designator) {
    const char *option = strcmp(designator, "root") == 0 ? "roothash" : "usrhash";
    g_autofree char *hash = command_line_get(command_line, option);
    g_autofree char *policy = command_line_get(command_line, "systemd.image_policy");
    gboolean dissects = command_line_dissects(command_line, designator);
    if (hash) {
        inspect_node_add_fact(link, option, hash);
        if (knows_root_hash(context, designator, hash))
            inspect_node_set(link, INSPECT_OK, "%s=%.16s…, the /%s of this image", option, hash,
                    strcmp(designator, "usr") == 0 ? "usr" : "");
        else
            inspect_node_set(link, INSPECT_BROKEN, "%s=%s is no sound volume of this image", option, hash);
    } else if (dissects && policy && image_policy_wants_signed(policy, designator))
        inspect_node_set(link, INSPECT_OK, "mounts only a signed volume (image policy %s)", policy);
    else if (dissects && policy)
        inspect_node_set(
                link, INSPECT_BROKEN, "the image policy %s also accepts volumes that nobody signed", policy);
    else
        inspect_node_set(link, context->options->certificate ? INSPECT_BROKEN : INSPECT_MISSING,
                "neither %s= nor an image policy binds the volume", option);
}

void inspect_check_root_hashes(InspectContext *context, InspectNode *node, const char *command_line) {
    static const struct {
        const char *option, *designator;
    } options[] = {{"usrhash", "usr"}, {"roothash", "root"}};
    for (gsize i = 0; i < G_N_ELEMENTS(options); i++) {
        g_autofree char *hash = command_line_get(command_line, options[i].option);
        if (hash && context->partitions && !knows_root_hash(context, options[i].designator, hash))
            inspect_node_set(inspect_node_add(node, "command-line", options[i].option), INSPECT_BROKEN,
                    "%s=%s is no sound volume of this image", options[i].option, hash);
    }
}

void inspect_check_command_line_words(InspectNode *node, const char *command_line) {
    g_auto(CommandLineVerdict) verdict = {NULL};
    command_line_judge(command_line, &verdict);
    InspectNode *link = inspect_node_add(node, "options", "command line");
    GPtrArray *words = verdict.broken->len > 0 ? verdict.broken : verdict.weak;
    gboolean broken = verdict.broken->len > 0, weak = words->len > 0;
    inspect_node_add_fact(link, "cmdline", command_line);
    g_ptr_array_add(words, NULL);
    g_autofree char *text = g_strjoinv(" ", (char **) words->pdata);
    inspect_node_set(link, broken ? INSPECT_BROKEN : INSPECT_OK, "%s%s",
            broken ? "undoes what the chain promises: "
            : weak ? "as signed; opens what other entries close: "
                   : "leaves verification as it is",
            text);
}

static void check_command_line(InspectContext *context, InspectNode *node, const UkiProfileView *profile) {
    g_autofree char *command_line = uki_profile_view_get_text(profile, UKI_SECTION_CMDLINE);
    inspect_check_command_line_words(node, command_line ? command_line : "");
    if (profile->sections[UKI_SECTION_CMDLINE] && !command_line)
        inspect_node_set(inspect_node_add(node, "options", "command line"), INSPECT_BROKEN, "it is no text");
    for (guint i = 0; i < context->volumes->len; i++) {
        const char *designator = context->volumes->pdata[i];
        g_autofree char *title = g_strdup_printf("command line mounts %s", designator);
        InspectNode *link = inspect_node_add(node, "command-line", title);
        inspect_node_add_fact(link, "cmdline", command_line ? command_line : "");
        judge_volume(context, link, command_line ? command_line : "", designator);
    }
}

static gboolean contains_policy(GPtrArray *policies, const PcrPolicy *policy) {
    for (guint i = 0; i < policies->len; i++)
        if (pcr_policy_equal(policies->pdata[i], policy))
            return TRUE;
    return FALSE;
}

/* What is sealed to PCRs 11 and 12 opens for boots to which nothing was added: each such policy must be one
 * of them. */
static gboolean check_config_policies(GPtrArray *policies, GPtrArray *expected, GError **error) {
    for (guint i = 0; i < policies->len; i++) {
        const PcrPolicy *policy = policies->pdata[i];
        if (!policy->with_config || contains_policy(expected, policy))
            continue;
        g_set_error(error, PCR_ERROR, PCR_ERROR_MISMATCH,
                "policy %u, over PCRs 11 and 12, is of a boot to which something was added", i + 1);
        return FALSE;
    }
    return TRUE;
}

/* POLICIES are all those of one key. */
static gboolean verify_policies(const PeImage *pe, const UkiProfileView *profile, GPtrArray *policies, GBytes *key,
        PcrMeasurer **measurers, GError **error) {
    g_autoptr(GPtrArray) expected = uki_expected_policies(pe, profile, policies, key, TRUE, measurers, error);
    return expected && check_config_policies(policies, expected, error);
}

/* Moves the policies of KEY from ALL to the result. */
static GPtrArray *take_policies_of(GPtrArray *all, GBytes *key) {
    GPtrArray *taken = g_ptr_array_new_with_free_func((GDestroyNotify) pcr_policy_free);
    guint8 fingerprint[32];
    if (!pcr_key_fingerprint(key, fingerprint, NULL))
        return taken;
    for (guint i = 0; i < all->len;) {
        const PcrPolicy *policy = all->pdata[i];
        if (memcmp(policy->fingerprint, fingerprint, sizeof fingerprint) == 0)
            g_ptr_array_add(taken, g_ptr_array_steal_index(all, i));
        else
            i++;
    }
    return taken;
}

/* While keys change, a second one signs the same: what was sealed to it opens as well. */
static gboolean verify_other_pcrs(InspectContext *context, const PeImage *pe, const UkiProfileView *profile,
        GPtrArray *rest, PcrMeasurer **measurers, GError **error) {
    GPtrArray *others = context->options->others;
    for (guint i = 0; others && i < others->len && rest->len > 0; i++) {
        g_autoptr(GBytes) key = certificate_get_public_key_pem(others->pdata[i], error);
        g_autoptr(GPtrArray) policies = key ? take_policies_of(rest, key) : NULL;
        if (!policies || (policies->len > 0 && !verify_policies(pe, profile, policies, key, measurers, error)))
            return FALSE;
    }
    if (rest->len == 0)
        return TRUE;
    g_set_error(error, PCR_ERROR, PCR_ERROR_MISMATCH,
            "%u policies are by another key than that in .pcrpkey; while keys change, name its certificate with "
            "--other-certificate",
            rest->len);
    return FALSE;
}

static gboolean verify_pcrs(InspectContext *context, const PeImage *pe, const UkiProfileView *profile,
        PcrMeasurer **measurers, GError **error) {
    g_autofree char *json = uki_profile_view_get_text(profile, UKI_SECTION_PCRSIG);
    g_autoptr(GPtrArray) rest = pcr_policies_parse(json ? json : "", -1, error);
    GBytes *key = profile->sections[UKI_SECTION_PCRPKEY];
    g_autoptr(GPtrArray) policies = rest ? take_policies_of(rest, key) : NULL;
    return policies && verify_policies(pe, profile, policies, key, measurers, error) &&
           verify_other_pcrs(context, pe, profile, rest, measurers, error);
}

/* "the pinned key" when the public key of the PCR signatures is that of the certificate. */
static gboolean is_key_of(GBytes *public_key, const Certificate *certificate) {
    if (!certificate)
        return FALSE;
    g_autoptr(GBytes) der = public_key_to_der(public_key, NULL);
    unsigned char *expected = NULL;
    int size = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate_peek(certificate)), &expected);
    gboolean equal = der && size > 0 && (gsize) size == g_bytes_get_size(der) &&
                     memcmp(expected, g_bytes_get_data(der, NULL), size) == 0;
    OPENSSL_free(expected);
    return equal;
}

/* What machines seal to is the key in here, so it must be ours, whether anything is signed by it or not. */
static void check_pcr_key(InspectContext *context, InspectNode *node, const UkiProfileView *profile) {
    GBytes *public_key = profile->sections[UKI_SECTION_PCRPKEY];
    const Certificate *pinned = context->options->pcr_certificate ? context->options->pcr_certificate
                                                                  : context->options->certificate;
    if (public_key && pinned && !is_key_of(public_key, pinned))
        inspect_node_set(inspect_node_add(node, "pcr-key", "public key (.pcrpkey)"), INSPECT_BROKEN,
                "not that of %s", certificate_get_description(pinned));
}

static const char *describe_pcr_key(InspectContext *context, GBytes *public_key) {
    if (is_key_of(public_key, context->options->pcr_certificate) ||
            is_key_of(public_key, context->options->certificate))
        return ", by the key of the expected certificate";
    for (guint i = 0; i < context->known->len; i++)
        if (is_key_of(public_key, context->known->pdata[i]))
            return ", by the key of a certificate of this image";
    return ", by a key of its own";
}

static void check_expected_pcrs(InspectContext *context, InspectNode *node, const PeImage *pe,
        const UkiProfileView *profile, PcrMeasurer **measurers) {
    InspectNode *link = inspect_node_add(node, "expected-pcrs", "expected PCRs");
    GBytes *public_key = profile->sections[UKI_SECTION_PCRPKEY];
    gboolean is_profile = profile->number > 0;
    if (!profile->sections[UKI_SECTION_PCRSIG] || (is_profile && !profile->own[UKI_SECTION_PCRSIG])) {
        inspect_node_set(link, is_profile || !public_key ? INSPECT_NOT_APPLICABLE : INSPECT_MISSING,
                "no expected PCR values are signed");
        return;
    }
    if (!public_key) {
        inspect_node_set(link, INSPECT_BROKEN, "signatures (.pcrsig) without their public key (.pcrpkey)");
        return;
    }
    g_autoptr(GError) error = NULL;
    if (verify_pcrs(context, pe, profile, measurers, &error))
        inspect_node_set(link, INSPECT_OK, "match the sections in every phase and are signed%s",
                describe_pcr_key(context, public_key));
    else
        inspect_node_set_error(link, error);
}

static void check_profile(InspectContext *context, InspectNode *node, const PeImage *pe,
        const UkiProfileView *profile, PcrMeasurer **measurers) {
    g_autofree char *title =
            profile->number < 0
                    ? g_strdup("without profiles")
                    : g_strdup_printf("profile %d%s%s%s%s%s", profile->number, profile->id ? " " : "",
                              profile->id ? profile->id : "", profile->title ? " (" : "",
                              profile->title ? profile->title : "", profile->title ? ")" : "");
    InspectNode *group = inspect_node_add(node, "profile", title);
    if (profile->id)
        inspect_node_add_fact(group, "profile", profile->id);
    check_command_line(context, group, profile);
    check_pcr_key(context, group, profile);
    check_expected_pcrs(context, group, pe, profile, measurers);
}

static void check_sections(InspectNode *node, const PeImage *pe) {
    g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);
    for (guint i = 0; i < pe->n_sections; i++) {
        const char *problem = uki_audit_section(pe, i, seen);
        if (problem)
            inspect_node_set(inspect_node_add(node, "sections", pe->sections[i].name), INSPECT_BROKEN, "%s", problem);
    }
}

void inspect_check_uki(InspectContext *context, InspectNode *node, GBytes *image) {
    inspect_check_program(node, "program", image);
    inspect_check_authenticode(context, node, "authenticode", "signature", image, TRUE);
    g_autoptr(GError) error = NULL;
    g_autoptr(UkiView) view = uki_view_new(image, &error);
    if (!view) {
        inspect_node_set_error(inspect_node_add(node, "sections", "sections"), error);
        return;
    }
    check_sections(node, view->pe);
    check_kernel(context, node, view);
    PcrMeasurer *measurers[N_PCR_BANKS] = {NULL};
    for (guint i = 0; i < view->profiles->len; i++)
        check_profile(context, node, view->pe, view->profiles->pdata[i], measurers);
    for (guint i = 0; i < N_PCR_BANKS; i++)
        pcr_measurer_free(measurers[i]);
}
