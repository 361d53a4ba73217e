/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pipeline/boot/uki-image.h"

#include <stdlib.h>
#include <string.h>

#include "crypto/certificates/certificate.h"
#include "crypto/keys/key-session.h"
#include "format/efi/pe/pe.h"
#include "format/efi/uki/pcr.h"
#include "format/efi/uki/uki.h"
#include "pipeline/boot/boot.h"
#include "pipeline/boot/devicetree.h"
#include "pipeline/boot/microcode.h"
#include "pipeline/integrity/offline.h"
#include "pipeline/keys/key-certificate.h"
#include "pipeline/state/staged-files.h"
#include "text/version.h"

/* Stubs from this version on load microcode from a section of its own. */
#define STUB_WITH_UCODE 256

/* systemd looks for a policy of the initrd from its release candidates of this version on, and then fails
 * without one: what systemd-tpm2-setup seals early may not be opened by the system that follows. */
#define SYSTEMD_WITH_INITRD_POLICY "262~"

static char *profile_text(char *const *fields) {
    g_autoptr(GPtrArray) keys = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GPtrArray) values = g_ptr_array_new_with_free_func(g_free);

    for (char *const *field = fields; *field; field++) {
        g_auto(GStrv) pair = g_strsplit(*field, "=", 2);
        g_ptr_array_add(keys, g_strdup(pair[0]));
        g_ptr_array_add(values, g_strdup(pair[1] ? pair[1] : ""));
    }
    return uki_profile_text(
            (const char *const *) keys->pdata, (const char *const *) values->pdata, keys->len);
}

static void uki_profile_free(gpointer data) {
    UkiProfile *profile = data;
    g_free((char *) profile->profile);
    g_free((char *) profile->cmdline);
    g_free(profile);
}

static gboolean has_field(char *const *fields, const char *prefix) {
    for (char *const *field = fields; *field; field++)
        if (g_str_has_prefix(*field, prefix))
            return TRUE;
    return FALSE;
}

static GPtrArray *collect_profiles(ImageBuild *image, const char *cmdline, GError **error) {
    g_autoptr(GPtrArray) profiles = g_ptr_array_new_with_free_func(uki_profile_free);

    for (RecipeUkiProfile **from = image->config->unified_kernel_image_profiles; *from; from++) {
        UkiProfile *profile;
        g_autofree char *extra = g_strjoinv(" ", (*from)->cmdline);

        if (!has_field((*from)->profile, "ID=")) {
            g_set_error(error, BUILD_ERROR, BUILD_ERROR_INPUT,
                    "UnifiedKernelImageProfiles=: a profile has no ID; add \"Profile=ID=...\" to its file");
            return NULL;
        }
        profile = g_new0(UkiProfile, 1);
        profile->profile = profile_text((*from)->profile);
        profile->cmdline = g_strconcat(cmdline, *extra && *cmdline ? " " : "", extra, NULL);
        profile->sign_expected_pcr = (*from)->sign_expected_pcr;
        g_ptr_array_add(profiles, profile);
    }
    return g_steal_pointer(&profiles);
}

static gboolean signs_expected_pcrs(const ImageBuild *image) {
    const ImageConfig *config = image->config;

    if (config->sign_expected_pcr != FEATURE_AUTO)
        return config->sign_expected_pcr == FEATURE_ENABLED;
    return (config->sign_expected_pcr_key || offline_is_wanted(image->build)) && config->sign_expected_pcr_certificate;
}

static KeySource *pcr_key(ImageBuild *image, GError **error) {
    const ImageConfig *config = image->config;
    KeySource *key;

    if (offline_is_wanted(image->build))
        return offline_check_format(image, error)
                       ? offline_open_key(image->build, config->sign_expected_pcr_certificate, error)
                       : NULL;
    if (!config->sign_expected_pcr_key) {
        g_set_error(error, BUILD_ERROR, BUILD_ERROR_INPUT,
                "SignExpectedPcr=yes, but there is no SignExpectedPcrKey=: run \"particleos genkey\" to "
                "make one");
        return NULL;
    }
    key = key_session_open(image->build->key_session, (KeySourceKind) config->sign_expected_pcr_key_source.type,
            config->sign_expected_pcr_key_source.source, config->sign_expected_pcr_key, error);
    if (!key)
        g_prefix_error(error, "SignExpectedPcrKey=: ");
    return key;
}

