/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The signer's log, published: the signer has no network, so its entries are asked for, and written as C2SP tlog-tiles serves
 * them. "key" has the key of the log, "provenance.pem" the certificate of the key for provenance. */

#include "kitchen/signing/sign-service.h"

#define LOG_MIRROR_ERROR log_mirror_error_quark()
GQuark log_mirror_error_quark(void);

typedef enum {
    LOG_MIRROR_ERROR_OTHER, /* the signer's log is not the one that was published, or a part of it is gone */
} LogMirrorError;

typedef struct LogMirror LogMirror;

/* Publishes the log of SIGNER, which has to outlive it, in DIRECTORY. */
LogMirror *log_mirror_new(const char *directory, SignService *signer);
void log_mirror_free(LogMirror *mirror);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(LogMirror, log_mirror_free)

/* Shows what the signer has logged until now. From any thread; blocks. */
gboolean log_mirror_update(LogMirror *mirror, GError **error) G_GNUC_WARN_UNUSED_RESULT;
