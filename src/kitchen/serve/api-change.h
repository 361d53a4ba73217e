/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What requests that change something share: their bodies, and that each happens once. */

#include <json-glib/json-glib.h>

#include "kitchen/site/visit.h"

/* The object in the body; an empty one when there is no body. NULL: answered. */
JsonNode *api_read_body(Visit *visit);

/* The text of the member NAME, FALLBACK when there is none. */
const char *api_member(JsonNode *body, const char *name, const char *fallback);

/* What a request does; RET_TEXT (owned by the caller) is the answer. FALSE with ERROR: it failed. */
typedef gboolean (*ApiAction)(
        Visit *visit, const ProjectView *project, JsonNode *body, char **ret_text, GError **error);

/* Does it once for each Idempotency-Key, with its answer in the same transaction. PROJECT and BODY may be NULL. */
void api_run_once(Visit *visit, const ProjectView *project, JsonNode *body, ApiAction action);

/* The channel NAME of the project; 0 with ERROR set. */
gint64 api_find_channel(Visit *visit, const ProjectView *project, const char *name, GError **error);
