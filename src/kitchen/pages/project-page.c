/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pages.h"

#include <string.h>

#include "kitchen/html/url.h"
#include "kitchen/model/results/parts.h"
#include "kitchen/pages/part.h"
#include "kitchen/site/frame.h"
#include "kitchen/site/words.h"

#define BUILDS_SHOWN 50

static void write_facts(Visit *visit, Html *html, const ProjectView *project) {
    html_open(html, "p", "class", "facts", NULL);
    html_link(html, project->url, project->url);
    html_text(html, ", branch ");
    html_element(html, "code", project->branch, NULL);
    if (project->directory[0]) {
        html_text(html, ", directory ");
        html_element(html, "code", project->directory, NULL);
    }
    if (project->forked_name) {
        html_text(html, ", a fork of ");
        html_text(html, project->forked_name);
    }
    html_text(html, project->polled ? ". Looked at " : ". Not looked at yet.");
    if (project->polled) {
        frame_time(visit, html, project->polled);
        html_text(html, ".");
    }
    html_close(html, "p");
    if (project->poll_error)
        html_element(html, "p", project->poll_error, "class", "message", "role", "alert", NULL);
}

static void write_buttons(Visit *visit, Html *html, const ProjectView *project, Role role) {
    g_autofree char *build = url_path(project->namespace_name, project->name, "build", NULL);
    g_autofree char *fork = url_path(project->namespace_name, project->name, "fork", NULL);

    if (!visit->session.csrf)
        return;
    html_open(html, "div", "class", "actions", NULL);
    if (role >= ROLE_MAINTAINER)
        frame_button(visit, html, build, "Build now", "main");
    frame_button(visit, html, fork, "Fork", NULL);
    html_close(html, "div");
}

static gboolean write_targets(Visit *visit, Html *html, const ProjectView *project, GError **error) {
    g_autoptr(GPtrArray) targets = target_views(visit->site->database, project->id, project->last_number, error);

    if (!targets)
        return FALSE;
    html_element(html, "h2", "Targets", NULL);
    html_open(html, "ul", "class", "cards", NULL);
    for (guint i = 0; i < targets->len; i++) {
        const TargetView *target = targets->pdata[i];

        html_open(html, "li", NULL);
        html_element(html, "strong", target->name, NULL);
        html_text(html, " ");
        html_text(html, target->profiles);
        html_text(html, " ");
        html_text(html, target->architecture);
        html_text(html, " ");
        frame_state(html, target->state ?: "not built");
        if (!target->required)
            html_element(html, "small", " not required", NULL);
        html_close(html, "li");
    }
    html_close(html, "ul");
    return TRUE;
}

static gboolean write_channels(Visit *visit, Html *html, const ProjectView *project, GError **error) {
    g_autoptr(GPtrArray) channels = channel_views(visit->site->database, project->id, error);

    if (!channels)
        return FALSE;
    html_element(html, "h2", "Channels", NULL);
    html_open(html, "ul", "class", "cards", NULL);
    for (guint i = 0; i < channels->len; i++) {
        const ChannelView *channel = channels->pdata[i];
        g_autofree char *path = url_path(project->namespace_name, project->name, "channels", channel->name, NULL);

        html_open(html, "li", NULL);
        html_element(html, "a", channel->name, "href", path, NULL);
        html_text(html, " ");
        html_text(html, channel->version ?: "nothing published yet");
        html_text(html, " ");
        if (channel->published)
            frame_time(visit, html, channel->published);
        html_close(html, "li");
    }
    html_close(html, "ul");
    return TRUE;
}

static gboolean write_history(Visit *visit, Html *html, const ProjectView *project, GError **error) {
    gint64 before = http_request_number(visit->http, "before", 0, G_MAXINT64);
    g_autoptr(GPtrArray) builds = build_views(visit->site->database, project->id, before, BUILDS_SHOWN, error);
    const BuildView *last = NULL;

    if (!builds)
        return FALSE;
    html_element(html, "h2", "Builds", NULL);
    if (builds->len == 0) {
        html_element(html, "p", "Nothing was built yet.", "class", "empty", NULL);
        return TRUE;
    }
    part_builds(visit, html, project, builds);
    last = builds->pdata[builds->len - 1];
    if (last->number > 1) {
        g_autofree char *number = g_strdup_printf("%" G_GINT64_FORMAT, last->number);
        g_autofree char *path = url_path(project->namespace_name, project->name, NULL);
        g_autofree char *older = url_with(path, "before", number);

        html_open(html, "p", NULL);
        html_element(html, "a", "Older builds", "href", older, "rel", "next", NULL);
        html_close(html, "p");
    }
    return TRUE;
}

