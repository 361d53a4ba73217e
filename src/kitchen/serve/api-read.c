/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "api.h"

#include <string.h>

#include "kitchen/model/builds/sources.h"
#include "kitchen/html/url.h"
#include "kitchen/model/results/parts.h"
#include "kitchen/serve/api-answer.h"

#define LIMIT 50
#define LIMIT_MAX 200

ProjectView *api_find_project(Visit *visit, guint from, Role role) {
    g_autoptr(GError) error = NULL;
    g_autoptr(ProjectView) project = NULL;
    Role has = ROLE_NONE;

    if (role > ROLE_READER ? !api_may(visit, role == ROLE_OWNER ? SCOPE_ADMIN : SCOPE_BUILD) : !api_may_read(visit))
        return NULL;
    project = project_view(
            visit->site->database, &visit->viewer, visit_segment(visit, from), visit_segment(visit, from + 1), &error);
    if (project)
        has = visit_role(visit, project->namespace_id, project->id, &error);
    if (error) {
        api_error(visit, error);
        return NULL;
    }
    if (!project) {
        api_not_found(visit);
        return NULL;
    }
    if (has < role) {
        api_problem(visit, SOUP_STATUS_FORBIDDEN, "Not allowed",
                "This needs more than you (or the token) may do in this project: ask an owner of the namespace.");
        return NULL;
    }
    return g_steal_pointer(&project);
}

static void add_project(JsonBuilder *builder, const ProjectView *project) {
    json_builder_begin_object(builder);
    api_add_text(builder, "namespace", project->namespace_name);
    api_add_text(builder, "name", project->name);
    api_add_text(builder, "title", project->title);
    api_add_text(builder, "url", project->url);
    api_add_text(builder, "branch", project->branch);
    api_add_text(builder, "directory", project->directory);
    json_builder_set_member_name(builder, "public");
    json_builder_add_boolean_value(builder, project->is_public);
    api_add_text(builder, "packages", project->packages);
    api_add_text(builder, "forkedFrom", project->forked_name);
    api_add_time(builder, "polled", project->polled);
    api_add_text(builder, "pollError", project->poll_error);
    json_builder_set_member_name(builder, "lastBuild");
    if (project->last_number > 0) {
        json_builder_begin_object(builder);
        api_add_number(builder, "number", project->last_number);
        api_add_text(builder, "state", project->last_state);
        api_add_text(builder, "reason", project->last_reason);
        api_add_text(builder, "waits", project->last_wait);
        api_add_time(builder, "time", project->last_time);
        json_builder_end_object(builder);
    } else
        json_builder_add_null_value(builder);
    json_builder_end_object(builder);
}

void api_projects(Visit *visit) {
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) projects = NULL;
    g_autoptr(JsonBuilder) builder = json_builder_new_immutable();

    if (!api_may_read(visit))
        return;
    projects = project_views(visit->site->database, &visit->viewer, http_request_query(visit->http, "mine") != NULL,
            http_request_query(visit->http, "namespace"), &error);
    if (!projects) {
        api_error(visit, error);
        return;
    }
    json_builder_begin_array(builder);
    for (guint i = 0; i < projects->len; i++)
        add_project(builder, projects->pdata[i]);
    json_builder_end_array(builder);
    api_answer(visit, SOUP_STATUS_OK, builder);
}

void api_project(Visit *visit) {
    g_autoptr(ProjectView) project = api_find_project(visit, 3, ROLE_NONE);
    g_autoptr(JsonBuilder) builder = json_builder_new_immutable();

    if (!project)
        return;
    add_project(builder, project);
    api_answer(visit, SOUP_STATUS_OK, builder);
}

