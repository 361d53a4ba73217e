/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "object.h"

#include <string.h>

#include "base/hex.h"
#include "base/sha256.h"
#include "kitchen/serve/api-answer.h"

/* A name that a header may hold; others are left out. */
static gboolean is_plain_name(const char *name) {
    for (const char *at = name; *at; at++)
        if (!g_ascii_isalnum(*at) && !strchr("._-+", *at))
            return FALSE;
    return name[0] != '\0';
}

void object(Visit *visit) {
    g_autoptr(GError) error = NULL;
    g_autoptr(DatabaseRows) rows = NULL;
    g_autofree char *path = NULL;
    g_autofree char *name = NULL;
    g_autofree char *disposition = NULL;
    const char *digest = visit_segment(visit, 1);

    if (!api_may_read(visit))
        return;
    if (!hex_is_lower(digest, SHA256_HEX_SIZE)) {
        api_not_found(visit);
        return;
    }
    /* Whoever sees no build that made it does not learn that it is there. */
    rows = database_select(visit->site->database,
            "SELECT a.name, p.namespace_id, p.id, p.public FROM artifact a JOIN job j ON j.id = a.job_id JOIN build b "
            "ON b.id = j.build_id JOIN project p ON p.id = b.project_id WHERE a.digest = ?",
            DB_VALUES(DB_TEXT(digest)), &error);
    while (!name && rows && database_rows_next(rows, &error))
        if (database_rows_integer(rows, 3) ||
                visit_role(visit, database_rows_integer(rows, 1), database_rows_integer(rows, 2), &error) != ROLE_NONE)
            name = database_rows_dup(rows, 0);
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
