/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "signer/program/credential.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/errors.h"
#include "base/io.h"
#include "signer/text/error.h"

#define CREDENTIAL "particleos.key-pin"
#define LONGEST 1024

char *credential_ask(const char *prompt, gpointer data, GError **error) {
    const char *directory = g_getenv("CREDENTIALS_DIRECTORY");
    g_autofree char *path = directory ? g_build_filename(directory, CREDENTIAL, NULL) : NULL;
    AUTO_FD fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    char text[LONGEST + 1] = "";

    if (fd < 0) {
        signer_refuse(
                error, SIGNER_ERROR_FAILED, "\"%s\" has no answer: the service has no credential " CREDENTIAL, prompt);
        return NULL;
    }
    gssize n = pread_up_to(fd, text, LONGEST, 0);
    if (n <= 0) {
        set_errno_error(error, n < 0 ? errno : ENODATA, "Cannot read the credential " CREDENTIAL);
        return NULL;
    }
    char *answer = g_strndup(text, strcspn(text, "\r\n"));
    explicit_bzero(text, sizeof text);
    return answer;
}
