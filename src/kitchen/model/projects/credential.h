/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What projects entrust to the service: secrets of hooks, tokens of forges, keys for git. They can be set and
 * removed, used by the service, and read by nobody. */

#include "kitchen/model/database/model.h"
#include "kitchen/model/database/secret.h"

typedef struct {
    gint64 id;
    char *kind; /* hook, forge, git-password, git-key, git-host */
    char *name;
    gint64 created;
} Credential;
void credential_free(Credential *credential);

/* Whether somebody may set such a credential by hand: all kinds but those of hooks; MODEL_ERROR_INVALID says what is wrong. */
gboolean credential_check(
        const char *kind, const char *name, const char *secret, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Sets the credential KIND, NAME of the project; one of that name is replaced. RET_ID may be NULL. */
gboolean credential_set(Database *database, const SecretBox *box, gint64 project_id, const char *kind, const char *name,
        const char *secret, gint64 now, gint64 *ret_id, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The secret; NULL without an error: there is none. The caller wipes it. */
char *credential_secret(Database *database, const SecretBox *box, gint64 project_id, const char *kind, const char *name,
        GError **error);

/* All that git needs to know of the project, as JSON for particleos-kitchen-fetch; NULL without an error: nothing. The caller
 * wipes it. */
char *credential_git_secrets(Database *database, const SecretBox *box, gint64 project_id, GError **error);

/* The credentials (Credential) of the project. */
GPtrArray *credential_list(Database *database, gint64 project_id, GError **error);

/* Removes a credential of the project; one that a hook uses goes with its hook. */
gboolean credential_remove(Database *database, gint64 project_id, gint64 id, GError **error) G_GNUC_WARN_UNUSED_RESULT;
