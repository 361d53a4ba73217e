/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pipeline/keys/key-certificate.h"

#include "crypto/sources/pkcs11-uri.h"

static gboolean is_in_token(KeyPlace key) {
    return key.locator && key.source->type != KEY_SOURCE_FILE && pkcs11_uri_check(key.locator);
}

gboolean key_certificate_is_known(KeyPlace certificate, KeyPlace key) {
    return certificate.locator || is_in_token(key);
}

static Certificate *find(KeySession *session, KeyPlace key, const KeySource *opened, GError **error) {
    Certificate *certificate = key_session_find_certificate(
            session, (KeySourceKind) key.source->type, key.source->source, key.locator, opened, error);

    if (!certificate)
        g_prefix_error(error, "it is not set, and the token does not have it beside the key: ");
    return certificate;
}

Certificate *key_certificate_open(KeySession *session, KeyPlace certificate, KeyPlace key, const KeySource *opened,
        GError **error) {
    const RecipeKeySource *source = certificate.source;

    if (!certificate.locator)
        return find(session, key, opened, error);
    if (source->type == KEY_SOURCE_FILE && pkcs11_uri_check(certificate.locator) && is_in_token(key))
        source = key.source;
    return key_session_open_certificate(
            session, (KeySourceKind) source->type, source->source, certificate.locator, error);
}
