/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "part.h"

#include <string.h>

#include "kitchen/html/url.h"
#include "kitchen/site/frame.h"
#include "kitchen/site/words.h"

ProjectView *part_project(Visit *visit, Role role, Role *ret_role) {
    g_autoptr(GError) error = NULL;
    g_autoptr(ProjectView) project = project_view(
            visit->site->database, &visit->viewer, visit_segment(visit, 0), visit_segment(visit, 1), &error);
    Role has = ROLE_NONE;

    if (project)
        has = visit_role(visit, project->namespace_id, project->id, &error);
    if (error) {
        frame_error(visit, error);
        return NULL;
    }
    if (!project) {
        frame_not_found(visit);
        return NULL;
    }
    if (has < role) {
        frame_denied(visit, role == ROLE_OWNER ? "Only owners of the namespace may do this."
                                               : "Only members of the namespace who maintain it may do this.");
        return NULL;
    }
    if (ret_role)
        *ret_role = has;
    return g_steal_pointer(&project);
}

gint64 part_number(const char *text) {
    guint64 number = 0;

    return g_ascii_string_to_unsigned(text, 10, 1, G_MAXINT64, &number, NULL) ? (gint64) number : 0;
}

BuildView *part_build(Visit *visit, const ProjectView *project) {
    g_autoptr(GError) error = NULL;
    BuildView *build = build_view(visit->site->database, project->id, part_number(visit_segment(visit, 3)), &error);

    if (error)
        frame_error(visit, error);
    else if (!build)
        frame_not_found(visit);
    return build;
}

gboolean part_form(Visit *visit) {
    g_autoptr(GError) error = NULL;

    if (visit_form(visit, &error))
        return TRUE;
    frame_message(visit, SOUP_STATUS_FORBIDDEN, error->message);
    return FALSE;
}

gboolean part_session(Visit *visit) {
    if (visit->user && visit->session.csrf)
        return TRUE;
    if (visit->user)
        frame_message(visit, SOUP_STATUS_FORBIDDEN, "Log in with a browser for this: a token is not enough.");
    else if (http_request_is_read(visit->http))
        http_redirect(visit->http, "/login");
    else
        frame_denied(visit, "");
    return FALSE;
}

static void write_tab(Html *html, const ProjectView *project, const char *current, const char *name, const char *text) {
    g_autofree char *path = name[0] ? url_path(project->namespace_name, project->name, name, NULL)
                                    : url_path(project->namespace_name, project->name, NULL);

    html_element(html, "a", text, "href", path, "aria-current", g_strcmp0(name, current) == 0 ? "page" : NULL, NULL);
}

Html *part_begin(Visit *visit, const ProjectView *project, const char *title, const char *current) {
    g_autofree char *space = url_path(project->namespace_name, NULL);
    g_autofree char *path = url_path(project->namespace_name, project->name, NULL);
    Html *html = frame_begin(visit, title, project->namespace_name, space, project->name, path, NULL);

    html_open(html, "nav", "class", "tabs", "aria-label", "Project", NULL);
    write_tab(html, project, current, "", "Builds");
    write_tab(html, project, current, "keys", "Keys");
    if (visit->user)
        write_tab(html, project, current, "settings", "Settings");
    html_close(html, "nav");
    return html;
}

static void begin_table(Html *html, const char *caption, const char *const *columns) {
    html_open(html, "div", "class", "wide", "tabindex", "0", "role", "region", "aria-label", caption, NULL);
    html_open(html, "table", NULL);
    html_element(html, "caption", caption, NULL);
    html_open(html, "thead", NULL);
    html_open(html, "tr", NULL);
    for (; *columns; columns++)
        html_element(html, "th", *columns, "scope", "col", NULL);
    html_close(html, "tr");
    html_close(html, "thead");
    html_open(html, "tbody", NULL);
}

static void end_table(Html *html) {
    html_close(html, "tbody");
    html_close(html, "table");
    html_close(html, "div");
}

