/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Asks a build service by its API. */

#include <json-glib/json-glib.h>

#define KITCHEN_CLIENT_ERROR kitchen_client_error_quark()
GQuark kitchen_client_error_quark(void);

typedef enum {
    KITCHEN_CLIENT_ERROR_FAILED,  /* no answer, or none that makes sense */
    KITCHEN_CLIENT_ERROR_REFUSED, /* the service says no; the message says what to do */
} KitchenClientError;

typedef struct KitchenClient KitchenClient;

KitchenClient *kitchen_client_new(const char *url, const char *token, GError **error);
void kitchen_client_free(KitchenClient *client);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(KitchenClient, kitchen_client_free)

/* The answer to METHOD on PATH ("projects/a/b") below the API; BODY (may be NULL) is JSON. A POST carries a key, so that a
 * repetition after a lost answer happens once. Owned by the caller. */
JsonNode *kitchen_client_ask(
        KitchenClient *client, const char *method, const char *path, const char *body, GError **error);

/* Writes the object DIGEST to FD. Whether these are its bytes is for the caller to see. */
gboolean kitchen_client_fetch(
        KitchenClient *client, const char *digest, int fd, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* A line of a log. FALSE: nothing more is wanted. */
typedef gboolean (*KitchenLine)(gpointer user, const char *line);

/* The log of the job from its beginning, as long as it grows; RET_STATE (owned by the caller) receives how the job ended.
 * Goes on where it was when the connection breaks off. */
gboolean kitchen_client_follow_log(KitchenClient *client, gint64 job, KitchenLine sink, gpointer user, char **ret_state,
        GError **error) G_GNUC_WARN_UNUSED_RESULT;
