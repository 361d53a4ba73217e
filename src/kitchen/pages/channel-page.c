/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pages.h"

#include "kitchen/html/url.h"
#include "kitchen/pages/part.h"
#include "kitchen/site/frame.h"
#include "kitchen/site/words.h"

#define RELEASES_SHOWN 20

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

static gboolean write_transfers(
        Visit *visit, Html *html, const ProjectView *project, const char *channel, GError **error) {
    g_autoptr(GError) failure = NULL;
    g_autoptr(DatabaseRows) rows = database_select(visit->site->database,
            "SELECT name FROM target WHERE project_id = ? ORDER BY name", DB_VALUES(DB_INT(project->id)), error);

    if (!rows)
        return FALSE;
    html_element(html, "h2", "For devices", NULL);
    while (database_rows_next(rows, &failure)) {
        const char *target = database_rows_text(rows, 0);
        g_autofree char *text = transfer_text(visit->site, project, channel, target);

        html_element(html, "h3", target, NULL);
        html_element(html, "pre", text, "tabindex", "0", NULL);
    }
    if (failure)
        g_propagate_error(error, g_steal_pointer(&failure));
    return !error || !*error;
}

static gboolean write_releases(Visit *visit, Html *html, const ProjectView *project, gint64 channel, GError **error) {
    g_autoptr(GError) failure = NULL;
    g_autoptr(DatabaseRows) rows = database_select(visit->site->database,
            "SELECT r.version, r.state, coalesce(r.published, r.created), b.number FROM release r "
            "JOIN build b ON b.id = r.build_id WHERE r.channel_id = ? ORDER BY r.id DESC LIMIT ?",
            DB_VALUES(DB_INT(channel), DB_INT(RELEASES_SHOWN)), error);
    gboolean any = FALSE;

    if (!rows)
        return FALSE;
    html_element(html, "h2", "Releases", NULL);
    html_open(html, "ul", "class", "cards", NULL);
    while (database_rows_next(rows, &failure)) {
        g_autofree char *number = g_strdup_printf("%" G_GINT64_FORMAT, database_rows_integer(rows, 3));
        g_autofree char *path = url_path(project->namespace_name, project->name, "builds", number, NULL);
        g_autofree char *text = g_strdup_printf("build #%s", number);

        any = TRUE;
        html_open(html, "li", NULL);
        html_element(html, "code", database_rows_text(rows, 0), NULL);
        html_text(html, " ");
        frame_state(html, database_rows_text(rows, 1));
        html_text(html, " ");
        html_element(html, "a", text, "href", path, NULL);
        html_text(html, " ");
        frame_time(visit, html, database_rows_integer(rows, 2));
        html_close(html, "li");
    }
    if (!any)
        html_element(html, "li", "Nothing was published yet.", NULL);
    html_close(html, "ul");
    if (failure)
        g_propagate_error(error, g_steal_pointer(&failure));
    return !error || !*error;
}

void page_channel(Visit *visit) {
    g_autoptr(GError) error = NULL;
    g_autoptr(ProjectView) project = part_project(visit, ROLE_NONE, NULL);
    g_autofree char *title = NULL;
    gint64 channel = 0;
    Html *html = NULL;

    if (!project)
        return;
    channel = database_integer(visit->site->database, "SELECT id FROM channel WHERE project_id = ? AND name = ?",
            DB_VALUES(DB_INT(project->id), DB_TEXT(visit_segment(visit, 3))), 0, &error);
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

void page_keys(Visit *visit) {
    g_autoptr(GError) error = NULL;
    g_autoptr(ProjectView) project = part_project(visit, ROLE_NONE, NULL);
    g_autoptr(DatabaseRows) rows = NULL;
    Html *html = NULL;

    if (!project)
        return;
    rows = database_select(visit->site->database,
            "SELECT type, count(*), max(created) FROM signature WHERE project_id = ? GROUP BY type ORDER BY type",
            DB_VALUES(DB_INT(project->id)), &error);
    html = part_begin(visit, project, "Keys", "keys");
    html_element(html, "p",
            "The signer keeps the keys; the service asks it for signatures and never sees a private key. Each key has "
            "one purpose.",
            NULL);
    html_element(html, "h2", "Signatures", NULL);
    html_open(html, "ul", "class", "cards", NULL);
    while (rows && database_rows_next(rows, &error)) {
        html_open(html, "li", NULL);
        html_element(html, "strong", database_rows_text(rows, 0), NULL);
        html_textf(html, " %" G_GINT64_FORMAT " times, last ", database_rows_integer(rows, 1));
        frame_time(visit, html, database_rows_integer(rows, 2));
        html_close(html, "li");
    }
    html_close(html, "ul");
    if (error) {
        html_free(html);
        frame_error(visit, error);
        return;
    }
    frame_answer(visit, SOUP_STATUS_OK, html);
}
