/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What people approve, and what they bring. Whether it counts, the signer says. */
#include "api.h"

#include <string.h>

#include "format/sshsig/sshsig.h"
#include "kitchen/model/database/model.h"
#include "kitchen/model/results/parts.h"
#include "kitchen/serve/api-answer.h"
#include "kitchen/serve/api-change.h"

#define RELEASES_SHOWN 50
#define STATEMENT_MAX 2048

/* The release of the build NUMBER in the channel of the address; NULL with ERROR set. Owned by RELEASES, which is new. */
static const ReleaseView *find_release(
        Visit *visit, const ProjectView *project, const char *number, GPtrArray **releases, GError **error) {
    gint64 channel = api_find_channel(visit, project, visit_segment(visit, 6), error);

    *releases = channel != 0 ? release_views(visit->site->database, channel, RELEASES_SHOWN, error) : NULL;
    for (guint i = 0; *releases && i < (*releases)->len; i++) {
        const ReleaseView *release = (*releases)->pdata[i];

        if (release->number == api_number(number))
            return release;
    }
    if (*releases)
        g_set_error(error, MODEL_ERROR, MODEL_ERROR_NOT_FOUND, "The channel has no release of build #%s", number);
    return NULL;
}

static void add_file(JsonBuilder *builder, const ReleaseFileView *file) {
    json_builder_begin_object(builder);
    api_add_text(builder, "name", file->name);
    api_add_text(builder, "sha256", file->digest);
    api_add_number(builder, "size", file->size);
    json_builder_end_object(builder);
}

static void add_targets(JsonBuilder *builder, GPtrArray *files) {
    json_builder_set_member_name(builder, "targets");
    json_builder_begin_array(builder);
    for (guint i = 0; i < files->len;) {
        const ReleaseFileView *first = files->pdata[i];

        json_builder_begin_object(builder);
        api_add_text(builder, "name", first->target);
        api_add_text(builder, "previous", first->previous);
        json_builder_set_member_name(builder, "files");
        json_builder_begin_array(builder);
        for (; i < files->len && ((const ReleaseFileView *) files->pdata[i])->target_id == first->target_id; i++)
            add_file(builder, files->pdata[i]);
        json_builder_end_array(builder);
        json_builder_end_object(builder);
    }
    json_builder_end_array(builder);
}

static void answer_release(Visit *visit, const ReleaseView *release, GPtrArray *files, const char *certificate) {
    g_autoptr(JsonBuilder) builder = json_builder_new_immutable();

    json_builder_begin_object(builder);
    api_add_text(builder, "version", release->version);
    api_add_number(builder, "build", release->number);
    api_add_text(builder, "state", release->state);
    api_add_text(builder, "detail", release->detail);
    api_add_number(builder, "approvals", release->approvals);
    api_add_text(builder, "certificate", certificate);
    add_targets(builder, files);
    json_builder_end_object(builder);
    api_answer(visit, SOUP_STATUS_OK, builder);
}

void api_release_files(Visit *visit) {
    g_autoptr(GError) error = NULL;
    g_autoptr(ProjectView) project = api_find_project(visit, 3, ROLE_NONE);
    g_autoptr(GPtrArray) releases = NULL;
    const ReleaseView *release =
            project ? find_release(visit, project, visit_segment(visit, 8), &releases, &error) : NULL;
    g_autoptr(GPtrArray) files = release ? release_file_views(visit->site->database, release->id, &error) : NULL;
    g_autofree char *certificate =
            files ? certificate_view(visit->site->database, project->id, "manifest", &error) : NULL;

    if (!project)
        return;
    if (g_error_matches(error, MODEL_ERROR, MODEL_ERROR_NOT_FOUND))
        api_not_found(visit);
    else if (error)
        api_error(visit, error);
    else
        answer_release(visit, release, files, certificate);
}

/* The target NAME of FILES; 0 with ERROR set. */
static gint64 find_target(GPtrArray *files, const char *name, GError **error) {
    for (guint i = 0; i < files->len; i++) {
        const ReleaseFileView *file = files->pdata[i];

        if (g_str_equal(file->target, name))
            return file->target_id;
    }
    g_set_error(error, MODEL_ERROR, MODEL_ERROR_INVALID, "The release has no target \"%s\"", name);
    return 0;
}

static gboolean approve(Visit *visit, const ProjectView *project, JsonNode *body, char **ret_text, GError **error) {
    const SiteEngine *engine = visit->site->engine;
    const char *statement = api_member(body, "statement", ""), *signature = api_member(body, "signature", "");
    g_autoptr(GPtrArray) releases = NULL;
    const ReleaseView *release = find_release(visit, project, visit_segment(visit, 8), &releases, error);
    g_autoptr(GPtrArray) files = release ? release_file_views(visit->site->database, release->id, error) : NULL;
    gint64 target = files ? find_target(files, api_member(body, "target", ""), error) : 0;
    g_autoptr(GBytes) key = target != 0 ? sshsig_peek_key(signature, strlen(signature), error) : NULL;
    g_autofree char *fingerprint = key ? sshsig_key_fingerprint(key) : NULL;

    *ret_text = g_strdup("{}\n");
    if (key && strlen(statement) > STATEMENT_MAX) {
        g_set_error_literal(error, MODEL_ERROR, MODEL_ERROR_INVALID, "The statement is too long");
        return FALSE;
    }
    return key && engine->approve(engine->user, release->id, target, fingerprint, statement, signature, visit->user->id,
                          error);
}

void api_approve(Visit *visit) {
    g_autoptr(ProjectView) project = api_find_project(visit, 3, ROLE_MAINTAINER);
    g_autoptr(JsonNode) body = project ? api_read_body(visit) : NULL;

    if (body)
        api_run_once(visit, project, body, approve);
}
