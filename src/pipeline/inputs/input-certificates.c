/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pipeline/inputs/input-certificates.h"

#include "crypto/certificates/certificate.h"
#include "pipeline/inputs/input-set-private.h"

static void add_certificate(const InputSet *set, Value *map, gboolean used, const char *setting,
        const RecipeKeySource *source, const char *locator) {
    g_autoptr(Certificate) certificate = NULL;
    g_autofree char *elsewhere = NULL;

    if (!used || !locator)
        return;
    if (source->type == KEY_SOURCE_FILE && (certificate = certificate_load(locator, NULL)))
        input_set_string(map, setting, certificate_get_fingerprint(certificate));
    else {
        /* In a token, or not there yet. */
        elsewhere = source->type == KEY_SOURCE_FILE ? input_set_name(set, locator) : g_strdup(locator);
        input_set_string(map, setting, elsewhere);
    }
}

Value *input_certificates(const InputSet *set, const ImageConfig *config) {
    Value *map = value_new_map();

    add_certificate(set, map, config->secure_boot, "SecureBootCertificate", &config->secure_boot_certificate_source,
            config->secure_boot_certificate);
    add_certificate(set, map, config->verity != VERITY_DISABLED && config->verity != VERITY_HASH, "VerityCertificate",
            &config->verity_certificate_source, config->verity_certificate);
    add_certificate(set, map, config->sign_expected_pcr != FEATURE_DISABLED, "SignExpectedPcrCertificate",
            &config->sign_expected_pcr_certificate_source, config->sign_expected_pcr_certificate);
    add_certificate(set, map, config->sign != SIGN_NO && config->openpgp_tool, "OpenPGPCertificate",
            &config->openpgp_certificate_source, config->openpgp_certificate);
    return map;
}
