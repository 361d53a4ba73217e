/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "api.h"

#include <string.h>

#include "kitchen/model/database/model.h"
#include "kitchen/model/results/parts.h"
#include "kitchen/serve/api-answer.h"
#include "kitchen/serve/api-change.h"

#define RELEASES_SHOWN 50

gint64 api_find_channel(Visit *visit, const ProjectView *project, const char *name, GError **error) {
    g_autoptr(GPtrArray) channels = channel_views(visit->site->database, project->id, error);

    for (guint i = 0; channels && i < channels->len; i++) {
        const ChannelView *channel = channels->pdata[i];

        if (g_str_equal(channel->name, name))
            return channel->id;
    }
    if (channels)
        g_set_error(error, MODEL_ERROR, MODEL_ERROR_NOT_FOUND, "The project has no channel \"%s\"", name);
    return 0;
}

static void add_release(JsonBuilder *builder, const ReleaseView *release) {
    json_builder_begin_object(builder);
    api_add_text(builder, "version", release->version);
    api_add_text(builder, "state", release->halted ? "halted" : release->state);
    api_add_number(builder, "build", release->number);
    api_add_number(builder, "percent", release->percent);
    api_add_text(builder, "schedule", release->schedule);
    api_add_number(builder, "approvals", release->approvals);
    api_add_text(builder, "detail", release->detail);
    api_add_time(builder, "time", release->time);
    json_builder_end_object(builder);
}

void api_channel(Visit *visit) {
    g_autoptr(GError) error = NULL;
    g_autoptr(ProjectView) project = api_find_project(visit, 3, ROLE_NONE);
    gint64 channel = project ? api_find_channel(visit, project, visit_segment(visit, 6), &error) : 0;
    g_autoptr(GPtrArray) releases =
            channel != 0 ? release_views(visit->site->database, channel, RELEASES_SHOWN, &error) : NULL;
    g_autoptr(JsonBuilder) builder = json_builder_new_immutable();

    if (!project)
        return;
    if (g_error_matches(error, MODEL_ERROR, MODEL_ERROR_NOT_FOUND)) {
        api_not_found(visit);
        return;
    }
    if (!releases) {
        api_error(visit, error);
        return;
    }
    json_builder_begin_object(builder);
    api_add_text(builder, "name", visit_segment(visit, 6));
    json_builder_set_member_name(builder, "releases");
    json_builder_begin_array(builder);
    for (guint i = 0; i < releases->len; i++)
        add_release(builder, releases->pdata[i]);
    json_builder_end_array(builder);
    json_builder_end_object(builder);
    api_answer(visit, SOUP_STATUS_OK, builder);
}

/* The whole number of the member NAME; FALLBACK when there is none. */
static gint64 number_member(JsonNode *body, const char *name, gint64 fallback) {
    JsonNode *node = json_object_get_member(json_node_get_object(body), name);

    return node && JSON_NODE_HOLDS_VALUE(node) && json_node_get_value_type(node) == G_TYPE_INT64 ? json_node_get_int(node)
                                                                                                 : fallback;
}

static gboolean set_channel(Visit *visit, const ProjectView *project, JsonNode *body, char **ret_text, GError **error) {
    const SiteEngine *engine = visit->site->engine;
    const char *follows = api_member(body, "follows", "no");

    *ret_text = g_strdup("{}\n");
    if (!g_str_equal(follows, "yes") && !g_str_equal(follows, "no")) {
        g_set_error(error, MODEL_ERROR, MODEL_ERROR_INVALID, "\"follows\" is \"yes\" or \"no\"");
        return FALSE;
    }
    return engine->set_channel(engine->user, project->id, api_member(body, "name", ""), g_str_equal(follows, "yes"),
            api_member(body, "schedule", NULL), error);
}

void api_set_channel(Visit *visit) {
    g_autoptr(ProjectView) project = api_find_project(visit, 3, ROLE_OWNER);
    g_autoptr(JsonNode) body = project ? api_read_body(visit) : NULL;

    if (body)
        api_run_once(visit, project, body, set_channel);
}

/* The build that the body names; 0 with ERROR set. */
static gint64 find_build(Visit *visit, const ProjectView *project, gint64 number, GError **error) {
    g_autoptr(BuildView) build = build_view(visit->site->database, project->id, number, error);

    if (!build && !*error)
        g_set_error(error, MODEL_ERROR, MODEL_ERROR_NOT_FOUND, "There is no such build: look at the list of builds");
    return build ? build->id : 0;
}

static gboolean release(Visit *visit, const ProjectView *project, JsonNode *body, char **ret_text, GError **error) {
    const SiteEngine *engine = visit->site->engine;
    const char *from = api_member(body, "from", NULL);
    gint64 channel = api_find_channel(visit, project, visit_segment(visit, 6), error), source = 0, build = 0;

    *ret_text = g_strdup("{}\n");
    if (channel == 0)
        return FALSE;
    if (from)
        source = api_find_channel(visit, project, from, error);
    else
        build = find_build(visit, project, number_member(body, "build", 0), error);
    if (source == 0 && build == 0)
        return FALSE;
    return engine->release(engine->user, channel, build, source,
            (int) CLAMP(number_member(body, "percent", -1), -1, 1000), api_member(body, "schedule", NULL),
            visit->user->id, error);
}

void api_release(Visit *visit) {
    g_autoptr(ProjectView) project = api_find_project(visit, 3, ROLE_MAINTAINER);
    g_autoptr(JsonNode) body = project ? api_read_body(visit) : NULL;

    if (body)
        api_run_once(visit, project, body, release);
}

static gboolean halt(Visit *visit, const ProjectView *project, JsonNode *body, char **ret_text, GError **error) {
    const SiteEngine *engine = visit->site->engine;
    gint64 channel = api_find_channel(visit, project, visit_segment(visit, 6), error);
    gint64 number = number_member(body, "build", 0);
    g_autoptr(GPtrArray) releases =
            channel != 0 ? release_views(visit->site->database, channel, RELEASES_SHOWN, error) : NULL;

    *ret_text = g_strdup("{}\n");
    for (guint i = 0; releases && i < releases->len; i++) {
        const ReleaseView *view = releases->pdata[i];

        if (view->number == number)
            return engine->halt(engine->user, view->id, visit->user->id, error);
    }
    if (releases)
        g_set_error(error, MODEL_ERROR, MODEL_ERROR_NOT_FOUND, "The channel has no release of that build");
    return FALSE;
}

void api_halt(Visit *visit) {
    g_autoptr(ProjectView) project = api_find_project(visit, 3, ROLE_MAINTAINER);
    g_autoptr(JsonNode) body = project ? api_read_body(visit) : NULL;

    if (body)
        api_run_once(visit, project, body, halt);
}

static gboolean withdraw(Visit *visit, const ProjectView *project, JsonNode *body, char **ret_text, GError **error) {
    const SiteEngine *engine = visit->site->engine;
    g_autoptr(BuildView) build =
            build_view(visit->site->database, project->id, api_number(visit_segment(visit, 6)), error);

    *ret_text = g_strdup("{}\n");
    if (!build && !*error)
        g_set_error(error, MODEL_ERROR, MODEL_ERROR_NOT_FOUND, "There is no such build: look at the list of builds");
    return build && engine->withdraw(engine->user, project->id, build->version, visit->user->id, error);
}

void api_withdraw(Visit *visit) {
    g_autoptr(ProjectView) project = api_find_project(visit, 3, ROLE_OWNER);

    if (project)
        api_run_once(visit, project, NULL, withdraw);
}
