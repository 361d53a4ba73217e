/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "signer/policy/keys.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/directory.h"
#include "base/errors.h"
#include "crypto/generate/genkey.h"
#include "signer/text/error.h"

/* A key outlives many versions; how it is changed, docs/signing.md says. */
#define VALID_DAYS 7300

struct SignerKeys {
    char *directory;
    KeySession *session;
};

SignerKeys *signer_keys_new(const char *directory, KeySession *session) {
    SignerKeys *keys = g_new0(SignerKeys, 1);
    keys->directory = g_strdup(directory);
    keys->session = session;
    return keys;
}

void signer_keys_free(SignerKeys *keys) {
    if (!keys)
        return;
    g_free(keys->directory);
    g_free(keys);
}

void signer_pair_clear(SignerPair *pair) {
    g_clear_pointer(&pair->key, key_source_unref);
    g_clear_pointer(&pair->certificate, certificate_unref);
}

static char *resolve(const SignerKeys *keys, const char *project, const char *path) {
    return g_path_is_absolute(path) ? g_strdup(path) : g_build_filename(keys->directory, project, path, NULL);
}

/* Says which key it is about; whose fault it is, only an administrator can know. */
static gboolean explain(const SignerPolicy *policy, SignerPurpose purpose, GError *problem, GError **error) {
    return signer_refuse_because(error, problem, SIGNER_ERROR_FAILED, "The key for %s of %s",
            signer_purpose_to_string(purpose), policy->path);
}

Certificate *signer_keys_open_certificate(
        SignerKeys *keys, const SignerPolicy *policy, const char *project, SignerPurpose purpose, GError **error) {
    const SignerKey *key = signer_policy_get_key(policy, purpose, error);
    g_autoptr(GError) problem = NULL;

    if (!key)
        return NULL;
    g_autofree char *path = resolve(keys, project, key->certificate);
    Certificate *certificate = certificate_load(path, &problem);
    if (!certificate)
        explain(policy, purpose, g_steal_pointer(&problem), error);
    return certificate;
}

static KeySource *open_key(
        SignerKeys *keys, const char *project, const SignerKey *key, const Certificate *certificate, GError **error) {
    gboolean is_file = key->kind == KEY_SOURCE_KIND_FILE;
    g_autofree char *locator = is_file ? resolve(keys, project, key->key) : g_strdup(key->key);
    g_autoptr(KeySource) source = key_session_open(keys->session, key->kind, key->engine, locator, error);

    if (!source || !certificate_check_key(certificate, source, error))
        return NULL;
    if (public_key_get_signature_size(key_source_peek(source)) == 0) {
        signer_refuse(error, SIGNER_ERROR_FAILED,
                "its signatures are not the same each time, so that they cannot be put where there is room "
                "for them; take "
                "an RSA key");
        return NULL;
    }
    return g_steal_pointer(&source);
}

gboolean signer_keys_open(SignerKeys *keys, const SignerPolicy *policy, const char *project, SignerPurpose purpose,
        SignerPair *ret, GError **error) {
    const SignerKey *key = signer_policy_get_key(policy, purpose, error);
    g_autoptr(Certificate) certificate =
            key ? signer_keys_open_certificate(keys, policy, project, purpose, error) : NULL;
    g_autoptr(GError) problem = NULL;

    if (!certificate)
        return FALSE;
    KeySource *source = open_key(keys, project, key, certificate, &problem);
    if (!source)
        return explain(policy, purpose, g_steal_pointer(&problem), error);
    signer_pair_clear(ret);
    ret->key = source;
    ret->certificate = g_steal_pointer(&certificate);
    return TRUE;
}

GPtrArray *signer_keys_load_certificates(SignerKeys *keys, const char *project, GPtrArray *paths, GError **error) {
    g_autoptr(GPtrArray) certificates = g_ptr_array_new_with_free_func((GDestroyNotify) certificate_unref);

    for (guint i = 0; i < paths->len; i++) {
        g_autofree char *path = resolve(keys, project, paths->pdata[i]);
        g_autoptr(GError) problem = NULL;
        Certificate *certificate = certificate_load(path, &problem);
        if (!certificate) {
            signer_refuse_because(error, g_steal_pointer(&problem), SIGNER_ERROR_FAILED, "The certificate of a vendor");
            return NULL;
        }
        g_ptr_array_add(certificates, certificate);
    }
    return g_steal_pointer(&certificates);
}