/* Signs beside the other while devices change over; NULL without an error: there is none. */
static gboolean load_former_key(ImageBuild *image, KeySource **ret_key, GError **error) {
    const ImageConfig *config = image->config;
    const RecipeKeySource *source = &config->sign_expected_pcr_former_key_source;

    if (!config->sign_expected_pcr_former_key)
        return TRUE;
    *ret_key = key_session_open(image->build->key_session, (KeySourceKind) source->type, source->source,
            config->sign_expected_pcr_former_key, error);
    if (!*ret_key)
        g_prefix_error(error, "SignExpectedPcrFormerKey=: ");
    return *ret_key != NULL;
}

GBytes *uki_sign_kernel(ImageBuild *image, GBytes *kernel, GError **error) {
    return boot_sign(image, kernel, AUTHENTICODE_APPEND, error);
}

/* Elements GBytes, borrowed. */
static GPtrArray *devicetree_contents(const GPtrArray *devicetrees) {
    GPtrArray *contents = g_ptr_array_new();

    for (guint i = 0; devicetrees && i < devicetrees->len; i++)
        g_ptr_array_add(contents, ((Devicetree *) devicetrees->pdata[i])->content);
    return contents;
}

static int stub_version(ImageBuild *image) {
    g_autofree char *version = uki_stub_version(image->boot.stub);
    return version ? atoi(version) : 0;
}

static gboolean stub_loads_microcode(ImageBuild *image) {
    return stub_version(image) >= STUB_WITH_UCODE;
}

static gboolean stub_loads_unsigned_kernels(ImageBuild *image) {
    g_autofree char *version = uki_stub_version(image->boot.stub);
    return version &&
           uki_stub_starts_unsigned_kernel(version, image->config->architecture == ARCHITECTURE_X86_64);
}

gboolean uki_wants_initrd_policy(Feature setting, const char *stub_version) {
    if (setting != FEATURE_AUTO)
        return setting == FEATURE_ENABLED;
    return stub_version && version_compare(stub_version, SYSTEMD_WITH_INITRD_POLICY) >= 0;
}

static gboolean signs_initrd_policy(ImageBuild *image) {
    g_autofree char *version = uki_stub_version(image->boot.stub);
    return uki_wants_initrd_policy(image->config->sign_initrd_pcrs, version);
}

/* A kernel with a signature of its own could be taken out of the UKI, and the boot loader would start it
 * with any command line and initrd. */
static GBytes *embedded_kernel(ImageBuild *image, GBytes *kernel, GError **error) {
    if (image->config->secure_boot && offline_is_wanted(image->build) && !stub_loads_unsigned_kernels(image)) {
        offline_refuse(image->build, error,
                "this image's systemd-stub starts only kernels with a signature of their own, inside of the UKI, where it "
                "cannot be put later; take systemd 257 or later (on PCs; 262 elsewhere), or build with keys");
        return NULL;
    }
    return stub_loads_unsigned_kernels(image) ? g_bytes_ref(kernel) : uki_sign_kernel(image, kernel, error);
}

/* Microcode for stubs that know it, and all initrds; else microcode as the first initrds. */
static gboolean split_microcode(
        ImageBuild *image, GPtrArray *initrds, GPtrArray **ret_initrds, GBytes **ret_ucode, GError **error) {
    g_autoptr(GPtrArray) microcode = microcode_get(image, NULL, error);
    g_autoptr(GPtrArray) all = g_ptr_array_new_with_free_func((GDestroyNotify) g_bytes_unref);
    gboolean own_section = stub_loads_microcode(image);

    if (!microcode)
        return FALSE;
    for (guint i = 0; !own_section && i < microcode->len; i++)
        g_ptr_array_add(all, g_bytes_ref(microcode->pdata[i]));
    for (guint i = 0; initrds && i < initrds->len; i++)
        g_ptr_array_add(all, g_bytes_ref(initrds->pdata[i]));
    *ret_initrds = g_steal_pointer(&all);
    *ret_ucode = own_section && microcode->len > 0 ? uki_join_initrds(microcode) : NULL;
    return TRUE;
}

