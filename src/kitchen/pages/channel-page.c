/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pages.h"

#include <string.h>

#include "base/directory.h"
#include "kitchen/html/url.h"
#include "kitchen/model/results/parts.h"
#include "kitchen/pages/part.h"
#include "kitchen/site/frame.h"
#include "kitchen/site/words.h"

#define RELEASES_SHOWN 20
#define BEST_BEFORE "BEST-BEFORE-"

/* The sources of transfers (sysupdate.d(5)) for a device that follows the channel: %M and %a are its image ID and architecture. */
static char *transfer_text(const Site *site, const ProjectView *project, const char *channel, const char *target) {
    static const char *const parts[] = {".usr-%a-verity-sig.raw", ".usr-%a-verity.@u.raw", ".usr-%a.@u.raw", ".efi"};
    GString *text = g_string_new(NULL);

    for (guint i = 0; i < G_N_ELEMENTS(parts); i++)
        g_string_append_printf(text,
                "[Source]\n"
                "Type=url-file\n"
                "Path=%s/%s/%s/%s/%s\n"
                "MatchPattern=%s.%s.%%M_@v_%%a%s\n%s",
                site->publish_url, project->namespace_name, project->name, target, channel, target, channel, parts[i],
                i + 1 < G_N_ELEMENTS(parts) ? "\n" : "");
    return g_string_free(text, FALSE);
}

/* How long devices believe what the channel offers to TARGET. The file of that name is there for them. */
static void write_best_before(
        const Site *site, Html *html, const ProjectView *project, const char *channel, const char *target) {
    g_autofree char *path = g_build_filename(
            site->publish_directory ?: "", project->namespace_name, project->name, target, channel, NULL);
    g_autoptr(GPtrArray) names = list_directory_if_any(path);

    for (guint i = 0; site->publish_directory && i < names->len; i++) {
        const char *name = names->pdata[i];

        if (!g_str_has_prefix(name, BEST_BEFORE))
            continue;
        html_open(html, "p", NULL);
        html_text(html, "What is published is good until ");
        html_element(html, "time", name + strlen(BEST_BEFORE), NULL);
        html_text(html, "; it is signed anew each day.");
        html_close(html, "p");
    }
}

static gboolean write_transfers(
        Visit *visit, Html *html, const ProjectView *project, const char *channel, GError **error) {
    g_autoptr(GPtrArray) targets = target_views(visit->site->database, project->id, 0, error);

    if (!targets)
        return FALSE;
    html_element(html, "h2", "For devices", NULL);
    html_element(html, "p",
            "At this address is what all devices get. Images that take part in rollouts ask below it, at b/00 to b/99, for "
            "their hundredth.",
            NULL);
    for (guint i = 0; i < targets->len; i++) {
        const TargetView *target = targets->pdata[i];
        g_autofree char *text = transfer_text(visit->site, project, channel, target->name);

        html_element(html, "h3", target->name, NULL);
        write_best_before(visit->site, html, project, channel, target->name);
        html_element(html, "pre", text, "tabindex", "0", NULL);
    }
    return TRUE;
}

/* ---- releases ---- */

/* How far a release is, as a bar and in words. */
static void write_course(Html *html, const ReleaseView *release) {
    g_autofree char *value = g_strdup_printf("%" G_GINT64_FORMAT, release->percent);
    g_autofree char *text = g_strdup_printf("%s %% of the devices", value);
    g_autofree char *label = g_strdup_printf("Devices that are offered %s", release->version);

    html_text(html, " ");
    html_element(html, "progress", text, "value", value, "max", "100", "aria-label", label, NULL);
    html_text(html, " ");
    html_element(html, "small", text, NULL);
    if (release->schedule && release->percent < 100) {
        html_text(html, " ");
        html_element(html, "code", release->schedule, NULL);
    }
}

/* A button that says WHAT about the release. */
static void write_button(
        Visit *visit, Html *html, const char *path, const ReleaseView *release, const char *field, const char *what) {
    g_autofree char *id = g_strdup_printf("%" G_GINT64_FORMAT, release->id);
    g_autofree char *text = g_strdup_printf("%s %s", what, release->version);

    frame_form(visit, html, path);
    html_open(html, "input", "type", "hidden", "name", field,
            "value", g_str_equal(field, "release") ? id : release->version, NULL);
    html_element(html, "button", text, NULL);
    html_close(html, "form");
}

