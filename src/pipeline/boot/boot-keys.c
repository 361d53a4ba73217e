/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pipeline/boot/boot-keys.h"

#include "crypto/certificates/certificate.h"
#include "crypto/keys/key-session.h"
#include "events/events.h"
#include "pipeline/integrity/offline.h"
#include "pipeline/keys/key-certificate.h"
#include "pipeline/keys/key-limits.h"
#include "pipeline/state/boot-rules.h"
#include "tree/tree.h"

static KeySource *load_key(
        KeySession *session, const char *what, const RecipeKeySource *source, const char *locator, GError **error) {
    KeySource *key = key_session_open(session, (KeySourceKind) source->type, source->source, locator, error);

    if (!key)
        g_prefix_error(error, "%s=: ", what);
    return key;
}

/* Settings that belong together: "SecureBoot" of SecureBootKey= and SecureBootCertificate=. */
typedef struct {
    const char *purpose;
    KeyPlace key, certificate;
} Pair;

static gboolean load_pair(
        KeySession *session, const Pair *pair, KeySource **ret_key, Certificate **ret_certificate, GError **error) {
    g_autofree char *key_setting = g_strconcat(pair->purpose, "Key", NULL);

    if (!pair->key.locator || !key_certificate_is_known(pair->certificate, pair->key)) {
        g_set_error(error, BUILD_ERROR, BUILD_ERROR_INPUT,
                "The recipe signs, but there is no %sKey= and %sCertificate=: run \"particleos genkey\" to "
                "make "
                "mkosi.key and mkosi.crt in the recipe's directory",
                pair->purpose, pair->purpose);
        return FALSE;
    }
    if (!(*ret_key = load_key(session, key_setting, pair->key.source, pair->key.locator, error)))
        return FALSE;
    *ret_certificate = key_certificate_open(session, pair->certificate, pair->key, *ret_key, error);
    if (!*ret_certificate || !certificate_check_key(*ret_certificate, *ret_key, error)) {
        g_prefix_error(error, "%sCertificate=: ", pair->purpose);
        return FALSE;
    }
    return TRUE;
}

static gboolean load_verity_keys(Build *build, const ImageConfig *config, GError **error) {
    gboolean needed = config->verity == VERITY_SIGNED &&
                      (config->format == OUTPUT_FORMAT_DISK ||
                              (boot_format_is_attached(config->format) && config->format != OUTPUT_FORMAT_ADDON));
    gboolean possible = config->verity == VERITY_AUTO && config->verity_key && config->verity_certificate;

    if (build->verity_key)
        return TRUE;
    if (offline_verity_is_wanted(build, config))
        return offline_load_pair(build, "VerityCertificate", config->verity_certificate, &build->verity_key,
                &build->verity_certificate, error);
    if (!(needed || possible))
        return TRUE;
    const Pair pair = {"Verity", {&config->verity_key_source, config->verity_key},
            {&config->verity_certificate_source, config->verity_certificate}};
    return load_pair(build->key_session, &pair, &build->verity_key, &build->verity_certificate, error);
}

static gboolean offline_load_pcr_certificate(Build *build, const ImageConfig *config, GError **error) {
    g_autoptr(KeySource) key = NULL;
    g_autoptr(Certificate) certificate = NULL;

    return config->sign_expected_pcr == FEATURE_DISABLED ||
           (config->sign_expected_pcr == FEATURE_AUTO && !config->sign_expected_pcr_certificate) ||
           offline_load_pair(build, "SignExpectedPcrCertificate", config->sign_expected_pcr_certificate, &key,
                   &certificate, error);
}

static gboolean load_secure_boot_keys(Build *build, const ImageConfig *config, GError **error) {
    if (!config->secure_boot || build->secure_boot_key)
        return TRUE;
    if (offline_is_wanted(build))
        return offline_load_pair(build, "SecureBootCertificate", config->secure_boot_certificate,
                &build->secure_boot_key, &build->secure_boot_certificate, error);
    return boot_load_secure_boot_pair(
            build->key_session, config, &build->secure_boot_key, &build->secure_boot_certificate, error);
}

/* The key is used late, if at all; a token that is not there or wants a PIN says so now. */
static gboolean load_pcr_key(Build *build, const ImageConfig *config, GError **error) {
    const RecipeKeySource *source = &config->sign_expected_pcr_key_source;

    if (offline_is_wanted(build))
        return offline_load_pcr_certificate(build, config, error);
    if (!config->sign_expected_pcr_key || config->sign_expected_pcr == FEATURE_DISABLED ||
            (source->type == KEY_SOURCE_FILE && !key_limits_signs_pcrs(config)))
        return TRUE;
    g_autoptr(KeySource) key =
            load_key(build->key_session, "SignExpectedPcrKey", source, config->sign_expected_pcr_key, error);
    return key && (!key_limits_signs_pcrs(config) || key_limits_check_pcr_key(build->key_session, config, key, error));
}

/* Signs beside the other while keys change. */
static gboolean load_former_pcr_key(Build *build, const ImageConfig *config, GError **error) {
    const RecipeKeySource *source = &config->sign_expected_pcr_former_key_source;

    if (config->sign_expected_pcr_former_key && offline_is_wanted(build))
        return offline_refuse(build, error,
                "SignExpectedPcrFormerKey= names a private key, and there is no certificate to ask for its signatures with; "
                "build with keys while keys change");
    if (!config->sign_expected_pcr_former_key || config->sign_expected_pcr == FEATURE_DISABLED ||
            (source->type == KEY_SOURCE_FILE && !key_limits_signs_pcrs(config)))
        return TRUE;
    g_autoptr(KeySource) key = load_key(
            build->key_session, "SignExpectedPcrFormerKey", source, config->sign_expected_pcr_former_key, error);
    return key != NULL;
}

/* Every tool makes the same kind of signature, so none is needed. */
static void mention_sign_tool(const ImageConfig *config) {
    if (config->secure_boot && config->secure_boot_sign_tool != SECURE_BOOT_SIGN_TOOL_AUTO)
        events_debug("%s: SecureBootSignTool=%s: signed without it, with the same result", config->image,
                secure_boot_sign_tool_to_string(config->secure_boot_sign_tool));
}

gboolean boot_load_secure_boot_pair(KeySession *session, const ImageConfig *config, KeySource **ret_key,
        Certificate **ret_certificate, GError **error) {
    const Pair pair = {"SecureBoot", {&config->secure_boot_key_source, config->secure_boot_key},
            {&config->secure_boot_certificate_source, config->secure_boot_certificate}};
    return load_pair(session, &pair, ret_key, ret_certificate, error);
}

gboolean boot_load_keys(Build *build, GError **error) {
    for (guint i = 0; i < build->images->len; i++) {
        const ImageConfig *config = ((ImageBuild *) build->images->pdata[i])->config;
        mention_sign_tool(config);
        if (!key_limits_check(build->key_session, config, error))
            return FALSE;
        if (!load_verity_keys(build, config, error))
            return FALSE;
        if (!load_secure_boot_keys(build, config, error))
            return FALSE;
        if (!load_pcr_key(build, config, error) || !load_former_pcr_key(build, config, error))
            return FALSE;
    }
    return TRUE;
}
