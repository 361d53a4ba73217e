/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Approvals of people for releases: texts with signatures, which the signer judges. */

#include "kitchen/model/database/model.h"

typedef struct {
    char *user; /* who brought it; NULL */
    char *fingerprint, *statement, *signature;
    gint64 created;
} Approval;

void approval_free(Approval *approval);

/* Adds what USER brought for TARGET of RELEASE, in place of one by the same key; the release is tried again. MODEL_ERROR_STATE:
 * it is withdrawn or removed, or does not have the target. */
gboolean approval_add(Model *model, gint64 release, gint64 target, gint64 user, const char *fingerprint,
        const char *statement, const char *signature, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* An array of Approval, oldest first. */
GPtrArray *approval_list(Model *model, gint64 release, gint64 target, GError **error);
