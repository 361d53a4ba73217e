/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Credentials of projects: set and removed by owners, listed without what they hold. */
#include <string.h>

#include "api.h"
#include "kitchen/model/projects/credential.h"
#include "kitchen/serve/api-answer.h"
#include "kitchen/serve/api-change.h"

void api_credentials(Visit *visit) {
    g_autoptr(GError) error = NULL;
    g_autoptr(ProjectView) project = api_find_project(visit, 3, ROLE_OWNER);
    g_autoptr(GPtrArray) credentials = project ? credential_list(visit->site->database, project->id, &error) : NULL;
    g_autoptr(JsonBuilder) builder = json_builder_new();

    if (error)
        api_error(visit, error);
    if (!credentials)
        return;
    json_builder_begin_array(builder);
    for (guint i = 0; i < credentials->len; i++) {
        const Credential *credential = credentials->pdata[i];

        json_builder_begin_object(builder);
        api_add_number(builder, "id", credential->id);
        api_add_text(builder, "kind", credential->kind);
        api_add_text(builder, "name", credential->name);
        api_add_time(builder, "set", credential->created);
        json_builder_end_object(builder);
    }
    json_builder_end_array(builder);
    api_answer(visit, SOUP_STATUS_OK, builder);
}

static gboolean set(Visit *visit, const ProjectView *project, JsonNode *body, char **ret_text, GError **error) {
    const char *kind = api_member(body, "kind", ""), *name = api_member(body, "name", ""),
               *secret = api_member(body, "secret", "");
    gint64 id = 0;

    if (!credential_check(kind, name, secret, error) ||
            !credential_set(
                    visit->site->database, visit->site->box, project->id, kind, name, secret, visit->now, &id, error))
        return FALSE;
    *ret_text = g_strdup_printf("{\"id\":%" G_GINT64_FORMAT "}\n", id);
    return TRUE;
}

void api_set_credential(Visit *visit) {
    g_autoptr(ProjectView) project = api_find_project(visit, 3, ROLE_OWNER);
    g_autoptr(JsonNode) body = project ? api_read_body(visit) : NULL;

    if (body)
        api_run_once(visit, project, body, set);
}

/* Not within another transaction: removing is one of its own, and happening twice changes nothing. */
void api_remove_credential(Visit *visit) {
    g_autoptr(GError) error = NULL;
    g_autoptr(ProjectView) project = api_find_project(visit, 3, ROLE_OWNER);
    g_autoptr(JsonBuilder) builder = json_builder_new();

    if (!project)
        return;
    if (!credential_remove(visit->site->database, project->id, api_number(visit_segment(visit, 6)), &error)) {
        api_error(visit, error);
        return;
    }
    json_builder_begin_object(builder);
    json_builder_end_object(builder);
    api_answer(visit, SOUP_STATUS_OK, builder);
}
