/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A request as it was read (signer/client/protocol.h says what there is). */

#include <json-glib/json-glib.h>

typedef enum {
    SIGNER_VERITY,
    SIGNER_PE,
    SIGNER_IPE,
    SIGNER_ENROLMENT,
    SIGNER_ADDITION,
    SIGNER_REVOCATION,
    SIGNER_MANIFEST,
    SIGNER_CREATE,
    SIGNER_TARGET,
    SIGNER_WITHDRAW,
    SIGNER_CERTIFICATES,
    SIGNER_STATUS,
    SIGNER_LOG,
    SIGNER_N_TYPES,
} SignerType;

/* "verity", "pe" … */
const char *signer_type_to_string(SignerType type);
/* The type of that name, or -1. */
int signer_type_from_string(const char *name);

typedef struct {
    SignerType type;
    JsonObject *json;
    /* Owned by JSON; NULL where the type has none. */
    const char *id, *namespace, *project, *target, *job, *version, *title;
    char *owner; /* "NAMESPACE/PROJECT", or NULL */
} SignerRequest;

/* Reads SIZE bytes at TEXT. Whatever a type of request does not know, or has to have and has not, is an
 * error; lists and objects inside are for whoever uses them to check. */
SignerRequest *signer_request_new(const char *text, gsize size, GError **error);
void signer_request_free(SignerRequest *request);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SignerRequest, signer_request_free)

/* The member NAME of REQUEST when it is of that kind, otherwise NULL. Owned by the request. */
const char *signer_request_get_string(const SignerRequest *request, const char *name);
JsonArray *signer_request_get_array(const SignerRequest *request, const char *name);
JsonObject *signer_request_get_object(const SignerRequest *request, const char *name);

/* The same of any object. */
const char *signer_json_get_string(JsonObject *object, const char *name);
/* -1 when it is not there or no number. */
gint64 signer_json_get_number(JsonObject *object, const char *name);