int signer_keys_shared_with(SignerPurpose purpose) {
    switch (purpose) {
    case SIGNER_PURPOSE_ENROLMENT:
        return SIGNER_PURPOSE_SECURE_BOOT;
    case SIGNER_PURPOSE_IPE:
        return SIGNER_PURPOSE_VERITY;
    default:
        return -1;
    }
}

static gboolean create_one(int fd, const char *project, SignerPurpose purpose, GError **error) {
    const char *name = signer_purpose_to_string(purpose);
    g_autofree char *common_name = g_strdup_printf("%s %s", project, name);
    g_autofree char *key = g_strconcat(name, ".key", NULL);
    g_autofree char *certificate = g_strconcat(name, ".crt", NULL);
    GenkeyOptions options = {
            .purpose = purpose == SIGNER_PURPOSE_MANIFEST ? GENKEY_FOR_MANIFESTS : GENKEY_FOR_IMAGES,
            .common_name = common_name,
            .valid_days = VALID_DAYS,
    };

    return genkey_create_at(fd, key, certificate, &options, error);
}

/* What a signer left that was killed. */
static void remove_directory(const char *path) {
    g_autoptr(GPtrArray) names = list_directory_if_any(path);

    for (guint i = 0; i < names->len; i++) {
        g_autofree char *file = g_build_filename(path, names->pdata[i], NULL);
        (void) g_unlink(file);
    }
    (void) g_rmdir(path);
}

static gboolean create_all(const char *path, const char *project, gboolean share, GError **error) {
    AUTO_FD fd = -1;

    if (g_mkdir_with_parents(path, 0700) < 0 || (fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0)
        return set_errno_error(error, errno, "Cannot make %s", path);
    for (SignerPurpose purpose = 0; purpose < SIGNER_N_PURPOSES; purpose++)
        if (!(share && signer_keys_shared_with(purpose) >= 0) && !create_one(fd, project, purpose, error))
            return FALSE;
    return fsync(fd) == 0 || set_errno_error(error, errno, "Cannot write %s", path);
}

gboolean signer_keys_create(SignerKeys *keys, const char *project, gboolean share, GError **error) {
    g_autofree char *path = g_build_filename(keys->directory, project, NULL);
    g_autofree char *parent = g_path_get_dirname(path);
    g_autofree char *base = g_path_get_basename(path);
    g_autofree char *made = g_strdup_printf("%s/.new-%s", parent, base);
    AUTO_FD fd = -1;

    if (g_file_test(path, G_FILE_TEST_IS_DIR))
        return TRUE;
    remove_directory(made);
    if (!create_all(made, project, share, error)) {
        remove_directory(made);
        return FALSE;
    }
    if (rename(made, path) < 0 || (fd = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0 || fsync(fd) < 0)
        return set_errno_error(error, errno, "Cannot keep the keys in %s", path);
    return TRUE;
}

gboolean signer_keys_check_files(SignerKeys *keys, const SignerPolicy *policy, const char *project, GError **error) {
    for (guint i = 0; i < SIGNER_N_PURPOSES; i++) {
        const SignerKey *key = &policy->keys[i];
        g_autofree char *path = key->key && key->kind == KEY_SOURCE_KIND_FILE ? resolve(keys, project, key->key) : NULL;
        struct stat st;

        if (path && stat(path, &st) == 0 && st.st_mode & (S_IRWXO | S_IWGRP))
            return signer_refuse(error, SIGNER_ERROR_FAILED,
                    "%s may be read or written by others, so who has it is not known. Make a new key, or, "
                    "when nobody was "
                    "there to read it: chmod 0600 %s",
                    path, path);
    }
    return TRUE;
}