static void write_buttons(
        Visit *visit, Html *html, const ProjectView *project, Role role, const ReleaseView *release) {
    const char *channel = visit_segment(visit, 3);
    g_autofree char *halt = url_path(project->namespace_name, project->name, "channels", channel, "halt", NULL);
    g_autofree char *withdraw = url_path(project->namespace_name, project->name, "channels", channel, "withdraw", NULL);
    gboolean published = g_str_equal(release->state, "published");

    if (role >= ROLE_MAINTAINER && published && !release->halted)
        write_button(visit, html, halt, release, "release", "Halt");
    if (role >= ROLE_OWNER && (published || g_str_equal(release->state, "approval")))
        write_button(visit, html, withdraw, release, "version", "Withdraw");
}

static void write_release(Visit *visit, Html *html, const ProjectView *project, Role role, const ReleaseView *release) {
    g_autofree char *number = g_strdup_printf("%" G_GINT64_FORMAT, release->number);
    g_autofree char *path = url_path(project->namespace_name, project->name, "builds", number, NULL);
    g_autofree char *text = g_strdup_printf("build #%s", number);

    html_open(html, "li", NULL);
    html_element(html, "code", release->version, NULL);
    html_text(html, " ");
    frame_state(html, release->halted && g_str_equal(release->state, "published") ? "halted" : release->state);
    html_text(html, " ");
    html_element(html, "a", text, "href", path, NULL);
    html_text(html, " ");
    frame_time(visit, html, release->time);
    if (g_str_equal(release->state, "published"))
        write_course(html, release);
    if (release->approvals > 0)
        html_textf(html, " approved by %" G_GINT64_FORMAT, release->approvals);
    if (release->detail)
        html_element(html, "p", release->detail, NULL);
    write_buttons(visit, html, project, role, release);
    html_close(html, "li");
}

static gboolean write_releases(
        Visit *visit, Html *html, const ProjectView *project, Role role, gint64 channel, GError **error) {
    g_autoptr(GPtrArray) releases = release_views(visit->site->database, channel, RELEASES_SHOWN, error);

    if (!releases)
        return FALSE;
    html_element(html, "h2", "Releases", NULL);
    html_open(html, "ul", "class", "cards", NULL);
    for (guint i = 0; i < releases->len; i++)
        write_release(visit, html, project, role, releases->pdata[i]);
    if (releases->len == 0)
        html_element(html, "li", "Nothing was published yet.", NULL);
    html_close(html, "ul");
    return TRUE;
}

/* ---- forms ---- */

static void write_release_form(Visit *visit, Html *html, const ProjectView *project) {
    g_autofree char *path =
            url_path(project->namespace_name, project->name, "channels", visit_segment(visit, 3), "release", NULL);

    html_element(html, "h2", "Release a build", NULL);
    frame_form(visit, html, path);
    frame_field(html, "Build", "build", "number", NULL, TRUE, "its number; again to raise its percentage");
    frame_field(html, "Percent", "percent", "number", NULL, FALSE,
            "of the devices; without it as the channel says. It only grows");
    frame_field(html, "Schedule", "schedule", "text", NULL, FALSE, "instead of a percentage: 5@0h,25@24h,100@72h");
    html_element(html, "button", "Release", NULL);
    html_close(html, "form");
}

static void write_channel_form(Visit *visit, Html *html, const ProjectView *project) {
    g_autofree char *path = url_path(project->namespace_name, project->name, "channels", NULL);

    html_element(html, "h2", "Make or change a channel", NULL);
    frame_form(visit, html, path);
    frame_field(html, "Name", "name", "text", visit_segment(visit, 3), TRUE, NULL);
    frame_field(html, "Schedule of new releases", "standard", "text", NULL, FALSE,
            "5@0h,25@24h,100@72h, for example; without it all devices at once");
    html_open(html, "p", "class", "field", NULL);
    html_open(html, "label", NULL);
    html_open(html, "input", "type", "checkbox", "name", "follows", "value", "yes", NULL);
    html_text(html, " Every good build is released to it");
    html_close(html, "label");
    html_close(html, "p");
    html_element(html, "button", "Save channel", NULL);
    html_close(html, "form");
}

/* The channel of the address; 0: there is none, or ERROR is set. */
static gint64 find_channel(Visit *visit, const ProjectView *project, GError **error) {
    g_autoptr(GPtrArray) channels = channel_views(visit->site->database, project->id, error);

    for (guint i = 0; channels && i < channels->len; i++) {
        const ChannelView *channel = channels->pdata[i];

        if (g_str_equal(channel->name, visit_segment(visit, 3)))
            return channel->id;
    }
    return 0;
}

/* The project of a form of a channel, if the visitor is ROLE there; RET_CHANNEL. NULL: the visit has been answered. */
static ProjectView *begin_form(Visit *visit, Role role, gint64 *ret_channel) {
    g_autoptr(GError) error = NULL;
    g_autoptr(ProjectView) project =
            part_session(visit) && part_form(visit) ? part_project(visit, role, NULL) : NULL;

    if (!project)
        return NULL;
    *ret_channel = find_channel(visit, project, &error);
    if (error)
        frame_error(visit, error);
    else if (*ret_channel == 0)
        frame_not_found(visit);
    return *ret_channel != 0 ? g_steal_pointer(&project) : NULL;
}

