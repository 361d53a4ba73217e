/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "object.h"

#include <string.h>

#include "base/hex.h"
#include "base/sha256.h"
#include "kitchen/model/results/parts.h"
#include "kitchen/serve/api-answer.h"

/* A name that a header may hold; others are left out. */
static gboolean is_plain_name(const char *name) {
    for (const char *at = name; *at; at++)
        if (!g_ascii_isalnum(*at) && !strchr("._-+", *at))
            return FALSE;
    return name[0] != '\0';
}

/* How a build that the visitor sees calls the file; NULL: there is none, or ERROR is set. Owned by the caller. */
static char *visible_name(Visit *visit, const char *digest, GError **error) {
    g_autoptr(GError) failure = NULL;
    g_autoptr(GPtrArray) owners = artifact_owners(visit->site->database, digest, &failure);

    for (guint i = 0; !failure && i < owners->len; i++) {
        const ArtifactOwner *owner = owners->pdata[i];

        if (owner->is_public || visit_role(visit, owner->namespace_id, owner->project_id, &failure) != ROLE_NONE)
            return g_strdup(owner->name);
    }
    if (failure)
        g_propagate_error(error, g_steal_pointer(&failure));
    return NULL;
}

void object(Visit *visit) {
    g_autoptr(GError) error = NULL;
    g_autofree char *path = NULL;
    g_autofree char *name = NULL;
    g_autofree char *disposition = NULL;
    const char *digest = visit_segment(visit, 1);

    if (!api_may_read(visit))
        return;
    /* Whoever sees no build that made it does not learn that it is there. */
    if (hex_is_lower(digest, SHA256_HEX_SIZE))
        name = visible_name(visit, digest, &error);
    if (error) {
        api_error(visit, error);
        return;
    }
    if (!name) {
        api_not_found(visit);
        return;
    }
    path = visit->site->engine->object_path(visit->site->engine->user, digest);
    disposition = is_plain_name(name) ? g_strdup_printf("attachment; filename=\"%s\"", name) : g_strdup("attachment");
    http_header(visit->http, "Content-Disposition", disposition);
    api_send_file(visit, path, "application/octet-stream", FALSE);
}
