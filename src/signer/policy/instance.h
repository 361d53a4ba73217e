/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Keys that belong to no project but to this signer: "log" signs what its log says of itself, "provenance" what was built from
 * what. Ed25519, in files, made when the signer starts for the first time. */

#include "crypto/certificates/certificate.h"
#include "crypto/keys/key-session.h"
#include "format/tlog/tlog-checkpoint.h"

typedef struct {
    TlogVerifier verifier; /* name and public key of the log */
    KeySource *log;
    Certificate *log_certificate;
    KeySource *provenance;
    Certificate *provenance_certificate;
} SignerInstance;

/* Opens the keys in DIRECTORY, or makes them. NAME is what the log is called; NULL: as before, or a name made of its key.
 * Refused: another name than before. */
gboolean signer_instance_open(const char *directory, const char *name, KeySession *session, SignerInstance *ret,
        GError **error) G_GNUC_WARN_UNUSED_RESULT;
void signer_instance_clear(SignerInstance *instance);

/* The note that says of the log that it has CHECKPOINT's size and root; owned by the caller. */
char *signer_instance_sign_checkpoint(const SignerInstance *instance, const TlogCheckpoint *checkpoint, GError **error);
