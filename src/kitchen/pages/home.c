/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pages.h"

#include "kitchen/html/url.h"
#include "kitchen/pages/part.h"
#include "kitchen/site/frame.h"
#include "kitchen/site/words.h"

#define QUEUE_SHOWN 200

static void write_projects(Visit *visit, Html *html, gboolean mine, const char *space, GError **error) {
    g_autoptr(GPtrArray) projects = project_views(visit->site->database, &visit->viewer, mine, space, error);

    if (!projects)
        return;
    if (projects->len == 0)
        html_element(html, "p", mine ? "You have no project yet." : "There is no project that you may see.", "class",
                "empty", NULL);
    else
        part_projects(visit, html, mine ? "Your projects" : "All projects that you may see", projects);
}

static void write_queue(Visit *visit, Html *html, guint limit, GError **error) {
    gint64 hidden = 0;
    g_autoptr(GPtrArray) queue = queue_views(visit->site->database, &visit->viewer, limit, &hidden, error);

    if (!queue)
        return;
    if (queue->len == 0)
        html_element(html, "p", "Nothing is built, and nothing waits.", "class", "empty", NULL);
    else
        html_open(html, "ol", "class", "queue", NULL);
    for (guint i = 0; i < queue->len; i++) {
        const QueueView *job = queue->pdata[i];
        g_autofree char *number = g_strdup_printf("%" G_GINT64_FORMAT, job->number);
        g_autofree char *path = url_path(job->namespace_name, job->project, "builds", number, NULL);
        g_autofree char *text =
                g_strdup_printf("%s/%s #%s, %s", job->namespace_name, job->project, number, job->target);

        html_open(html, "li", NULL);
        frame_state(html, job->state);
        html_text(html, " ");
        html_element(html, "a", text, "href", path, NULL);
        html_text(html, " ");
        html_text(html, job->wait_reason ?: job->step);
        html_text(html, " ");
        frame_time(visit, html, job->created);
        html_close(html, "li");
    }
    if (queue->len > 0)
        html_close(html, "ol");
    if (hidden > 0)
        html_textf(html, "%" G_GINT64_FORMAT " more of others.", hidden);
}

void page_home(Visit *visit) {
    g_autoptr(GError) error = NULL;
    Html *html = frame_begin(visit, "Projects", NULL);

    if (visit->user) {
        html_open(html, "p", "class", "actions", NULL);
        html_element(html, "a", "New project", "class", "button", "href", "/new", NULL);
        html_close(html, "p");
    }
    if (visit->user)
        write_projects(visit, html, TRUE, NULL, &error);
    html_element(html, "h2", visit->user ? "All projects" : "Public projects", NULL);
    if (!error)
        write_projects(visit, html, FALSE, NULL, &error);
    html_element(html, "h2", "At work and waiting", NULL);
    if (!error)
        write_queue(visit, html, 10, &error);
    if (error) {
        html_free(html);
        frame_error(visit, error);
        return;
    }
    frame_answer(visit, SOUP_STATUS_OK, html);
}

void page_namespace(Visit *visit) {
    g_autoptr(GError) error = NULL;
    const char *name = visit_segment(visit, 0);
    g_autoptr(GPtrArray) projects = project_views(visit->site->database, &visit->viewer, FALSE, name, &error);
    Html *html = NULL;
    gint64 id = error ? 0 : namespace_id_of(visit->site->database, name, &error);
    Role role = id ? visit_role(visit, id, 0, &error) : ROLE_NONE;

    if (error) {
        frame_error(visit, error);
        return;
    }
    /* A namespace with nothing to see is like none. */
    if (projects->len == 0 && role == ROLE_NONE) {
        frame_not_found(visit);
        return;
    }
    html = frame_begin(visit, name, "Projects", "/", NULL);
    if (projects->len == 0)
        html_element(html, "p", "There is no project here yet.", "class", "empty", NULL);
    else
        part_projects(visit, html, "Projects", projects);
    frame_answer(visit, SOUP_STATUS_OK, html);
}

void page_queue(Visit *visit) {
    g_autoptr(GError) error = NULL;
    Html *html = frame_begin(visit, "Queue", NULL);

    write_queue(visit, html, QUEUE_SHOWN, &error);
    if (error) {
        html_free(html);
        frame_error(visit, error);
        return;
    }
    frame_answer(visit, SOUP_STATUS_OK, html);
}

void page_new_project(Visit *visit) {
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) spaces = NULL;
    Html *html = NULL;

    if (!part_session(visit))
        return;
    spaces = member_namespaces(visit->site->database, visit->user->id, ROLE_MAINTAINER, &error);
    if (!spaces) {
        frame_error(visit, error);
        return;
    }
    html = frame_begin(visit, "New project", "Projects", "/", NULL);
    frame_form(visit, html, "/new");
    html_open(html, "p", "class", "field", NULL);
    html_element(html, "label", "Namespace", "for", "f-namespace", NULL);
    html_open(html, "select", "id", "f-namespace", "name", "namespace", NULL);
    for (guint i = 0; i < spaces->len; i++)
        html_element(html, "option", spaces->pdata[i], NULL);
    html_close(html, "select");
    html_close(html, "p");
    frame_field(html, "Name", "name", "text", NULL, TRUE, "a-z, 0-9 and -");
    frame_field(html, "Git URL of the recipe", "url", "text", NULL, TRUE, "https://… or ssh://…");
    frame_field(html, "Branch", "branch", "text", "main", TRUE, NULL);
    frame_field(html, "Directory", "directory", "text", "", FALSE, "of the recipe in the repository; empty: its top");
    frame_field(html, "Profiles", "profiles", "text", "", FALSE, "with commas between");
    html_open(html, "p", "class", "field", NULL);
    html_open(html, "label", NULL);
    html_open(html, "input", "type", "checkbox", "name", "private", "value", "yes", NULL);
    html_text(html, " Private: only members see it");
    html_close(html, "label");
    html_close(html, "p");
    html_element(html, "button", "Create", NULL);
    html_close(html, "form");
    frame_answer(visit, SOUP_STATUS_OK, html);
}

void page_create_project(Visit *visit) {
    g_autoptr(GError) error = NULL;
    const SiteEngine *engine = visit->site->engine;
    g_autofree char *path = NULL;
    gint64 space = 0;
    Role role = ROLE_NONE;

    if (!part_session(visit) || !part_form(visit))
        return;
    space = namespace_id_of(visit->site->database, visit_field(visit, "namespace"), &error);
    if (space)
        role = visit_role(visit, space, 0, &error);
    if (error || role < ROLE_MAINTAINER) {
        if (error)
            frame_error(visit, error);
        else
            frame_message(visit, SOUP_STATUS_FORBIDDEN, "You do not maintain that namespace.");
        return;
    }
    if (!engine->create(engine->user, space, visit_field(visit, "name"), visit_field(visit, "url"),
                visit_field(visit, "branch"), visit_field(visit, "directory"), visit_field(visit, "profiles"),
                !visit_field(visit, "private")[0], 0, visit->user->id, &error)) {
        frame_error(visit, error);
        return;
    }
    path = url_path(visit_field(visit, "namespace"), visit_field(visit, "name"), NULL);
    http_redirect(visit->http, path);
}
