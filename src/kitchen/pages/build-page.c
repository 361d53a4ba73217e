/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pages.h"

#include <string.h>

#include "kitchen/html/url.h"
#include "kitchen/model/results/parts.h"
#include "kitchen/pages/part.h"
#include "kitchen/site/frame.h"
#include "kitchen/site/words.h"

static char *job_path(const ProjectView *project, const BuildView *build, gint64 job) {
    g_autofree char *number = g_strdup_printf("%" G_GINT64_FORMAT, build->number);
    g_autofree char *id = g_strdup_printf("%" G_GINT64_FORMAT, job);

    return url_path(project->namespace_name, project->name, "builds", number, "jobs", id, "log", NULL);
}

static gboolean write_reasons(Visit *visit, Html *html, const BuildView *build, GError **error) {
    g_autofree char *cause = part_cause(build);
    g_autoptr(GPtrArray) reasons = reason_views(visit->site->database, build->id, error);

    if (!reasons)
        return FALSE;
    html_open(html, "section", "class", "why", NULL);
    html_element(html, "h2", "Why", NULL);
    html_open(html, "ul", NULL);
    html_element(html, "li", cause, NULL);
    for (guint i = 0; i < reasons->len; i++) {
        const ReasonView *reason = reasons->pdata[i];

        html_open(html, "li", NULL);
        part_marked(html, reason->text);
        if (reason->target) {
            html_text(html, " ");
            html_element(html, "small", reason->target, NULL);
        }
        html_close(html, "li");
    }
    html_close(html, "ul");
    html_close(html, "section");
    return TRUE;
}

static void write_like(Html *html, const ProjectView *project, const JobView *job) {
    g_autofree char *number = g_strdup_printf("%" G_GINT64_FORMAT, job->fails_like);
    g_autofree char *path = url_path(project->namespace_name, project->name, "builds", number, NULL);
    g_autofree char *text = g_strdup_printf("failed #%s", number);

    html_open(html, "p", NULL);
    html_text(html, "Same as ");
    html_element(html, "a", text, "href", path, NULL);
    html_text(html, ": the failing lines are equal.");
    html_close(html, "p");
}

/* On failure this comes first. */
static void write_failures(Html *html, const ProjectView *project, const BuildView *build, GPtrArray *jobs) {
    if (strcmp(build->state, "failed") != 0)
        return;
    html_open(html, "section", "class", "failure", NULL);
    html_element(html, "h2", "What failed", NULL);
    html_open(html, "p", NULL);
    html_element(html, "strong", build->failure ?: "failed", NULL);
    html_text(html, ": ");
    html_text(html, build->detail ?: "see the log");
    if (build->same_as > 0)
        html_textf(html, " (the same inputs as #%" G_GINT64_FORMAT ")", build->same_as);
    html_close(html, "p");
    for (guint i = 0; i < jobs->len; i++) {
        const JobView *job = jobs->pdata[i];
        g_autofree char *path = job_path(project, build, job->id);

        if (strcmp(job->state, "failed") != 0 || (!job->failing_lines && !job->detail))
            continue;
        html_open(html, "h3", NULL);
        html_element(html, "a", job->target, "href", path, NULL);
        html_close(html, "h3");
        if (job->detail && g_strcmp0(job->detail, build->detail) != 0)
            html_element(html, "p", job->detail, NULL);
        if (job->fails_like > 0)
            write_like(html, project, job);
        if (job->failing_lines)
            html_element(html, "pre", job->failing_lines, "class", "log", "tabindex", "0", NULL);
    }
    html_close(html, "section");
}

