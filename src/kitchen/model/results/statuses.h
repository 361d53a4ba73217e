/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What forges are told about commits: the state of their builds, for projects that have a credential "forge". */

#include "kitchen/model/database/model.h"
#include "kitchen/model/database/secret.h"

/* A build that its forge does not know the state of. */
typedef struct {
    gint64 build_id;
    gint64 project_id;
    char *forge;      /* "github" and so on: the name of the credential */
    char *repository; /* URL */
    char *commit;
    char *space, *project;
    gint64 number;
    char *state;       /* "pending", "success", "failure", "error", "cancelled" */
    char *description; /* a sentence */
} CommitStatus;

void commit_status_free(CommitStatus *status);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CommitStatus, commit_status_free)

/* Builds of the last day whose state was not told yet, oldest first, LIMIT at most: an array of CommitStatus. */
GPtrArray *commit_status_list(Model *model, guint limit, GError **error);

/* STATE of the build was told, or cannot be. */
gboolean commit_status_note(Model *model, gint64 build_id, const char *state, GError **error) G_GNUC_WARN_UNUSED_RESULT;
