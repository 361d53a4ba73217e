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
    for (guint i = 0; i < targets->len; i++) {
        const TargetView *target = targets->pdata[i];
        g_autofree char *text = transfer_text(visit->site, project, channel, target->name);

        html_element(html, "h3", target->name, NULL);
        write_best_before(visit->site, html, project, channel, target->name);
        html_element(html, "pre", text, "tabindex", "0", NULL);
    }
    return TRUE;
}

static gboolean write_releases(Visit *visit, Html *html, const ProjectView *project, gint64 channel, GError **error) {
    g_autoptr(GPtrArray) releases = release_views(visit->site->database, channel, RELEASES_SHOWN, error);

    if (!releases)
        return FALSE;
    html_element(html, "h2", "Releases", NULL);
    html_open(html, "ul", "class", "cards", NULL);
    for (guint i = 0; i < releases->len; i++) {
        const ReleaseView *release = releases->pdata[i];
        g_autofree char *number = g_strdup_printf("%" G_GINT64_FORMAT, release->number);
        g_autofree char *path = url_path(project->namespace_name, project->name, "builds", number, NULL);
        g_autofree char *text = g_strdup_printf("build #%s", number);

        html_open(html, "li", NULL);
        html_element(html, "code", release->version, NULL);
        html_text(html, " ");
        frame_state(html, release->state);
        html_text(html, " ");
        html_element(html, "a", text, "href", path, NULL);
        html_text(html, " ");
        frame_time(visit, html, release->time);
        html_close(html, "li");
    }
    if (releases->len == 0)
        html_element(html, "li", "Nothing was published yet.", NULL);
    html_close(html, "ul");
    return TRUE;
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

void page_channel(Visit *visit) {
    g_autoptr(GError) error = NULL;
    g_autoptr(ProjectView) project = part_project(visit, ROLE_NONE, NULL);
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
    if (error || !write_releases(visit, html, project, channel, &error) ||
            !write_transfers(visit, html, project, visit_segment(visit, 3), &error)) {
        html_free(html);
        frame_error(visit, error);
        return;
    }
    frame_answer(visit, SOUP_STATUS_OK, html);
}
