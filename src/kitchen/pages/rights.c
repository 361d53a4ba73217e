/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a project may do that its owners cannot give themselves. */
#include "kitchen/html/url.h"
#include "kitchen/pages/pages.h"
#include "kitchen/pages/part.h"
#include "kitchen/pages/settings.h"
#include "kitchen/site/frame.h"

gboolean settings_write_rights(Visit *visit, Html *html, const ProjectView *project, GError **error) {
    g_autofree char *path = url_path(project->namespace_name, project->name, "settings", "rights", NULL);
    g_autoptr(GError) failure = NULL;
    gboolean network = database_integer(visit->site->database, "SELECT script_network FROM project WHERE id = ?",
                               DB_VALUES(DB_INT(project->id)), 0, &failure) != 0;

    if (failure) {
        g_propagate_error(error, g_steal_pointer(&failure));
        return FALSE;
    }
    html_element(html, "h2", "Rights", NULL);
    html_element(html, "p",
            network ? "Scripts of the recipe have network where it asks for that (WithNetwork=yes, scripts that prepare)."
                    : "Scripts of the recipe have no network; a recipe that asks for it fails.",
            NULL);
    if (!visit->user->admin) {
        html_element(html, "p", "An administrator of the service can change that.", NULL);
        return TRUE;
    }
    frame_form(visit, html, path);
    html_open(html, "p", "class", "field", NULL);
    html_open(html, "label", NULL);
    html_open(
            html, "input", "type", "checkbox", "name", "network", "value", "yes", "checked", network ? "" : NULL, NULL);
    html_text(html, " Scripts may use the network of the machine that builds");
    html_close(html, "label");
    html_close(html, "p");
    html_element(html, "button", "Save rights", NULL);
    html_close(html, "form");
    return TRUE;
}

void page_settings_rights(Visit *visit) {
    g_autoptr(GError) error = NULL;
    g_autoptr(ProjectView) project =
            part_session(visit) && part_form(visit) ? part_project(visit, ROLE_OWNER, NULL) : NULL;
    g_autofree char *path = NULL;

    if (!project)
        return;
    if (!visit->user->admin) {
        frame_message(visit, SOUP_STATUS_FORBIDDEN, "Rights of projects are given by administrators of the service.");
        return;
    }
    if (!database_run(visit->site->database, "UPDATE project SET script_network = ? WHERE id = ?",
                DB_VALUES(DB_INT(visit_field(visit, "network")[0] != '\0'), DB_INT(project->id)), &error)) {
        frame_error(visit, error);
        return;
    }
    path = url_path(project->namespace_name, project->name, "settings", NULL);
    http_redirect(visit->http, path);
}
