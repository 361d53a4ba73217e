/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The signer: packets in, packets out. */

#include <glib.h>

#include "crypto/keys/key-session.h"

typedef struct Signer Signer;

/* Hears of what an administrator should know: a line without newline. From any thread. */
typedef void (*SignerSay)(gpointer user, const char *text);

typedef struct {
    const char *state;    /* directory: keys/, instance/, log, checkpoint */
    const char *name;     /* of the log; NULL: as before, or one made of its key */
    const char *policies; /* directory: NAMESPACE/PROJECT.conf */
    gboolean development; /* new projects are in development unless they are asked for otherwise */
    KeySession *session;  /* has to last as long */
    SignerSay say;
    gpointer user;
} SignerOptions;

/* Reads the log and all policies. Refused: a directory or a key that others can read, a policy that cannot
 * be read, a damaged log, another signer that has this state. */
Signer *signer_new(const SignerOptions *options, GError **error);
void signer_free(Signer *signer);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Signer, signer_free)

/* The answer to the request of SIZE bytes at TEXT with DESCRIPTORS (of int, borrowed); owned by the caller.
 * From any thread: objects are read and judged side by side, signatures are made one after the other. */
char *signer_answer(Signer *signer, const char *text, gsize size, GArray *descriptors);

/* How an error is answered; owned by the caller. */
char *signer_make_refusal(const GError *error);