/* Without the end of the object, so that more can follow. */
static void begin_build(JsonBuilder *builder, const BuildView *build) {
    json_builder_begin_object(builder);
    api_add_number(builder, "id", build->id);
    api_add_number(builder, "number", build->number);
    api_add_text(builder, "version", build->version);
    api_add_text(builder, "state", build->state);
    api_add_text(builder, "failure", build->failure);
    api_add_text(builder, "detail", build->detail);
    api_add_text(builder, "waits", build->wait_reason);
    api_add_text(builder, "cause", build->cause);
    api_add_text(builder, "causedBy", build->caused_by);
    api_add_text(builder, "commit", build->commit);
    api_add_text(builder, "author", build->author);
    api_add_text(builder, "subject", build->subject);
    api_add_time(builder, "created", build->created);
    api_add_time(builder, "started", build->started);
    api_add_time(builder, "finished", build->finished);
}

/* Where the list goes on. */
static void link_next(Visit *visit, gint64 before, gint64 limit) {
    g_autofree char *link = g_strdup_printf("<%s?before=%" G_GINT64_FORMAT "&limit=%" G_GINT64_FORMAT ">; rel=\"next\"",
            visit->http->path, before, limit);

    http_header(visit->http, "Link", link);
}

void api_builds(Visit *visit) {
    g_autoptr(GError) error = NULL;
    g_autoptr(ProjectView) project = api_find_project(visit, 3, ROLE_NONE);
    g_autoptr(GPtrArray) builds = NULL;
    g_autoptr(JsonBuilder) builder = json_builder_new_immutable();
    gint64 limit = MAX(http_request_number(visit->http, "limit", LIMIT, LIMIT_MAX), 1);
    gint64 before = http_request_number(visit->http, "before", 0, G_MAXINT64);

    if (!project)
        return;
    builds = build_views(visit->site->database, project->id, before, (guint) limit, &error);
    if (!builds) {
        api_error(visit, error);
        return;
    }
    json_builder_begin_array(builder);
    for (guint i = 0; i < builds->len; i++) {
        const BuildView *build = builds->pdata[i];

        begin_build(builder, build);
        api_add_text(builder, "reason", build->first_reason);
        api_add_number(builder, "reasons", build->n_reasons);
        json_builder_end_object(builder);
    }
    json_builder_end_array(builder);
    if (builds->len == limit)
        link_next(visit, ((const BuildView *) builds->pdata[builds->len - 1])->number, limit);
    api_answer(visit, SOUP_STATUS_OK, builder);
}

static void add_job(JsonBuilder *builder, const JobView *job) {
    json_builder_begin_object(builder);
    api_add_number(builder, "id", job->id);
    api_add_text(builder, "target", job->target);
    api_add_number(builder, "attempt", job->attempt);
    api_add_text(builder, "state", job->state);
    api_add_text(builder, "failure", job->failure);
    api_add_text(builder, "detail", job->detail);
    api_add_text(builder, "failingLines", job->failing_lines);
    api_add_number(builder, "failsLike", job->fails_like);
    api_add_text(builder, "waits", job->wait_reason);
    api_add_text(builder, "step", job->step);
    api_add_text(builder, "worker", job->worker);
    api_add_number(builder, "logSize", job->log_size);
    api_add_time(builder, "created", job->created);
    api_add_time(builder, "started", job->started);
    api_add_time(builder, "finished", job->finished);
    json_builder_end_object(builder);
}

static gboolean add_reasons(JsonBuilder *builder, Database *database, gint64 build, GError **error) {
    g_autoptr(GPtrArray) reasons = reason_views(database, build, error);

    if (!reasons)
        return FALSE;
    json_builder_set_member_name(builder, "reasons");
    json_builder_begin_array(builder);
    for (guint i = 0; i < reasons->len; i++)
        json_builder_add_string_value(builder, ((const ReasonView *) reasons->pdata[i])->text);
    json_builder_end_array(builder);
    return TRUE;
}

