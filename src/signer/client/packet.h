/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Packets of the signer's socket: JSON with descriptors. Both ends use this. */

#include <json-glib/json-glib.h>

#include "signer/client/protocol.h"

/* The domain of what goes wrong between client and signer. */
#define SIGNER_CLIENT_ERROR signer_client_error_quark()
GQuark signer_client_error_quark(void);

typedef enum {
    SIGNER_CLIENT_ERROR_UNREACHABLE, /* nobody answers; trying later may help */
    SIGNER_CLIENT_ERROR_TIMEOUT,
    SIGNER_CLIENT_ERROR_MALFORMED, /* what was answered, or asked, is not of this protocol */
    SIGNER_CLIENT_ERROR_REFUSED,   /* the signer refused, and said why */
} SignerClientError;

/* Sends TEXT of SIZE bytes with N_DESCRIPTORS of DESCRIPTORS as one packet through SOCKET. Waits for TIMEOUT
 * milliseconds at most. */
gboolean signer_packet_send(int socket, const char *text, gsize size, const int *descriptors, guint n_descriptors,
        int timeout, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Receives one packet of at most LARGEST bytes from SOCKET within TIMEOUT milliseconds (-1: ever).
 * DESCRIPTORS (of int, may be NULL: none are taken) receives what came with it, to be closed by the caller
 * also after an error. NULL without ERROR set: the other end has closed. */
GBytes *signer_packet_receive(int socket, gsize largest, int timeout, GArray *descriptors, GError **error);

/* The JSON object that SIZE bytes at TEXT are. Refused: what is no UTF-8, no object, nested deeper than this
 * protocol is, or has a name twice in an object. */
JsonObject *signer_packet_parse(const char *text, gsize size, GError **error);

/* The text of OBJECT, with the members of all objects in the order of their names and without any space: the
 * same content has the same text. Owned by the caller. */
char *signer_packet_to_text(JsonObject *object);
