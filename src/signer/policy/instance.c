/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "signer/policy/instance.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/errors.h"
#include "base/io.h"
#include "crypto/generate/genkey.h"
#include "signer/text/error.h"

#define NAME_FILE "name"
#define VALID_DAYS 36500
/* Digits of a fingerprint that names are made of. */
#define NAME_DIGITS 16

void signer_instance_clear(SignerInstance *instance) {
    tlog_verifier_clear(&instance->verifier);
    g_clear_pointer(&instance->log, key_source_unref);
    g_clear_pointer(&instance->log_certificate, certificate_unref);
    g_clear_pointer(&instance->provenance, key_source_unref);
    g_clear_pointer(&instance->provenance_certificate, certificate_unref);
}

/* A key and its certificate appear one after the other: a signer that was killed in between left a key that has none yet. A
 * certificate alone is of a state that was brought back, whose key is somewhere else. */
static gboolean make_pair(int fd, const char *directory, const char *purpose, KeySession *session, GError **error) {
    g_autofree char *key = g_strconcat(purpose, ".key", NULL), *certificate = g_strconcat(purpose, ".crt", NULL);
    g_autofree char *common_name = g_strdup_printf("particleos-signer %s", purpose);
    GenkeyOptions options = {.purpose = GENKEY_FOR_MANIFESTS, .common_name = common_name, .valid_days = VALID_DAYS};

    gboolean has_key = faccessat(fd, key, F_OK, 0) == 0, has_certificate = faccessat(fd, certificate, F_OK, 0) == 0;
    if (has_key && has_certificate)
        return TRUE;
    if (has_certificate)
        return signer_refuse(error, SIGNER_ERROR_FAILED,
                "%s/%s is not there, and its certificate is: bring the key back (keys import instance), since nobody would believe another one",
                directory, key);
    if (!has_key)
        return genkey_create_at(fd, key, certificate, &options, error);
    g_autofree char *path = g_build_filename(directory, key, NULL);
    g_autoptr(KeySource) source = key_session_open(session, KEY_SOURCE_KIND_FILE, NULL, path, error);
    return source && genkey_certify_at(fd, source, certificate, &options, error);
}

static gboolean open_pair(int fd, const char *directory, const char *purpose, KeySession *session, KeySource **ret_key,
        Certificate **ret_certificate, GError **error) {
    g_autofree char *key = g_strdup_printf("%s/%s.key", directory, purpose);
    g_autofree char *certificate = g_strdup_printf("%s/%s.crt", directory, purpose);

    return make_pair(fd, directory, purpose, session, error) && (*ret_certificate = certificate_load(certificate, error)) &&
           (*ret_key = key_session_open(session, KEY_SOURCE_KIND_FILE, NULL, key, error)) &&
           certificate_check_key(*ret_certificate, *ret_key, error);
}

static gboolean write_name(int fd, const char *name, GError **error) {
    AUTO_FD file = openat(fd, NAME_FILE ".new", O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);

    return (file >= 0 && write_all(file, name, strlen(name)) && fsync(file) == 0 &&
                   renameat(fd, NAME_FILE ".new", fd, NAME_FILE) == 0 && fsync(fd) == 0) ||
           set_errno_error(error, errno, "Cannot write the name of the log");
}

/* A log keeps its name for ever: it is in each checkpoint. */
static gboolean settle_name(
        int fd, const char *directory, const char *wanted, TlogVerifier *verifier, GError **error) {
    g_autofree char *path = g_build_filename(directory, NAME_FILE, NULL);
    g_autofree char *fingerprint = tlog_verifier_get_fingerprint(verifier);

    if (wanted && !tlog_is_key_name(wanted))
        return signer_refuse(error, SIGNER_ERROR_FAILED,
                "'%s' cannot be the name of a log: it has no spaces and no plus signs, like example.com/log", wanted);
    if (!g_file_get_contents(path, &verifier->name, NULL, NULL)) {
        verifier->name = wanted ? g_strdup(wanted) : g_strdup_printf("particleos-log/%.*s", NAME_DIGITS, fingerprint);
        return write_name(fd, verifier->name, error);
    }
    if (!tlog_is_key_name(verifier->name))
        return signer_refuse(error, SIGNER_ERROR_FAILED, "%s has no name of a log", path);
    return !wanted || g_str_equal(wanted, verifier->name) ||
           signer_refuse(error, SIGNER_ERROR_FAILED,
                   "The log is called %s, and cannot be called %s: what was proved with it has its name", verifier->name,
                   wanted);
}

gboolean signer_instance_open(
        const char *directory, const char *name, KeySession *session, SignerInstance *ret, GError **error) {
    AUTO_FD fd = -1;
    gsize size = TLOG_KEY_SIZE;

    if (g_mkdir_with_parents(directory, 0700) < 0 ||
            (fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0)
        return set_errno_error(error, errno, "Cannot use %s", directory);
    if (!open_pair(fd, directory, "log", session, &ret->log, &ret->log_certificate, error) ||
            !open_pair(fd, directory, "provenance", session, &ret->provenance, &ret->provenance_certificate, error))
        return FALSE;
    if (EVP_PKEY_get_id(key_source_peek(ret->log)) != EVP_PKEY_ED25519 ||
            EVP_PKEY_get_raw_public_key(key_source_peek(ret->log), ret->verifier.key, &size) != 1)
        return signer_refuse(error, SIGNER_ERROR_FAILED, "%s/log.key is no Ed25519 key, which that of a log has to be", directory);
    return settle_name(fd, directory, name, &ret->verifier, error);
}

char *signer_instance_sign_checkpoint(
        const SignerInstance *instance, const TlogCheckpoint *checkpoint, GError **error) {
    g_autofree char *text = tlog_checkpoint_to_text(checkpoint);
    g_autoptr(GBytes) signature = key_source_sign(instance->log, text, strlen(text), error);

    if (!signature)
        return NULL;
    if (g_bytes_get_size(signature) != TLOG_SIGNATURE_SIZE) {
        signer_refuse(error, SIGNER_ERROR_FAILED, "The key of the log cannot sign");
        return NULL;
    }
    return tlog_note_make(text, &instance->verifier, g_bytes_get_data(signature, NULL));
}
