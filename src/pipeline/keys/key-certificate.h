/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Where the certificate of a key is: what its settings name, or the token of the key. */

#include "crypto/keys/key-session.h"
#include "recipe/result/image-config.h"

/* A setting of a key or a certificate, and the one beside it that says where that lives. LOCATOR NULL: it is not set. */
typedef struct {
    const RecipeKeySource *source;
    const char *locator;
} KeyPlace;

/* Whether there is something to look for: a setting, or a token that has the key. */
gboolean key_certificate_is_known(KeyPlace certificate, KeyPlace key);

/* Opens CERTIFICATE. A PKCS#11 URI of which nothing says by what it is reached is reached as the key is. What no setting
 * names is looked for in the token of OPENED (NULL: there is no key here), the opened KEY. */
Certificate *key_certificate_open(KeySession *session, KeyPlace certificate, KeyPlace key, const KeySource *opened,
        GError **error);