static gboolean add_artifacts(JsonBuilder *builder, Database *database, gint64 build, GError **error) {
    g_autoptr(GPtrArray) artifacts = artifact_views(database, build, error);

    if (!artifacts)
        return FALSE;
    json_builder_set_member_name(builder, "artifacts");
    json_builder_begin_array(builder);
    for (guint i = 0; i < artifacts->len; i++) {
        const ArtifactView *artifact = artifacts->pdata[i];

        json_builder_begin_object(builder);
        api_add_text(builder, "name", artifact->name);
        api_add_text(builder, "target", artifact->target);
        api_add_text(builder, "digest", artifact->digest);
        api_add_number(builder, "size", artifact->size);
        json_builder_end_object(builder);
    }
    json_builder_end_array(builder);
    return TRUE;
}

static gboolean add_build_parts(Visit *visit, JsonBuilder *builder, gint64 build, GError **error) {
    Database *database = visit->site->database;
    g_autoptr(GPtrArray) jobs = job_views(database, build, error);

    if (!jobs)
        return FALSE;
    json_builder_set_member_name(builder, "jobs");
    json_builder_begin_array(builder);
    for (guint i = 0; i < jobs->len; i++)
        add_job(builder, jobs->pdata[i]);
    json_builder_end_array(builder);
    return add_reasons(builder, database, build, error) && add_artifacts(builder, database, build, error);
}

void api_build(Visit *visit) {
    g_autoptr(GError) error = NULL;
    g_autoptr(ProjectView) project = api_find_project(visit, 3, ROLE_NONE);
    g_autoptr(BuildView) build = NULL;
    g_autoptr(JsonBuilder) builder = json_builder_new_immutable();

    if (!project)
        return;
    build = build_view(visit->site->database, project->id, api_number(visit_segment(visit, 6)), &error);
    if (!error && !build) {
        api_not_found(visit);
        return;
    }
    if (!error)
        begin_build(builder, build);
    if (error || !add_build_parts(visit, builder, build->id, &error)) {
        api_error(visit, error);
        return;
    }
    json_builder_end_object(builder);
    api_answer(visit, SOUP_STATUS_OK, builder);
}

void api_job(Visit *visit) {
    g_autoptr(GError) error = NULL;
    g_autoptr(ProjectView) project = NULL;
    g_autoptr(JobView) job = NULL;
    g_autoptr(JsonBuilder) builder = json_builder_new_immutable();
    gint64 number = 0;

    if (!api_may_read(visit))
        return;
    job = job_view(
            visit->site->database, &visit->viewer, api_number(visit_segment(visit, 3)), &project, &number, &error);
    if (error)
        api_error(visit, error);
    else if (!job)
        api_not_found(visit);
    else {
        add_job(builder, job);
        api_answer(visit, SOUP_STATUS_OK, builder);
    }
}

void api_queue(Visit *visit) {
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) queue = NULL;
    g_autoptr(JsonBuilder) builder = json_builder_new_immutable();
    gint64 hidden = 0;

    if (!api_may_read(visit))
        return;
    queue = queue_views(visit->site->database, &visit->viewer, 1000, &hidden, &error);
    if (!queue) {
        api_error(visit, error);
        return;
    }
    json_builder_begin_object(builder);
    api_add_number(builder, "others", hidden);
    json_builder_set_member_name(builder, "jobs");
    json_builder_begin_array(builder);
    for (guint i = 0; i < queue->len; i++) {
        const QueueView *job = queue->pdata[i];

        json_builder_begin_object(builder);
        api_add_number(builder, "job", job->job_id);
        api_add_text(builder, "namespace", job->namespace_name);
        api_add_text(builder, "project", job->project);
        api_add_number(builder, "build", job->number);
        api_add_text(builder, "target", job->target);
        api_add_text(builder, "state", job->state);
        api_add_text(builder, "waits", job->wait_reason);
        api_add_text(builder, "step", job->step);
        json_builder_end_object(builder);
    }
    json_builder_end_array(builder);
    json_builder_end_object(builder);
    api_answer(visit, SOUP_STATUS_OK, builder);
}

