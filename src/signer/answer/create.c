/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "signer/answer/create.h"

#include <string.h>

#include "format/openpgp/openpgp.h"
#include "signer/policy/policy-write.h"
#include "signer/text/error.h"

static gboolean note_certificates(SignerCase *this, GError **error) {
    JsonObject *certificates = json_object_new();

    json_object_set_object_member(this->facts, "certificates", certificates);
    for (SignerPurpose purpose = 0; purpose < SIGNER_N_PURPOSES; purpose++) {
        g_autoptr(Certificate) certificate =
                signer_keys_open_certificate(this->keys, this->policy, this->request->owner, purpose, error);
        if (!certificate)
            return FALSE;
        json_object_set_string_member(
                certificates, signer_purpose_to_string(purpose), certificate_get_fingerprint(certificate));
    }
    return TRUE;
}

gboolean signer_create_prepare(SignerCase *this, GError **error) {
    const char *owner = this->request->owner;
    g_autofree char *path = signer_policy_path(this->policies, owner);
    g_autofree char *text = NULL;
    gboolean share = FALSE;
    g_autoptr(GError) problem = NULL;

    if (this->repeated)
        return TRUE;
    if (!(text = signer_policy_make(this->request, this->development, &share, error)) ||
            !(this->policy = signer_policy_parse(path, text, strlen(text), error)))
        return FALSE;
    if (!signer_keys_create(this->keys, owner, share, &problem) ||
            !signer_policy_stage(this->policies, owner, text, &problem))
        return signer_refuse_because(
                error, g_steal_pointer(&problem), SIGNER_ERROR_FAILED, "Cannot make the keys of %s", owner);
    return note_certificates(this, error);
}

gboolean signer_create_finish(SignerCase *this, GError **error) {
    if (!signer_policy_publish(this->policies, this->request->owner, error))
        return FALSE;
    /* It may have changed since, when this is a repetition. */
    g_clear_pointer(&this->policy, signer_policy_free);
    this->policy = signer_policy_load(this->policies, this->request->owner, error);
    return this->policy && signer_add_certificates(this, error);
}

gboolean signer_judge_targets(SignerCase *this, GError **error) {
    JsonObject *targets = signer_request_get_object(this->request, "targets");

    if (!this->policy->development)
        return signer_refuse(error, SIGNER_ERROR_CONTENT,
                "%s is not in development, so an administrator of the signer adds its targets: particleos-signer "
                "target %s NAME=IMAGE_ID",
                this->request->owner, this->request->owner);
    json_object_set_object_member(this->facts, "targets", json_object_ref(targets));
    return signer_policy_check_targets(this->policy, targets, error);
}

gboolean signer_finish_targets(SignerCase *this, GError **error) {
    return signer_policy_add_targets(
            this->policies, this->request->owner, signer_request_get_object(this->request, "targets"), NULL, error);
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
