/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "build/key-limits.h"

#include "build/boot-rules.h"
#include "build/build.h"
#include "ui/log.h"

typedef struct {
    const char *setting; /* names the certificate */
    const char *path;
    const RecipeKeySource *source;
    const char *readers;        /* who checks the signatures */
    guint least_bits, most_bits; /* of RSA, that all of them know */
    gboolean elliptic;          /* they know keys on elliptic curves, too */
} Use;

static gboolean check_use(const ImageConfig *config, const Use *use, GError **error) {
    const char *origin = recipe_setting_origin(config, use->setting);
    g_autoptr(Certificate) certificate = NULL;
    guint bits;

    /* Whatever else is wrong with it is said by those who use it. */
    if (!use->path || use->source->type != KEY_SOURCE_FILE || !(certificate = certificate_load(use->path, NULL)))
        return TRUE;
    const char *type = certificate_get_key_type(certificate, &bits);
    gboolean rsa = g_str_equal(type, "RSA"), elliptic = g_str_equal(type, "EC");
    if (!rsa && !elliptic) {
        g_set_error(error, BUILD_ERROR, BUILD_ERROR_INPUT,
                "%s%s%s=%s: a key of the type %s cannot sign what %s: take RSA with %u bits (\"particleos genkey\")",
                origin ? origin : "", origin ? ": " : "", use->setting, use->path, *type ? type : "unknown",
                use->readers, use->least_bits);
        return FALSE;
    }
    if (rsa ? bits < use->least_bits || bits > use->most_bits : !use->elliptic)
        ui_warning_once("%s%s%s=%s: not everything that %s knows keys of the type %s with %u bits; RSA with %u bits is "
                        "known everywhere",
                origin ? origin : "", origin ? ": " : "", use->setting, use->path, use->readers, type, bits,
                use->least_bits);
    return TRUE;
}

static gboolean signs_pcrs(const ImageConfig *config) {
    return config->sign_expected_pcr == FEATURE_ENABLED ||
           (config->sign_expected_pcr == FEATURE_AUTO && config->sign_expected_pcr_key);
}

gboolean key_limits_check(const ImageConfig *config, GError **error) {
    /* Whether an image is booted that does not say so is known when its packages are there. */
    gboolean booted = boot_format_is_tree_uki(config->format) ||
                      (config->bootable == FEATURE_ENABLED && boot_wants_efi(config));
    const Use secure_boot = {"SecureBootCertificate", config->secure_boot_certificate,
            &config->secure_boot_certificate_source, "firmware checks with Secure Boot", 2048, 4096, FALSE};
    const Use pcrs = {"SignExpectedPcrCertificate", config->sign_expected_pcr_certificate,
            &config->sign_expected_pcr_certificate_source, "a TPM checks", 2048, 2048, TRUE};
    const Use verity = {"VerityCertificate", config->verity_certificate, &config->verity_certificate_source,
            "the kernel checks", 2048, 4096, TRUE};

    return (!booted || !config->secure_boot || check_use(config, &secure_boot, error)) &&
           (!booted || !signs_pcrs(config) || check_use(config, &pcrs, error)) &&
           (config->verity != VERITY_SIGNED || check_use(config, &verity, error));
}