/* Without a key, but with its certificate, policies are predicted for a signature that is made elsewhere. */
static gboolean load_pcr_key(
        ImageBuild *image, KeySource **ret_key, GBytes **ret_public_key, GError **error) {
    const char *path = image->config->sign_expected_pcr_certificate;

    if (signs_expected_pcrs(image))
        return (*ret_key = pcr_key(image, error)) != NULL;
    if (!(image->config->split_artifacts & ARTIFACT_PCRS))
        return TRUE;
    if (!path) {
        g_set_error(error, BUILD_ERROR, BUILD_ERROR_INPUT,
                "SplitArtifacts=pcrs needs SignExpectedPcrCertificate=, or SignExpectedPcr=yes with a key");
        return FALSE;
    }
    g_autoptr(Certificate) certificate = key_certificate_open(image->build->key_session,
            (KeyPlace) {&image->config->sign_expected_pcr_certificate_source, path},
            (KeyPlace) {&image->config->sign_expected_pcr_key_source, image->config->sign_expected_pcr_key}, NULL,
            error);
    if (certificate)
        *ret_public_key = certificate_get_public_key_pem(certificate, error);
    if (!*ret_public_key)
        g_prefix_error(error, "SignExpectedPcrCertificate=: ");
    return *ret_public_key != NULL;
}

static char *bytes_to_text(GBytes *bytes) {
    return bytes ? g_strndup(g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes)) : NULL;
}

GBytes *uki_assemble(ImageBuild *image, const UkiParts *parts, GPtrArray **ret_policies, GError **error) {
    g_autoptr(GPtrArray) profiles = collect_profiles(image, parts->cmdline, error);
    g_autoptr(GBytes) kernel = profiles ? embedded_kernel(image, parts->kernel, error) : NULL;
    g_autoptr(GPtrArray) dtbs = devicetree_contents(parts->devicetrees);
    g_autoptr(GPtrArray) initrds = NULL;
    g_autoptr(GBytes) ucode = NULL;
    g_autoptr(GBytes) public_key = NULL;
    g_autoptr(KeySource) key = NULL;
    g_autoptr(KeySource) former_key = NULL;
    g_autofree char *os_release = bytes_to_text(image->os_release);

    if (!kernel || !load_pcr_key(image, &key, &public_key, error) ||
            (key && !load_former_key(image, &former_key, error)) ||
            !split_microcode(image, parts->initrds, &initrds, &ucode, error))
        return NULL;
    UkiSpec spec = {
            .stub = image->boot.stub,
            .linux_image = kernel,
            .initrds = initrds,
            .cmdline = parts->cmdline,
            .os_release = os_release,
            .uname = parts->version,
            .splash = image->boot.splash,
            .ucode = ucode,
            .dtb = dtbs->len == 1 ? dtbs->pdata[0] : NULL,
            .dtbauto = dtbs->len > 1 ? dtbs : NULL,
            .profiles = profiles,
            .pcr_key = key,
            .pcr_public_key = public_key,
            .pcr_former_key = former_key,
            .pcr_reserve = public_key != NULL,
            .base_sign_expected_pcr = TRUE,
            .pcr = {.initrd_policy = signs_initrd_policy(image), .config_policies = image->config->sign_expected_pcr12},
    };
    g_autoptr(GBytes) uki = uki_build(&spec, ret_policies, error);
    return uki ? boot_sign(image, uki, AUTHENTICODE_REPLACE, error) : NULL;
}

static gboolean write_section(
        ImageBuild *image, const PeImage *pe, const char *name, const char *suffix, GError **error) {
    const PeSection *section = pe_image_find_section(pe, name);
    g_autoptr(GBytes) content = section ? pe_image_get_bytes(pe, section) : NULL;

    return !content || staged_file_write_suffix(image, suffix, content, error);
}

gboolean uki_write_artifacts(ImageBuild *image, GBytes *uki, GPtrArray *policies, GError **error) {
    ArtifactFlags wanted = image->config->split_artifacts;
    g_autoptr(PeImage) pe = pe_image_new(uki, error);

    if (!pe || ((wanted & ARTIFACT_KERNEL) && !write_section(image, pe, ".linux", ".vmlinuz", error)) ||
            ((wanted & ARTIFACT_INITRD) && !write_section(image, pe, ".initrd", ".initrd", error)))
        return FALSE;
    if (!(wanted & ARTIFACT_PCRS) || !policies)
        return TRUE;
    g_autofree char *json = pcr_policies_to_json(policies);
    g_autoptr(GBytes) bytes = g_bytes_new(json, strlen(json));
    return staged_file_write_suffix(image, ".pcrs", bytes, error);
}