/* Back to the channel NAME, or to what went wrong. */
static void end_form(Visit *visit, const ProjectView *project, const char *name, gboolean good, const GError *error) {
    g_autofree char *path = url_path(project->namespace_name, project->name, "channels", name, NULL);

    if (good)
        http_redirect(visit->http, path);
    else
        frame_error(visit, error);
}

void page_release(Visit *visit) {
    const SiteEngine *engine = visit->site->engine;
    g_autoptr(GError) error = NULL;
    gint64 channel = 0;
    g_autoptr(ProjectView) project = begin_form(visit, ROLE_MAINTAINER, &channel);
    g_autoptr(BuildView) build = NULL;
    const char *percent = visit_field(visit, "percent"), *schedule = visit_field(visit, "schedule");

    if (!project)
        return;
    build = build_view(visit->site->database, project->id, part_number(visit_field(visit, "build")), &error);
    if (!error && !build) {
        frame_message(visit, SOUP_STATUS_BAD_REQUEST, "There is no build of that number.");
        return;
    }
    end_form(visit, project, visit_segment(visit, 3),
            build && engine->release(engine->user, channel, build->id, 0,
                             percent[0] ? (int) MIN(part_number(percent), 1000) : -1, schedule[0] ? schedule : NULL,
                             visit->user->id, &error),
            error);
}

void page_halt(Visit *visit) {
    const SiteEngine *engine = visit->site->engine;
    g_autoptr(GError) error = NULL;
    gint64 channel = 0, release = 0;
    g_autoptr(ProjectView) project = begin_form(visit, ROLE_MAINTAINER, &channel);
    g_autoptr(GPtrArray) releases = project ? release_views(visit->site->database, channel, RELEASES_SHOWN, &error) : NULL;

    if (!project)
        return;
    /* One of this channel, whatever the form says. */
    for (guint i = 0; releases && i < releases->len; i++)
        if (((const ReleaseView *) releases->pdata[i])->id == part_number(visit_field(visit, "release")))
            release = part_number(visit_field(visit, "release"));
    if (releases && release == 0)
        frame_message(visit, SOUP_STATUS_BAD_REQUEST, "The channel has no such release.");
    else
        end_form(visit, project, visit_segment(visit, 3),
                releases && engine->halt(engine->user, release, visit->user->id, &error), error);
}

void page_withdraw(Visit *visit) {
    const SiteEngine *engine = visit->site->engine;
    g_autoptr(GError) error = NULL;
    gint64 channel = 0;
    g_autoptr(ProjectView) project = begin_form(visit, ROLE_OWNER, &channel);

    if (project)
        end_form(visit, project, visit_segment(visit, 3),
                engine->withdraw(
                        engine->user, project->id, visit_field(visit, "version"), visit->user->id, &error),
                error);
}

void page_set_channel(Visit *visit) {
    const SiteEngine *engine = visit->site->engine;
    g_autoptr(GError) error = NULL;
    g_autoptr(ProjectView) project =
            part_session(visit) && part_form(visit) ? part_project(visit, ROLE_OWNER, NULL) : NULL;
    const char *schedule = visit_field(visit, "standard");

    if (project)
        end_form(visit, project, visit_field(visit, "name"),
                engine->set_channel(engine->user, project->id, visit_field(visit, "name"),
                        visit_field(visit, "follows")[0] != '\0', schedule[0] ? schedule : NULL, &error),
                error);
}

void page_channel(Visit *visit) {
    g_autoptr(GError) error = NULL;
    Role role = ROLE_NONE;
    g_autoptr(ProjectView) project = part_project(visit, ROLE_NONE, &role);
    g_autofree char *title = NULL;
    gint64 channel = 0;
    Html *html = NULL;

    if (!project)
        return;
    channel = find_channel(visit, project, &error);
    if (!error && channel == 0) {
        frame_not_found(visit);
        return;
    }
    title = g_strdup_printf("Channel %s", visit_segment(visit, 3));
    html = part_begin(visit, project, title, NULL);
    if (error || !write_releases(visit, html, project, role, channel, &error) ||
            !write_transfers(visit, html, project, visit_segment(visit, 3), &error)) {
        html_free(html);
        frame_error(visit, error);
        return;
    }
    if (role >= ROLE_MAINTAINER)
        write_release_form(visit, html, project);
    if (role >= ROLE_OWNER)
        write_channel_form(visit, html, project);
    frame_answer(visit, SOUP_STATUS_OK, html);
}