void page_project(Visit *visit) {
    g_autoptr(GError) error = NULL;
    Role role = ROLE_NONE;
    g_autoptr(ProjectView) project = part_project(visit, ROLE_NONE, &role);
    Html *html = NULL;

    if (!project)
        return;
    html = part_begin(visit, project, project->title && project->title[0] ? project->title : project->name, "");
    write_facts(visit, html, project);
    write_buttons(visit, html, project, role);
    if (!write_targets(visit, html, project, &error) || !write_channels(visit, html, project, &error) ||
            !write_history(visit, html, project, &error)) {
        html_free(html);
        frame_error(visit, error);
        return;
    }
    frame_answer(visit, SOUP_STATUS_OK, html);
}

static const char *badge_colour(const char *state) {
    const char *tone = words_tone(state);

    return strcmp(tone, "good") == 0 ? "#1a7f37" : strcmp(tone, "bad") == 0 ? "#b42318" : "#57606a";
}

void page_badge(Visit *visit) {
    g_autoptr(Html) html = html_new();
    g_autoptr(ProjectView) project = part_project(visit, ROLE_NONE, NULL);
    g_autoptr(GBytes) body = NULL;
    g_autofree char *width = NULL;
    g_autofree char *middle = NULL;
    const char *state = NULL;
    guint right = 0;

    if (!project)
        return;
    state = project->last_state ?: "not built";
    right = 12 + 7 * (guint) strlen(state);
    width = g_strdup_printf("%u", right);
    middle = g_strdup_printf("%u", 52 + right / 2);
    html_begin_svg(html, 52 + right, 20, state);
    html_open(html, "g", "font-family", "Verdana,sans-serif", "font-size", "11", "text-anchor", "middle", NULL);
    html_element(html, "rect", NULL, "width", "52", "height", "20", "fill", "#333", NULL);
    html_element(html, "rect", NULL, "x", "52", "width", width, "height", "20", "fill", badge_colour(state), NULL);
    html_element(html, "text", "image", "x", "26", "y", "14", "fill", "#fff", NULL);
    html_element(html, "text", state, "x", middle, "y", "14", "fill", "#fff", NULL);
    html_close(html, "g");
    html_end_svg(html);
    body = html_take(html);
    http_header(visit->http, "Cache-Control", "no-cache");
    http_header(visit->http, "Cross-Origin-Resource-Policy", "cross-origin");
    http_answer(visit->http, SOUP_STATUS_OK, "image/svg+xml", body);
}

void page_build_now(Visit *visit) {
    g_autoptr(GError) error = NULL;
    g_autoptr(ProjectView) project = NULL;
    g_autofree char *path = NULL;
    const SiteEngine *engine = visit->site->engine;

    if (!part_session(visit) || !part_form(visit))
        return;
    project = part_project(visit, ROLE_MAINTAINER, NULL);
    if (!project)
        return;
    if (!engine->look(engine->user, project->id, "manual", visit->user->name, visit->user->id, TRUE, &error)) {
        frame_error(visit, error);
        return;
    }
    path = url_path(project->namespace_name, project->name, NULL);
    http_redirect(visit->http, path);
}

void page_fork(Visit *visit) {
    g_autoptr(GError) error = NULL;
    g_autoptr(ProjectView) project = NULL;
    g_autofree char *path = NULL;
    const SiteEngine *engine = visit->site->engine;
    gint64 space = 0;

    if (!part_session(visit) || !part_form(visit))
        return;
    project = part_project(visit, ROLE_NONE, NULL);
    if (!project)
        return;
    space = namespace_id_of(visit->site->database, visit->user->name, &error);
    /* With its own keys and members; credentials stay where they are. */
    if (error || !engine->create(engine->user, space, project->name, project->url, project->branch, project->directory,
                         NULL, project->is_public, project->id, visit->user->id, &error)) {
        frame_error(visit, error);
        return;
    }
    path = url_path(visit->user->name, project->name, NULL);
    http_redirect(visit->http, path);
}
