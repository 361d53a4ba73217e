/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pages.h"

#include <string.h>

#include "kitchen/hook/judge.h"
#include "kitchen/html/url.h"
#include "kitchen/model/projects/credential.h"
#include "kitchen/model/projects/hook.h"
#include "kitchen/pages/part.h"
#include "kitchen/pages/settings.h"
#include "kitchen/site/frame.h"

#define TITLE_MAX 200
#define SECRET_MIN 16

/* The project of a form; NULL: the visit has been answered. */
static ProjectView *begin_form(Visit *visit, Role role, Role *ret_role) {
    return part_session(visit) && part_form(visit) ? part_project(visit, role, ret_role) : NULL;
}

static void back_to_settings(Visit *visit, const ProjectView *project) {
    g_autofree char *path = url_path(project->namespace_name, project->name, "settings", NULL);

    http_redirect(visit->http, path);
}

void page_settings_project(Visit *visit) {
    static const char *const packages[] = {"at-once", "daily", "never", NULL};
    g_autoptr(GError) error = NULL;
    g_autoptr(ProjectView) project = begin_form(visit, ROLE_MAINTAINER, NULL);
    const SiteEngine *engine = visit->site->engine;

    if (!project)
        return;
    if (strlen(visit_field(visit, "title")) > TITLE_MAX || !g_strv_contains(packages, visit_field(visit, "packages"))) {
        frame_message(visit, SOUP_STATUS_BAD_REQUEST,
                "The title of a project is short, and packages are built at-once, daily or never.");
        return;
    }
    if (!engine->edit(engine->user, project->id, visit_field(visit, "title"), visit_field(visit, "url"),
                visit_field(visit, "branch"), visit_field(visit, "directory"), visit_field(visit, "packages"),
                !visit_field(visit, "private")[0], &error))
        frame_error(visit, error);
    else
        back_to_settings(visit, project);
}

void page_settings_member(Visit *visit) {
    g_autoptr(GError) error = NULL;
    g_autoptr(ProjectView) project = begin_form(visit, ROLE_OWNER, NULL);
    g_autoptr(User) user = NULL;
    const char *role = visit_field(visit, "role");

    if (!project)
        return;
    user = user_by_name(visit->site->database, visit_field(visit, "user"), &error);
    if (!error && (!user || (!role_by_name(role) && strcmp(role, "none") != 0))) {
        frame_message(visit, SOUP_STATUS_BAD_REQUEST, "There is no such user or role.");
        return;
    }
    if (error || !member_set_role(visit->site->database, project->namespace_id, user->id, role_by_name(role), &error))
        frame_error(visit, error);
    else
        back_to_settings(visit, project);
}

void page_settings_hook(Visit *visit) {
    g_autoptr(GError) error = NULL;
    Role role = ROLE_NONE;
    g_autoptr(ProjectView) project = begin_form(visit, ROLE_MAINTAINER, &role);
    const char *secret = visit_field(visit, "secret");
    const char *kind = visit_field(visit, "kind");
    g_autofree char *made = NULL;
    g_autofree char *id = NULL;

    if (!project)
        return;
    if (hook_kind_by_name(kind) < 0 || (secret[0] && strlen(secret) < SECRET_MIN) || strlen(secret) > 1024) {
        frame_message(
                visit, SOUP_STATUS_BAD_REQUEST, "A hook needs a known forge, and a secret of 16 characters at least.");
        return;
    }
    if (!secret[0])
        made = secret_make(hook_kind_by_name(kind) == HOOK_GITLAB_SIGNED ? "whsec_" : "");
    if (!hook_add(visit->site->database, visit->site->box, project->id, kind, made ?: secret, visit->now, &id, &error))
        frame_error(visit, error);
    else if (made)
        settings_write(visit, project, role, made);
    else
        back_to_settings(visit, project);
}

void page_settings_credential(Visit *visit) {
    g_autoptr(GError) error = NULL;
    g_autoptr(ProjectView) project = begin_form(visit, ROLE_OWNER, NULL);
    const char *kind = visit_field(visit, "kind"), *name = visit_field(visit, "name"),
               *value = visit_field(visit, "value");

    if (!project)
        return;
    if (!credential_check(kind, name, value, &error))
        frame_message(visit, SOUP_STATUS_BAD_REQUEST, error->message);
    else if (!credential_set(
                     visit->site->database, visit->site->box, project->id, kind, name, value, visit->now, NULL, &error))
        frame_error(visit, error);
    else
        back_to_settings(visit, project);
}

void page_settings_remove_credential(Visit *visit) {
    g_autoptr(GError) error = NULL;
    g_autoptr(ProjectView) project = begin_form(visit, ROLE_OWNER, NULL);

    if (!project)
        return;
    if (!credential_remove(visit->site->database, project->id, part_number(visit_segment(visit, 4)), &error))
        frame_error(visit, error);
    else
        back_to_settings(visit, project);
}
