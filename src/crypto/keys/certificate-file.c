/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Certificates in files: by themselves, or with their key in PKCS#12. */

#include <sys/stat.h>

#include "crypto/keys/key-session-private.h"
#include "crypto/sources/openssl-error.h"

/* What can be read twice only: a pipe is for certificate_load(). */
static gboolean is_container(KeyFile *file, const char *path) {
    struct stat st;

    return stat(path, &st) == 0 && S_ISREG(st.st_mode) && key_file_open(file, path, NULL) &&
           key_file_read(file, path, NULL) && pkcs12_is(file);
}

Certificate *certificate_file_load(KeySession *session, const char *path, GError **error) {
    AUTO_KEY_FILE file = KEY_FILE_INIT;

    if (!is_container(&file, path))
        return certificate_load(path, error);
    key_session_begin(session);
    if (!key_file_check(&file, path, error))
        return NULL;
    g_autoptr(X509) x509 = pkcs12_get_certificate(session, &file, path, error);
    return x509 ? certificate_new_from_x509(x509) : NULL;
}
