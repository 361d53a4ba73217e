/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "signer/create.h"

#include <string.h>

#include "format/openpgp.h"
#include "signer/error.h"
#include "signer/policy-write.h"

gboolean signer_create_prepare(SignerCase *this, GError **error) {
    const char *owner = this->request->owner;
    g_autofree char *path = signer_policy_path(this->policies, owner);
    gboolean share = FALSE;
    g_autoptr(GError) problem = NULL;

    g_free(this->text);
    this->text = signer_policy_make(this->request, &share, error);
    if (!this->text)
        return FALSE;
    this->policy = signer_policy_parse(path, this->text, strlen(this->text), error);
    if (!this->policy)
        return FALSE;
    if (!signer_keys_create(this->keys, owner, share, &problem))
        return signer_refuse_because(
                error, g_steal_pointer(&problem), SIGNER_ERROR_FAILED, "Cannot make the keys of %s", owner);
    JsonObject *certificates = json_object_new();
    json_object_set_object_member(this->facts, "certificates", certificates);
    for (SignerPurpose purpose = 0; purpose < SIGNER_N_PURPOSES; purpose++) {
        g_autoptr(Certificate) certificate =
                signer_keys_open_certificate(this->keys, this->policy, owner, purpose, error);
        if (!certificate)
            return FALSE;
        json_object_set_string_member(
                certificates, signer_purpose_to_string(purpose), certificate_get_fingerprint(certificate));
    }
    return TRUE;
}

gboolean signer_create_finish(SignerCase *this, GError **error) {
    g_autofree char *path = signer_policy_path(this->policies, this->request->owner);
    g_autoptr(GError) problem = NULL;

    if (!g_file_test(path, G_FILE_TEST_EXISTS) &&
            !signer_policy_create(this->policies, this->request->owner, this->text, &problem))
        return signer_refuse_because(error, g_steal_pointer(&problem), SIGNER_ERROR_FAILED, "The policy is not there");
    /* It may have changed since, when this is a repetition. */
    g_clear_pointer(&this->policy, signer_policy_free);
    this->policy = signer_policy_load(this->policies, this->request->owner, error);
    return this->policy && signer_add_certificates(this, error);
}

static gboolean add_certificate(SignerCase *this, JsonObject *all, SignerPurpose purpose, GError **error) {
    g_autoptr(Certificate) certificate =
            signer_keys_open_certificate(this->keys, this->policy, this->request->owner, purpose, error);
    g_autofree char *pem = certificate ? certificate_to_pem(certificate) : NULL;

    if (pem)
        json_object_set_string_member(all, signer_purpose_to_string(purpose), pem);
    return pem != NULL;
}

/* The key's signature of itself is always the same, and says nothing about anything else. */
static gboolean add_key_ring(SignerCase *this, GError **error) {
    g_auto(SignerPair) pair = {NULL};
    g_autoptr(GError) problem = NULL;

    if (!signer_keys_open(this->keys, this->policy, this->request->owner, SIGNER_PURPOSE_MANIFEST, &pair, error))
        return FALSE;
    g_autoptr(OpenpgpKey) key = openpgp_key_new_for_certificate(pair.key, pair.certificate, &problem);
    g_autoptr(GBytes) packets = key ? openpgp_key_export(key, &problem) : NULL;
    if (!packets)
        return signer_refuse_because(error, g_steal_pointer(&problem), SIGNER_ERROR_FAILED, "The key for manifests");
    gsize size;
    const guchar *data = g_bytes_get_data(packets, &size);
    g_autofree char *text = g_base64_encode(data, size);
    json_object_set_string_member(this->extra, "keyRing", text);
    return TRUE;
}

gboolean signer_add_certificates(SignerCase *this, GError **error) {
    JsonObject *all = json_object_new();

    json_object_set_object_member(this->extra, "certificates", all);
    for (SignerPurpose purpose = 0; purpose < SIGNER_N_PURPOSES; purpose++)
        if (signer_policy_get_key(this->policy, purpose, NULL) && !add_certificate(this, all, purpose, error))
            return FALSE;
    return !signer_policy_get_key(this->policy, SIGNER_PURPOSE_MANIFEST, NULL) || add_key_ring(this, error);
}
