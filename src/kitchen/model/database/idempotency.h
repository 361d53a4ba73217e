/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Requests that may be sent twice and happen once: Idempotency-Key of the API. */

#include "kitchen/model/database/database.h"

/* How long answers are kept, in milliseconds. */
#define IDEMPOTENCY_LIFETIME (G_GINT64_CONSTANT(86400000))

/* What was answered to the request of the user with this KEY: RET_STATUS and the text, owned by the caller. NULL
 * without an error: nothing yet. A KEY that came with another REQUEST (its digest) is DATABASE_ERROR_CONFLICT. */
char *idempotency_find(Database *database, gint64 user_id, const char *key, const char *request, gint64 now,
        guint *ret_status, GError **error);

/* Keeps the answer. */
gboolean idempotency_keep(Database *database, gint64 user_id, const char *key, const char *request, guint status,
        const char *answer, gint64 now, GError **error) G_GNUC_WARN_UNUSED_RESULT;