void part_projects(Visit *visit, Html *html, const char *caption, GPtrArray *projects) {
    static const char *const columns[] = {"Project", "Last build", "Reason", "Published", "When", NULL};

    begin_table(html, caption, columns);
    for (guint i = 0; i < projects->len; i++) {
        const ProjectView *project = projects->pdata[i];
        g_autofree char *path = url_path(project->namespace_name, project->name, NULL);
        g_autofree char *name = g_strdup_printf("%s/%s", project->namespace_name, project->name);
        g_autofree char *number = g_strdup_printf("%" G_GINT64_FORMAT, project->last_number);
        g_autofree char *build = url_path(project->namespace_name, project->name, "builds", number, NULL);
        g_autofree char *text = g_strdup_printf("#%s", number);

        html_open(html, "tr", NULL);
        html_open(html, "th", "scope", "row", NULL);
        html_element(html, "a", name, "href", path, NULL);
        if (!project->is_public)
            html_element(html, "small", " private", NULL);
        html_close(html, "th");
        html_open(html, "td", NULL);
        if (project->last_number > 0) {
            html_element(html, "a", text, "href", build, NULL);
            html_text(html, " ");
            frame_state(html, project->last_state);
        } else
            html_text(html, "not built yet");
        html_close(html, "td");
        html_open(html, "td", "class", "words", NULL);
        part_marked(html, project->last_wait ?: project->last_reason ?: "");
        html_close(html, "td");
        html_open(html, "td", "class", "short", NULL);
        if (project->released) {
            html_element(html, "code", project->released, NULL);
            html_text(html, " ");
            html_element(html, "small", project->released_to, NULL);
        }
        html_close(html, "td");
        html_open(html, "td", NULL);
        if (project->last_time)
            frame_time(visit, html, project->last_time);
        html_close(html, "td");
        html_close(html, "tr");
    }
    end_table(html);
}

char *part_cause(const BuildView *build) {
    static const char *const words[][2] = {{"push", "pushed"}, {"poll", "found by looking"},
            {"packages", "packages changed"}, {"base", "base changed"}, {"source", "source changed"},
            {"manual", "asked for"}, {"first", "first build"}};
    const char *text = build->cause;

    for (gsize i = 0; i < G_N_ELEMENTS(words); i++)
        if (g_strcmp0(words[i][0], build->cause) == 0)
            text = words[i][1];
    return build->caused_by && build->caused_by[0] ? g_strdup_printf("%s by %s", text, build->caused_by)
                                                   : g_strdup(text);
}

void part_marked(Html *html, const char *text) {
    g_auto(GStrv) pieces = g_strsplit(text, "`", -1);
    guint n = g_strv_length(pieces);

    /* A last backtick without a partner is text. */
    for (guint i = 0; i < n; i++)
        if (i % 2 == 0)
            html_text(html, pieces[i]);
        else if (i + 1 < n)
            html_element(html, "code", pieces[i], NULL);
        else
            html_textf(html, "`%s", pieces[i]);
}

static void write_reason(Html *html, const BuildView *build) {
    g_autofree char *cause = part_cause(build);

    html_open(html, "td", "class", "words", NULL);
    part_marked(html, build->wait_reason ?: build->first_reason ?: build->detail ?: cause);
    if (!build->wait_reason && build->n_reasons > 1) {
        g_autofree char *more = g_strdup_printf(" · %" G_GINT64_FORMAT " more %s", build->n_reasons - 1,
                build->n_reasons == 2 ? "reason" : "reasons");

        html_element(html, "small", more, NULL);
    }
    html_close(html, "td");
}

static void write_commit(Html *html, const BuildView *build) {
    g_autofree char *commit = words_commit(build->commit);

    html_open(html, "td", "class", "words", NULL);
    html_element(html, "code", commit, NULL);
    if (build->subject) {
        html_text(html, " ");
        html_text(html, build->subject);
    }
    html_close(html, "td");
}

void part_builds(Visit *visit, Html *html, const ProjectView *project, GPtrArray *builds) {
    static const char *const columns[] = {"Build", "State", "Reason", "Commit", "Took", "When", NULL};

    begin_table(html, "Builds", columns);
    for (guint i = 0; i < builds->len; i++) {
        const BuildView *build = builds->pdata[i];
        g_autofree char *number = g_strdup_printf("%" G_GINT64_FORMAT, build->number);
        g_autofree char *path = url_path(project->namespace_name, project->name, "builds", number, NULL);
        g_autofree char *text = g_strdup_printf("#%s", number);
        g_autofree char *took =
                build->started ? words_duration((build->finished ?: visit->now) - build->started) : NULL;

        html_open(html, "tr", NULL);
        html_open(html, "th", "scope", "row", NULL);
        html_element(html, "a", text, "href", path, "title", build->version, NULL);
        html_close(html, "th");
        html_open(html, "td", NULL);
        frame_state(html, build->state);
        if (build->failure) {
            html_text(html, " ");
            html_element(html, "small", build->failure, NULL);
        }
        html_close(html, "td");
        write_reason(html, build);
        write_commit(html, build);
        html_element(html, "td", took ?: "", "class", "short", NULL);
        html_open(html, "td", "class", "short", NULL);
        frame_time(visit, html, build->finished ?: build->started ?: build->created);
        html_close(html, "td");
        html_close(html, "tr");
    }
    end_table(html);
}
