/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Who signs: particleos-signer, or a stand-in for tests. Requests and answers are those of
 * signer/client/protocol.h. */

#include <json-glib/json-glib.h>

#define SIGN_SERVICE_ERROR sign_service_error_quark()
GQuark sign_service_error_quark(void);

typedef enum {
    SIGN_SERVICE_ERROR_LATER,   /* nobody answers, or there is too much to do: ask again, with the same "id" */
    SIGN_SERVICE_ERROR_UNKNOWN, /* the signer has no keys of this project */
    SIGN_SERVICE_ERROR_REFUSED, /* and the message says why */
    SIGN_SERVICE_ERROR_APPROVAL, /* people have to approve it first */
} SignServiceError;

typedef struct SignService SignService;

/* Asks REQUEST with N descriptors, which stay the caller's. The answer is a new reference. May be called by several
 * threads. */
typedef JsonObject *(*SignAsk)(gpointer user, JsonObject *request, const int *descriptors, guint n, GError **error);

/* A service that asks with ASK; FREE_USER (may be NULL) frees USER at the end. */
SignService *sign_service_new(SignAsk ask, gpointer user, GDestroyNotify free_user);
/* The signer that listens at the path SOCKET. */
SignService *sign_service_new_socket(const char *socket);
SignService *sign_service_ref(SignService *service);
void sign_service_unref(SignService *service);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SignService, sign_service_unref)

/* Blocks. */
JsonObject *sign_service_ask(
        SignService *service, JsonObject *request, const int *descriptors, guint n, GError **error);

/* A request of TYPE for a project, a new reference; members are added by the caller. TARGET may be NULL. */
JsonObject *sign_request_new(
        const char *type, const char *id, const char *space, const char *project, const char *target);
