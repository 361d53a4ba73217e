/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pipeline/integrity/manifest-signer.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "crypto/certificates/certificate.h"
#include "crypto/keys/key-session.h"
#include "format/openpgp/openpgp.h"
#include "pipeline/keys/key-certificate.h"
#include "pipeline/state/output-conflicts.h"
#include "pipeline/state/output-names.h"

#define TOOL "builtin"
#define READ_SIZE (64 << 10)
/* The name that systemd-sysupdate and systemd-importd give it. */
#define KEYRING_SUFFIX ".import-pubring.gpg"

/* Puts in front of *ERROR where SETTING was made. */
static void prefix(const ImageConfig *config, const char *setting, GError **error) {
    const char *origin = recipe_setting_origin(config, setting);
    g_prefix_error(error, "%s%s%s=: ", origin ? origin : "", origin ? ": " : "", setting);
}

static KeyPlace key_place(const ImageConfig *config) {
    return (KeyPlace) {&config->openpgp_key_source, config->openpgp_key};
}

static KeyPlace certificate_place(const ImageConfig *config) {
    return (KeyPlace) {&config->openpgp_certificate_source, config->openpgp_certificate};
}

gboolean manifest_signer_check(const ImageConfig *config, GError **error) {
    if (config->key) {
        g_set_error(error, BUILD_ERROR, BUILD_ERROR_INPUT,
                "it is for gpg and other programs; OpenPGPTool=" TOOL " signs with OpenPGPKey=");
        prefix(config, "Key", error);
        return FALSE;
    }
    if (!config->openpgp_key || !key_certificate_is_known(certificate_place(config), key_place(config))) {
        g_set_error(error, BUILD_ERROR, BUILD_ERROR_INPUT,
                "OpenPGPTool=" TOOL " needs OpenPGPKey= and OpenPGPCertificate=: run \"particleos genkey "
                "--genkey-openpgp\" to make mkosi.openpgp.key and mkosi.openpgp.crt in the recipe's directory");
        prefix(config, "Sign", error);
        return FALSE;
    }
    return TRUE;
}

/* What the times of signatures are made of: SourceDateEpoch=, or else nothing but the key. */
static gint64 signature_time(const ImageConfig *config, const OpenpgpKey *key) {
    return MAX(config->source_date_epoch, openpgp_key_get_created(key));
}

static char *format_time(gint64 seconds) {
    g_autoptr(GDateTime) time = g_date_time_new_from_unix_utc(seconds);
    return time ? g_date_time_format_iso8601(time) : g_strdup("out of any calendar");
}

/* The beginning of a certificate is when its OpenPGP key was made, and a signature is not older than its key. */
static gboolean check_dates(const ImageConfig *config, const Certificate *certificate, GError **error) {
    gint64 now = g_get_real_time() / G_USEC_PER_SEC, from, until;
    gint64 when = config->source_date_epoch >= 0 ? config->source_date_epoch : now;

    if (!certificate_get_validity(certificate, &from, &until, error))
        return FALSE;
    if (when <= until && from <= now)
        return TRUE;
    g_autofree char *text = format_time(when > until ? until : from);
    g_set_error(error, BUILD_ERROR, BUILD_ERROR_INPUT,
            when > until ? "the certificate of %s has expired (%s); make another one for the same key, with the same name "
                           "and beginning, so that devices still know it"
                         : "the certificate of %s begins in the future (%s): devices refuse signatures by a key that has "
                           "not been made yet",
            certificate_get_subject(certificate), text);
    return FALSE;
}

static OpenpgpKey *load(KeySession *session, const ImageConfig *config, GError **error) {
    const RecipeKeySource *where = &config->openpgp_key_source;
    g_autoptr(KeySource) source =
            key_session_open(session, (KeySourceKind) where->type, where->source, config->openpgp_key, error);
    g_autoptr(Certificate) certificate = NULL;
    OpenpgpKey *key = NULL;

    if (!source) {
        prefix(config, "OpenPGPKey", error);
        return NULL;
    }
    certificate = key_certificate_open(session, certificate_place(config), key_place(config), source, error);
    if (!certificate ||
            !check_dates(config, certificate, error) ||
            !(key = openpgp_key_new_for_certificate(source, certificate, error)))
        prefix(config, "OpenPGPCertificate", error);
    return key;
}

/* Of the key that signs elsewhere. */
static gboolean load_certificate(Build *build, const ImageConfig *config, GError **error) {
    g_autoptr(Certificate) certificate = certificate_load(config->openpgp_certificate, error);

    if (certificate && check_dates(config, certificate, error)) {
        build->manifest_certificate_elsewhere = g_steal_pointer(&certificate);
        return TRUE;
    }
    prefix(config, "OpenPGPCertificate", error);
    return FALSE;
}

/* Whether the manifest of CONFIG is signed elsewhere. */
static gboolean is_signed_elsewhere(const ImageConfig *config) {
    return config->sign == SIGN_OFFLINE && config->checksum && config->openpgp_certificate &&
           g_str_equal(config->openpgp_tool, TOOL);
}

gboolean manifest_signer_load(Build *build, GError **error) {
    for (guint i = 0; i < build->images->len; i++) {
        const ImageConfig *config = ((ImageBuild *) build->images->pdata[i])->config;
        if (!build->manifest_certificate_elsewhere && is_signed_elsewhere(config) &&
                !load_certificate(build, config, error))
            return FALSE;
        if (!build->manifest_key && outputs_have_keyring(config) &&
                (!manifest_signer_check(config, error) || !(build->manifest_key = load(build->key_session, config, error))))
            return FALSE;
    }
    return TRUE;
}

/* Adds what the file PATH holds. */
static gboolean add_file(OpenpgpSignature *signature, const char *path, GError **error) {
    g_autofree guint8 *buffer = g_malloc(READ_SIZE);
    AUTO_FD fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = -1;

    while (fd >= 0 && (n = read(fd, buffer, READ_SIZE)) != 0 && (n > 0 || errno == EINTR))
        if (n > 0)
            openpgp_signature_update(signature, buffer, n);
    if (n == 0)
        return TRUE;
    g_set_error(error, G_FILE_ERROR, g_file_error_from_errno(errno), "Cannot read %s: %s", path,
            g_strerror(errno));
    return FALSE;
}

static gboolean write_packets(const char *path, GBytes *packets, GError **error) {
    gsize size;
    const char *data = g_bytes_get_data(packets, &size);
    return g_file_set_contents_full(path, data, size, G_FILE_SET_CONTENTS_NONE, 0644, error);
}

gboolean manifest_signer_sign(ImageBuild *image, const char *sums, const char *signature, GError **error) {
    const OpenpgpKey *key = image->build->manifest_key;
    g_autofree char *ring_name = g_strconcat(image->config->output, KEYRING_SUFFIX, NULL);
    g_autofree char *ring_path = g_build_filename(image->places.staging, ring_name, NULL);
    g_autoptr(GBytes) ring = openpgp_key_export(key, error);
    g_autoptr(OpenpgpSignature) made = openpgp_signature_new(key);
    g_autoptr(GBytes) packet = NULL;

    return ring && outputs_check_free(image, ring_name, error) && add_file(made, sums, error) &&
           (packet = openpgp_signature_finish(made, signature_time(image->config, key), error)) &&
           write_packets(signature, packet, error) && write_packets(ring_path, ring, error);
}
