/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pipeline/keys/key-limits.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <string.h>

#include "crypto/certificates/certificate.h"
#include "crypto/sources/error.h"
#include "crypto/sources/key-source.h"
#include "events/events.h"
#include "pipeline/state/boot-rules.h"
#include "pipeline/state/image-build.h"

#define LEAST_BITS 2048
#define MOST_BITS 4096

/* Who checks signatures, and what they know. */
typedef struct {
    const char *readers;
    const char *known;          /* for people */
    guint common_bits;          /* of RSA, that all of them know */
    gboolean whole_kilobits;    /* of RSA only 2048, 3072 and 4096 */
    const char *curves;         /* that some of them know, as OpenSSL calls them */
    gboolean curves_are_common; /* all know them */
} Consumer;

static const Consumer firmware = {"firmware checks with Secure Boot", "RSA with 2048 to 4096 bits", MOST_BITS, FALSE,
        " prime256v1 secp384r1 ", FALSE};
static const Consumer kernel = {"the kernel checks", "RSA with 2048, 3072 or 4096 bits, or EC on P-256 or P-384", MOST_BITS,
        TRUE, " prime256v1 secp384r1 ", TRUE};
/* systemd hands signatures of policies to the TPM as RSA ones, whatever they are. */
static const Consumer tpm = {"systemd has a TPM check", "RSA with 2048 bits", LEAST_BITS, FALSE, " ", FALSE};

typedef struct {
    const ImageConfig *config;
    const char *setting; /* names the certificate, or the key where there is none */
    const char *shown;   /* its value */
    const Consumer *consumer;
} Use;

/* Where the setting was made, in front of a message. */
static char *describe(const Use *use) {
    const char *origin = recipe_setting_origin(use->config, use->setting);
    return g_strdup_printf("%s%s%s=%s", origin ? origin : "", origin ? ": " : "", use->setting, use->shown);
}

typedef enum { KNOWN, KNOWN_BY_SOME, UNKNOWN } Verdict;

static Verdict judge_rsa(const Consumer *consumer, guint bits) {
    if (bits < LEAST_BITS || bits > MOST_BITS || (consumer->whole_kilobits && bits % 1024 != 0))
        return UNKNOWN;
    return bits <= consumer->common_bits ? KNOWN : KNOWN_BY_SOME;
}

static Verdict judge_curve(const Consumer *consumer, const char *curve) {
    g_autofree char *word = g_strdup_printf(" %s ", curve);
    if (!*curve || !strstr(consumer->curves, word))
        return UNKNOWN;
    return consumer->curves_are_common ? KNOWN : KNOWN_BY_SOME;
}

static gboolean check_algorithm(const Use *use, const EVP_PKEY *key, GError **error) {
    const Consumer *consumer = use->consumer;
    const char *type = key ? EVP_PKEY_get0_type_name(key) : NULL;
    guint bits = key ? MAX(EVP_PKEY_get_bits(key), 0) : 0;
    char curve[64] = "";

    if (key && EVP_PKEY_is_a(key, "EC"))
        (void) EVP_PKEY_get_group_name(key, curve, sizeof curve, NULL);
    ERR_clear_error();
    Verdict verdict = !type                          ? UNKNOWN
                      : g_str_equal(type, "RSA")     ? judge_rsa(consumer, bits)
                      : g_str_equal(type, "EC")      ? judge_curve(consumer, curve)
                                                     : UNKNOWN;
    if (verdict == KNOWN)
        return TRUE;
    g_autofree char *what = describe(use);
    g_autofree char *kind = g_strdup_printf("%s%s%s", type && *type ? type : "unknown", *curve ? " on " : "", curve);
    if (verdict == UNKNOWN)
        g_set_error(error, BUILD_ERROR, BUILD_ERROR_INPUT,
                "%s: a key of the type %s with %u bits cannot sign what %s: take %s (\"particleos genkey\" makes RSA with "
                "2048)",
                what, kind, bits, consumer->readers, consumer->known);
    else
        events_warning_once("%s: not everything that %s knows keys of the type %s with %u bits; RSA with %u bits is known "
                        "everywhere",
                what, consumer->readers, kind, bits, LEAST_BITS);
    return verdict != UNKNOWN;
}

/* Neither firmware nor kernel looks at the dates of a certificate, but people and other programs do: whoever signs with one
 * that has expired should know it before devices carry it. A beginning in the future is most often a clock that is behind. */
static gboolean check_dates(const Use *use, const Certificate *certificate, GError **error) {
    gint64 now = g_get_real_time() / G_USEC_PER_SEC, from, until;
    gint64 when = use->config->source_date_epoch >= 0 ? use->config->source_date_epoch : now;

    if (!certificate_get_validity(certificate, &from, &until, NULL) || (when <= until && from <= now))
        return TRUE;
    g_autoptr(GDateTime) time = g_date_time_new_from_unix_utc(when > until ? until : from);
    g_autofree char *text = time ? g_date_time_format_iso8601(time) : g_strdup("out of any calendar");
    g_autofree char *what = describe(use);
    const char *subject = certificate_get_subject(certificate);
    if (when > until) {
        g_set_error(error, BUILD_ERROR, BUILD_ERROR_INPUT,
                "%s: the certificate of %s has expired (%s): use one that is valid. For devices that trust this one and no "
                "other yet, SourceDateEpoch= with an earlier time builds all the same",
                what, subject, text);
        return FALSE;
    }
    events_warning_once("%s: the certificate of %s is not yet valid (%s); nothing that %s looks at dates, but people and "
                        "other programs do",
            what, subject, text, use->consumer->readers);
    return TRUE;
}

