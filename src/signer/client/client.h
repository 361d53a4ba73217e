/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Asks particleos-signer (protocol.h says what can be asked). */

#include <json-glib/json-glib.h>

#include "signer/client/packet.h"

#define SIGNER_CLIENT_TIMEOUT_DEFAULT 60000

/* Safe for several threads: each request has a connection of its own. */
typedef struct SignerClient SignerClient;

/* SOCKET is the path of the signer's socket. Nothing is connected yet. */
SignerClient *signer_client_new(const char *socket);
void signer_client_free(SignerClient *client);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SignerClient, signer_client_free)

/* How long a request may take, in milliseconds; SIGNER_CLIENT_TIMEOUT_DEFAULT unless it is set. Not while a
 * request runs. */
void signer_client_set_timeout(SignerClient *client, int milliseconds);

/* Asks REQUEST, with N descriptors, which stay open and the caller's; "version" is set. Returns the answer
 * (a new reference) of a request that was granted. What the signer refused is SIGNER_CLIENT_ERROR_REFUSED,
 * with its detail as message, and REFUSAL (may be NULL), owned by the caller, receives the word for it
 * (SIGNER_REFUSED_…). Blocks.
 *
 * A request that failed without being refused may have been answered: ask again with the same "id". */
JsonObject *signer_client_request_full(
        SignerClient *client, JsonObject *request, const int *descriptors, guint n, char **ret_refusal, GError **error);

/* The same for callers to whom one refusal is like another. */
JsonObject *signer_client_request(
        SignerClient *client, JsonObject *request, const int *descriptors, guint n, GError **error);

/* The signature called NAME in ANSWER; a new reference. */
GBytes *signer_client_get_answer(JsonObject *answer, const char *name, GError **error);
