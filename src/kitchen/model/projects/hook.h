/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Addresses that forges tell about pushes, and what they sent. */

#include "kitchen/model/database/database.h"
#include "kitchen/model/database/secret.h"

typedef struct {
    char *id; /* part of the address, random */
    gint64 project_id;
    char *kind; /* github, gitlab, gitlab-signed, gitea, forgejo */
    gint64 credential_id;
    gint64 created;
    char *branch; /* of the project */
} Hook;
void hook_free(Hook *hook);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Hook, hook_free)

/* Adds a hook whose secret is the credential ("hook", ID): RET_ID receives its identifier, owned by the caller.
 * The secret is SECRET. */
gboolean hook_add(Database *database, const SecretBox *box, gint64 project_id, const char *kind, const char *secret,
        gint64 now, char **ret_id, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* NULL without an error: there is none. */
Hook *hook_find(Database *database, const char *id, GError **error);

/* The hooks (Hook) of the project, oldest first. */
GPtrArray *hook_list(Database *database, gint64 project_id, GError **error);

/* Something that came to a hook. */
typedef struct {
    gint64 id;
    char *delivery;    /* the forge's identifier, or NULL */
    char *body_digest; /* SHA-256 */
    char *event;       /* what the forge calls it, or NULL */
    gint64 received;
    gboolean valid; /* the signature was good */
    guint status;   /* of HTTP */
    char *answer;
} Delivery;
void delivery_free(Delivery *delivery);

/* Keeps what came; older ones than the last 50 of the hook are forgotten, unless a replay could use them. */
gboolean delivery_add(
        Database *database, const char *hook_id, const Delivery *delivery, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* When a valid delivery of the same identifier (may be NULL) or the same body came since SINCE, 0: never. */
gint64 delivery_seen(Database *database, const char *hook_id, const char *delivery, const char *body_digest,
        gint64 since, GError **error);

/* How many deliveries came since SINCE. */
gint64 delivery_count(Database *database, const char *hook_id, gint64 since, GError **error);

/* The last N deliveries (Delivery), newest first. */
GPtrArray *delivery_list(Database *database, const char *hook_id, guint n, GError **error);