void api_sources(Visit *visit) {
    const SiteEngine *engine = visit->site->engine;
    g_autoptr(GError) error = NULL;
    g_autoptr(ProjectView) project = api_find_project(visit, 3, ROLE_MAINTAINER);
    g_autoptr(GPtrArray) sources = project ? engine->sources(engine->user, project->id, &error) : NULL;
    g_autoptr(JsonBuilder) builder = json_builder_new_immutable();

    if (error)
        api_error(visit, error);
    if (!sources)
        return;
    json_builder_begin_array(builder);
    for (guint i = 0; i < sources->len; i++) {
        const Source *source = sources->pdata[i];

        json_builder_begin_object(builder);
        api_add_text(builder, "name", source->name);
        api_add_text(builder, "kind", source->kind);
        api_add_text(builder, "url", source->url);
        api_add_text(builder, "branch", source->branch);
        api_add_text(builder, "revision", source->revision);
        api_add_text(builder, "error", source->error);
        json_builder_end_object(builder);
    }
    json_builder_end_array(builder);
    api_answer(visit, SOUP_STATUS_OK, builder);
}

void api_channels(Visit *visit) {
    g_autoptr(GError) error = NULL;
    g_autoptr(ProjectView) project = api_find_project(visit, 3, ROLE_NONE);
    g_autoptr(GPtrArray) channels = project ? channel_views(visit->site->database, project->id, &error) : NULL;
    g_autoptr(JsonBuilder) builder = json_builder_new_immutable();

    if (!project)
        return;
    if (!channels) {
        api_error(visit, error);
        return;
    }
    json_builder_begin_array(builder);
    for (guint i = 0; i < channels->len; i++) {
        const ChannelView *channel = channels->pdata[i];

        json_builder_begin_object(builder);
        api_add_text(builder, "name", channel->name);
        api_add_text(builder, "version", channel->version);
        api_add_time(builder, "published", channel->published);
        json_builder_end_object(builder);
    }
    json_builder_end_array(builder);
    api_answer(visit, SOUP_STATUS_OK, builder);
}

static void add_event(JsonBuilder *builder, const EventView *event) {
    json_builder_begin_object(builder);
    api_add_number(builder, "id", event->id);
    api_add_time(builder, "time", event->time);
    api_add_text(builder, "kind", event->kind);
    api_add_text(builder, "detail", event->detail);
    api_add_number(builder, "build", event->build_id);
    api_add_number(builder, "job", event->job_id);
    json_builder_end_object(builder);
}

void api_events(Visit *visit) {
    g_autoptr(GError) error = NULL;
    g_autoptr(ProjectView) project = api_find_project(visit, 3, ROLE_NONE);
    g_autoptr(GPtrArray) events = NULL;
    g_autoptr(JsonBuilder) builder = json_builder_new_immutable();
    gint64 limit = MAX(http_request_number(visit->http, "limit", LIMIT, LIMIT_MAX), 1);
    gint64 before = http_request_number(visit->http, "before", 0, G_MAXINT64);

    if (!project)
        return;
    events = event_views(visit->site->database, project->id, before, (guint) limit, &error);
    if (!events) {
        api_error(visit, error);
        return;
    }
    json_builder_begin_array(builder);
    for (guint i = 0; i < events->len; i++)
        add_event(builder, events->pdata[i]);
    json_builder_end_array(builder);
    if (events->len == limit)
        link_next(visit, ((const EventView *) events->pdata[events->len - 1])->id, limit);
    api_answer(visit, SOUP_STATUS_OK, builder);
}

void api_user(Visit *visit) {
    g_autoptr(JsonBuilder) builder = json_builder_new_immutable();

    if (!api_may(visit, SCOPE_READ))
        return;
    json_builder_begin_object(builder);
    api_add_text(builder, "name", visit->user->name);
    api_add_text(builder, "scope", scope_name(visit->token->scope));
    api_add_time(builder, "expires", visit->token->expires);
    json_builder_end_object(builder);
    api_answer(visit, SOUP_STATUS_OK, builder);
}