static void write_summary(Visit *visit, Html *html, const BuildView *build) {
    g_autofree char *took = build->started ? words_duration((build->finished ?: visit->now) - build->started) : NULL;

    html_open(html, "p", "class", "facts", NULL);
    html_open(html, "span", "id", "build-state", NULL);
    frame_state(html, build->state);
    html_close(html, "span");
    html_text(html, " Version ");
    html_element(html, "code", build->version, NULL);
    if (build->commit) {
        html_text(html, ", commit ");
        html_element(html, "code", build->commit, NULL);
    }
    if (build->subject) {
        html_text(html, " “");
        html_text(html, build->subject);
        html_text(html, "”");
    }
    if (build->author) {
        html_text(html, " by ");
        html_text(html, build->author);
    }
    html_text(html, ", ");
    frame_time(visit, html, build->created);
    if (took) {
        html_text(html, ", took ");
        html_text(html, took);
    }
    html_close(html, "p");
    if (build->wait_reason)
        html_element(html, "p", build->wait_reason, "class", "wait", NULL);
    if (build->detail && strcmp(build->state, "failed") != 0)
        html_element(html, "p", build->detail, "class", "wait", NULL);
}

static void write_jobs(Visit *visit, Html *html, const ProjectView *project, const BuildView *build, GPtrArray *jobs) {
    html_element(html, "h2", "Jobs", NULL);
    html_open(html, "ul", "class", "cards", NULL);
    for (guint i = 0; i < jobs->len; i++) {
        const JobView *job = jobs->pdata[i];
        g_autofree char *path = job_path(project, build, job->id);
        g_autofree char *took = job->started ? words_duration((job->finished ?: visit->now) - job->started) : NULL;

        html_open(html, "li", NULL);
        html_element(html, "strong", job->target, NULL);
        html_text(html, " ");
        frame_state(html, job->skipped ? "skipped" : job->state);
        if (job->attempt > 1)
            html_textf(html, " attempt %" G_GINT64_FORMAT, job->attempt);
        html_text(html, " ");
        html_element(html, "span", job->wait_reason ?: job->step ?: "", "class", "step", NULL);
        if (took) {
            html_text(html, " ");
            html_text(html, took);
        }
        if (job->worker) {
            html_text(html, " ");
            html_element(html, "small", job->worker, NULL);
        }
        html_text(html, " ");
        html_element(html, "a", "Log", "href", path, NULL);
        html_close(html, "li");
    }
    html_close(html, "ul");
}

static gboolean write_artifacts(Visit *visit, Html *html, const BuildView *build, GError **error) {
    g_autoptr(GPtrArray) artifacts = artifact_views(visit->site->database, build->id, error);

    if (!artifacts || artifacts->len == 0)
        return artifacts != NULL;
    html_element(html, "h2", "Artifacts", NULL);
    html_open(html, "ul", "class", "artifacts", NULL);
    for (guint i = 0; i < artifacts->len; i++) {
        const ArtifactView *artifact = artifacts->pdata[i];
        g_autofree char *size = words_size(artifact->size);
        g_autofree char *path = url_path("sha256", artifact->digest, NULL);

        html_open(html, "li", NULL);
        html_element(html, "a", artifact->name, "href", path, NULL);
        html_textf(html, " %s %s ", artifact->target, size);
        html_element(html, "code", artifact->digest, "class", "digest", NULL);
        html_close(html, "li");
    }
    html_close(html, "ul");
    return TRUE;
}

static gboolean write_signatures(Visit *visit, Html *html, const BuildView *build, GError **error) {
    g_autoptr(GPtrArray) signatures = signature_views(visit->site->database, build->id, error);

    if (!signatures || signatures->len == 0)
        return signatures != NULL;
    html_element(html, "h2", "Signatures", NULL);
    html_open(html, "ul", NULL);
    for (guint i = 0; i < signatures->len; i++) {
        const SignatureView *signature = signatures->pdata[i];

        html_open(html, "li", NULL);
        html_element(html, "strong", signature->type, NULL);
        html_text(html, " ");
        html_text(html, signature->title);
        if (signature->leaf >= 0)
            html_textf(html, " (log entry %" G_GINT64_FORMAT ")", signature->leaf);
        html_close(html, "li");
    }
    html_close(html, "ul");
    return TRUE;
}

