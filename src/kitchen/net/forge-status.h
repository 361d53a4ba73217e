/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Tells a forge what became of a commit: the marks beside commits and pull requests. */

#include <glib.h>

#include "kitchen/net/outbound.h"

typedef enum {
    FORGE_GITHUB,
    FORGE_GITLAB,
    FORGE_GITEA, /* and Forgejo */
    FORGE_N_KINDS,
} ForgeKind;

typedef enum {
    FORGE_STATE_PENDING, /* waits, or is built */
    FORGE_STATE_SUCCESS,
    FORGE_STATE_FAILURE, /* of what the recipe says */
    FORGE_STATE_ERROR,   /* of the build service */
    FORGE_STATE_CANCELLED,
    FORGE_N_STATES,
} ForgeState;

/* "github", "gitlab", "gitlab-signed", "gitea" and "forgejo", as hooks are called; -1 for others. */
int forge_kind_from_string(const char *name);

typedef struct {
    ForgeKind kind;
    const char *repository; /* https URL, as git clones it */
    const char *commit;     /* 40 or 64 hexadecimal digits */
    ForgeState state;
    const char *context;     /* which check this is: "particleos/NAMESPACE/PROJECT" */
    const char *description; /* a sentence; cut where it is too long for the forge */
    const char *target;      /* URL of the build's page */
} ForgeStatus;

/* A request that tells it, with TOKEN. All are owned by the caller; HEADERS hold the token and are wiped when freed. */
typedef struct {
    char *url;
    char **headers;
    char *body;
} ForgeRequest;

ForgeRequest *forge_status_request(const ForgeStatus *status, const char *token, GError **error);
void forge_request_free(ForgeRequest *request);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ForgeRequest, forge_request_free)

/* Tells it. What the forge refuses is an error that says so, without the token. Blocks. */
gboolean forge_status_send(const OutboundLimits *limits, const ForgeStatus *status, const char *token,
        GError **error) G_GNUC_WARN_UNUSED_RESULT;