/* The certificate that is named, or that lies beside a key in a token. */
static Certificate *open_certificate(KeySession *session, KeyPlace certificate, KeyPlace key, GError **error) {
    g_autoptr(KeySource) opened = NULL;

    if (!certificate.locator && !(opened = key_session_open(session, (KeySourceKind) key.source->type,
                                          key.source->source, key.locator, error)))
        return NULL;
    return key_certificate_open(session, certificate, key, opened, error);
}

/* A file that is missing, or is none, is for those who use it. A PIN or passphrase that was wrong must not be tried again
 * by them. */
static gboolean may_wait(KeyPlace certificate, const GError *problem) {
    return certificate.locator && certificate.source->type == KEY_SOURCE_FILE &&
           !g_error_matches(problem, CRYPTO_ERROR, CRYPTO_ERROR_PERMISSION);
}

static gboolean check_use(KeySession *session, const Use *use, KeyPlace place, KeyPlace key, GError **error) {
    g_autoptr(GError) problem = NULL;
    Use named = *use;

    if (!key_certificate_is_known(place, key))
        return TRUE;
    g_autoptr(Certificate) certificate = open_certificate(session, place, key, &problem);
    if (!certificate && may_wait(place, problem))
        return TRUE;
    if (!certificate) {
        g_propagate_prefixed_error(error, g_steal_pointer(&problem), "%s=: ", use->setting);
        return FALSE;
    }
    named.shown = place.locator ? place.locator : "";
    if (!check_algorithm(&named, X509_get0_pubkey(certificate_peek(certificate)), error))
        return FALSE;
    return use->consumer == &tpm || check_dates(&named, certificate, error);
}

/* Whether an image is booted that does not say so is known when its packages are there. */
static gboolean is_booted(const ImageConfig *config) {
    return boot_format_is_tree_uki(config->format) || (config->bootable == FEATURE_ENABLED && boot_wants_efi(config));
}

gboolean key_limits_signs_pcrs(const ImageConfig *config) {
    return is_booted(config) && (config->sign_expected_pcr == FEATURE_ENABLED ||
                                        (config->sign_expected_pcr == FEATURE_AUTO && config->sign_expected_pcr_key));
}

gboolean key_limits_check(KeySession *session, const ImageConfig *config, GError **error) {
    const Use secure_boot = {config, "SecureBootCertificate", NULL, &firmware};
    const Use pcrs = {config, "SignExpectedPcrCertificate", NULL, &tpm};
    const Use verity = {config, "VerityCertificate", NULL, &kernel};
    const KeyPlace secure_boot_key = {&config->secure_boot_key_source, config->secure_boot_key};
    const KeyPlace pcr_key = {&config->sign_expected_pcr_key_source, config->sign_expected_pcr_key};
    const KeyPlace verity_key = {&config->verity_key_source, config->verity_key};
    const KeyPlace secure_boot_certificate = {&config->secure_boot_certificate_source, config->secure_boot_certificate};
    const KeyPlace pcr_certificate = {
            &config->sign_expected_pcr_certificate_source, config->sign_expected_pcr_certificate};
    const KeyPlace verity_certificate = {&config->verity_certificate_source, config->verity_certificate};

    return (!config->secure_boot || !is_booted(config) ||
                   check_use(session, &secure_boot, secure_boot_certificate, secure_boot_key, error)) &&
           (!key_limits_signs_pcrs(config) || !pcr_certificate.locator ||
                   check_use(session, &pcrs, pcr_certificate, pcr_key, error)) &&
           (config->verity != VERITY_SIGNED ||
                   check_use(session, &verity, verity_certificate, verity_key, error));
}

/* A certificate that only lies there by its usual name is no promise. */
static gboolean is_named(const ImageConfig *config, const char *setting) {
    const char *origin = recipe_setting_origin(config, setting);
    return origin && (strchr(origin, ':') || g_str_has_prefix(origin, "--"));
}

gboolean key_limits_check_pcr_key(
        KeySession *session, const ImageConfig *config, const KeySource *key, GError **error) {
    const KeyPlace place = {&config->sign_expected_pcr_certificate_source, config->sign_expected_pcr_certificate};
    const KeyPlace key_place = {&config->sign_expected_pcr_key_source, config->sign_expected_pcr_key};
    const Use use = {config, "SignExpectedPcrKey", config->sign_expected_pcr_key, &tpm};

    if (!check_algorithm(&use, key_source_peek(key), error))
        return FALSE;
    if (!place.locator || !is_named(config, "SignExpectedPcrCertificate"))
        return TRUE;
    g_autoptr(Certificate) certificate = key_certificate_open(session, place, key_place, key, error);
    if (certificate && certificate_check_key(certificate, key, error))
        return TRUE;
    g_prefix_error(error, "SignExpectedPcrCertificate=: ");
    return FALSE;
}