static gboolean is_over(const char *state) {
    static const char *const over[] = {"published", "skipped", "superseded", "cancelled", "failed", NULL};

    return g_strv_contains(over, state);
}

static void write_buttons(Visit *visit, Html *html, const ProjectView *project, const BuildView *build, Role role) {
    g_autofree char *number = g_strdup_printf("%" G_GINT64_FORMAT, build->number);
    g_autofree char *retry = url_path(project->namespace_name, project->name, "builds", number, "retry", NULL);
    g_autofree char *cancel = url_path(project->namespace_name, project->name, "builds", number, "cancel", NULL);

    if (!visit->session.csrf || role < ROLE_MAINTAINER)
        return;
    html_open(html, "div", "class", "actions", NULL);
    if (is_over(build->state))
        frame_button(visit, html, retry, "Build again", "main");
    else
        frame_button(visit, html, cancel, "Cancel", "danger");
    html_close(html, "div");
}

void page_build(Visit *visit) {
    g_autoptr(GError) error = NULL;
    Role role = ROLE_NONE;
    g_autoptr(ProjectView) project = part_project(visit, ROLE_NONE, &role);
    g_autoptr(BuildView) build = project ? part_build(visit, project) : NULL;
    g_autoptr(GPtrArray) jobs = NULL;
    g_autofree char *title = NULL;
    Html *html = NULL;

    if (!build)
        return;
    jobs = job_views(visit->site->database, build->id, &error);
    if (!jobs) {
        frame_error(visit, error);
        return;
    }
    title = g_strdup_printf("Build #%" G_GINT64_FORMAT, build->number);
    html = part_begin(visit, project, title, NULL);
    /* Pages of builds that go on are asked for again; without JavaScript by hand. */
    html_open(html, "div", "data-live", is_over(build->state) ? NULL : "build", "data-state", build->state, NULL);
    write_failures(html, project, build, jobs);
    if (!write_reasons(visit, html, build, &error)) {
        html_free(html);
        frame_error(visit, error);
        return;
    }
    write_summary(visit, html, build);
    write_buttons(visit, html, project, build, role);
    write_jobs(visit, html, project, build, jobs);
    if (!write_artifacts(visit, html, build, &error) || !write_signatures(visit, html, build, &error)) {
        html_free(html);
        frame_error(visit, error);
        return;
    }
    html_close(html, "div");
    frame_answer(visit, SOUP_STATUS_OK, html);
}

static void go_to_build(Visit *visit, const ProjectView *project, gint64 number) {
    g_autofree char *text = g_strdup_printf("%" G_GINT64_FORMAT, number);
    g_autofree char *path = url_path(project->namespace_name, project->name, "builds", text, NULL);

    http_redirect(visit->http, path);
}

void page_retry(Visit *visit) {
    g_autoptr(GError) error = NULL;
    g_autoptr(ProjectView) project = NULL;
    g_autoptr(BuildView) build = NULL;
    const SiteEngine *engine = visit->site->engine;
    gint64 number = 0;

    if (!part_session(visit) || !part_form(visit))
        return;
    project = part_project(visit, ROLE_MAINTAINER, NULL);
    build = project ? part_build(visit, project) : NULL;
    if (!build)
        return;
    number = engine->retry(engine->user, build->id, visit->user->id, visit->user->name, &error);
    if (number == 0)
        frame_error(visit, error);
    else
        go_to_build(visit, project, number);
}

void page_cancel(Visit *visit) {
    g_autoptr(GError) error = NULL;
    g_autoptr(ProjectView) project = NULL;
    g_autoptr(BuildView) build = NULL;
    const SiteEngine *engine = visit->site->engine;

    if (!part_session(visit) || !part_form(visit))
        return;
    project = part_project(visit, ROLE_MAINTAINER, NULL);
    build = project ? part_build(visit, project) : NULL;
    if (!build)
        return;
    if (!engine->cancel(engine->user, build->id, visit->user->id, &error))
        frame_error(visit, error);
    else
        go_to_build(visit, project, build->number);
}
