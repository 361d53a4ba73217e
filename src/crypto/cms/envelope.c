/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "crypto/cms/envelope.h"

#include <openssl/cms.h>

#include "crypto/certificates/certificate.h"
#include "crypto/sources/error.h"
#include "crypto/sources/openssl-error.h"

G_DEFINE_AUTOPTR_CLEANUP_FUNC(CMS_ContentInfo, CMS_ContentInfo_free)

GBytes *envelope_seal(GPtrArray *recipients, GBytes *content, GError **error) {
    const unsigned flags = CMS_BINARY | CMS_PARTIAL;
    unsigned char *der = NULL;
    gsize size = 0;
    const void *data = g_bytes_get_data(content, &size);
    g_autoptr(BIO) in = BIO_new_mem_buf(data, (int) size);
    g_autoptr(CMS_ContentInfo) message = in ? CMS_encrypt(NULL, NULL, EVP_aes_256_cbc(), flags) : NULL;

    if (!message || recipients->len == 0) {
        crypto_set_openssl_error(error, CRYPTO_ERROR_FAILED, "Cannot encrypt for nobody");
        return NULL;
    }
    for (guint i = 0; i < recipients->len; i++)
        if (!CMS_add1_recipient_cert(message, certificate_peek(recipients->pdata[i]), 0)) {
            crypto_set_openssl_error(error, CRYPTO_ERROR_FAILED, "Cannot encrypt for %s",
                    certificate_get_description(recipients->pdata[i]));
            return NULL;
        }
    if (!CMS_final(message, in, NULL, flags)) {
        crypto_set_openssl_error(error, CRYPTO_ERROR_FAILED, "Cannot encrypt");
        return NULL;
    }
    int length = i2d_CMS_ContentInfo(message, &der);
    GBytes *sealed = crypto_take_der(der, length);
    if (!sealed)
        crypto_set_openssl_error(error, CRYPTO_ERROR_FAILED, "Cannot write what was encrypted");
    return sealed;
}
