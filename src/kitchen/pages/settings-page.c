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

#define DELIVERIES_SHOWN 50

static char *settings_path(const ProjectView *project, const char *what) {
    return url_path(project->namespace_name, project->name, "settings", what, NULL);
}

static void write_project_form(Visit *visit, Html *html, const ProjectView *project) {
    static const char *const packages[] = {"at-once", "daily", "never", NULL};
    g_autofree char *path = settings_path(project, "project");

    html_element(html, "h2", "Project", NULL);
    frame_form(visit, html, path);
    frame_field(html, "Title", "title", "text", project->title, FALSE, NULL);
    frame_field(html, "Git URL of the recipe", "url", "text", project->url, TRUE, NULL);
    frame_field(html, "Branch", "branch", "text", project->branch, TRUE, NULL);
    frame_field(html, "Directory", "directory", "text", project->directory, FALSE, NULL);
    html_open(html, "p", "class", "field", NULL);
    html_element(html, "label", "When packages change", "for", "f-packages", NULL);
    html_open(html, "select", "id", "f-packages", "name", "packages", NULL);
    for (guint i = 0; packages[i]; i++)
        html_element(html, "option", packages[i], "selected",
                g_strcmp0(packages[i], project->packages) == 0 ? "" : NULL, NULL);
    html_close(html, "select");
    html_close(html, "p");
    html_open(html, "p", "class", "field", NULL);
    html_open(html, "label", NULL);
    html_open(html, "input", "type", "checkbox", "name", "private", "value", "yes", "checked",
            project->is_public ? NULL : "", NULL);
    html_text(html, " Private: only members see it");
    html_close(html, "label");
    html_close(html, "p");
    html_element(html, "button", "Save", NULL);
    html_close(html, "form");
}

/* For pages elsewhere that say how the project is. */
static void write_badge(Visit *visit, Html *html, const ProjectView *project) {
    g_autofree char *project_path = url_path(project->namespace_name, project->name, NULL);
    g_autofree char *path = url_path(project->namespace_name, project->name, "badge.svg", NULL);
    g_autofree char *text = g_strdup_printf("[![image: %s](%s%s)](%s%s)", project->name, visit->site->base_url, path,
            visit->site->base_url, project_path);
    g_autofree char *state = g_strdup_printf("image: %s", project->last_state ?: "not built");

    html_element(html, "h2", "Badge", NULL);
    html_open(html, "p", NULL);
    html_open(html, "img", "src", path, "alt", state, "height", "20", NULL);
    html_close(html, "p");
    html_element(html, "pre", text, "tabindex", "0", NULL);
    if (!project->is_public)
        html_element(html, "p", "The project is private: only members see the badge.", "class", "facts", NULL);
}

static gboolean write_hooks(Visit *visit, Html *html, const ProjectView *project, GError **error) {
    g_autoptr(GPtrArray) hooks = hook_list(visit->site->database, project->id, error);
    g_autofree char *path = settings_path(project, "hooks");

    if (!hooks)
        return FALSE;
    html_element(html, "h2", "Hooks", NULL);
    html_element(html, "p", "A forge tells a hook about pushes. Each has a secret, which the forge needs too.", NULL);
    html_open(html, "ul", "class", "cards", NULL);
    for (guint i = 0; i < hooks->len; i++) {
        const Hook *hook = hooks->pdata[i];
        g_autofree char *deliveries =
                url_path(project->namespace_name, project->name, "settings", "hooks", hook->id, NULL);
        g_autofree char *address = g_strdup_printf("%s/hooks/%s", visit->site->base_url, hook->id);

        html_open(html, "li", NULL);
        html_element(html, "strong", hook->kind, NULL);
        html_text(html, " ");
        html_element(html, "code", address, NULL);
        html_text(html, " ");
        html_element(html, "a", "Deliveries", "href", deliveries, NULL);
        html_close(html, "li");
    }
    html_close(html, "ul");
    frame_form(visit, html, path);
    html_open(html, "p", "class", "field", NULL);
    html_element(html, "label", "Forge", "for", "f-kind", NULL);
    html_open(html, "select", "id", "f-kind", "name", "kind", NULL);
    for (int kind = 0; kind < HOOK_N_KINDS; kind++)
        html_element(html, "option", hook_kind_name(kind), NULL);
    html_close(html, "select");
    html_close(html, "p");
    frame_field(html, "Secret", "secret", "password", NULL, FALSE,
            "16 characters at least; empty: one is made, and shown once");
    html_element(html, "button", "Add a hook", NULL);
    html_close(html, "form");
    return TRUE;
}

static gboolean write_members(Visit *visit, Html *html, const ProjectView *project, Role role, GError **error) {
    static const char *const roles[] = {"reader", "maintainer", "owner", "none", NULL};
    g_autoptr(GPtrArray) members = member_list(visit->site->database, project->namespace_id, error);
    g_autofree char *path = settings_path(project, "members");

    if (!members)
        return FALSE;
    html_element(html, "h2", "Members", NULL);
    html_open(html, "ul", "class", "cards", NULL);
    for (guint i = 0; i < members->len; i++) {
        const Member *member = members->pdata[i];

        html_open(html, "li", NULL);
        html_element(html, "strong", member->name, NULL);
        html_text(html, " ");
        html_text(html, role_name(member->role));
        html_close(html, "li");
    }
    html_close(html, "ul");
    if (role < ROLE_OWNER)
        return TRUE;
    frame_form(visit, html, path);
    frame_field(html, "User", "user", "text", NULL, TRUE, NULL);
    html_open(html, "p", "class", "field", NULL);
    html_element(html, "label", "Role", "for", "f-role", NULL);
    html_open(html, "select", "id", "f-role", "name", "role", NULL);
    for (guint i = 0; roles[i]; i++)
        html_element(html, "option", roles[i], NULL);
    html_close(html, "select");
    html_close(html, "p");
    html_element(html, "button", "Set the role", NULL);
    html_close(html, "form");
    return TRUE;
}

static gboolean write_credentials(Visit *visit, Html *html, const ProjectView *project, GError **error) {
    static const char *const kinds[] = {"forge", "git-password", "git-key", "git-host", NULL};
    g_autoptr(GPtrArray) credentials = credential_list(visit->site->database, project->id, error);
    g_autofree char *path = settings_path(project, "credentials");

    if (!credentials)
        return FALSE;
    html_element(html, "h2", "Credentials", NULL);
    html_element(html, "p",
            "They can be replaced and removed; nobody can read them. With a token of the forge (forge, called github, "
            "gitlab, gitea or forgejo) commits show there what became of them. For a private repository: by HTTPS a token or "
            "password (git-password), called HOST or USER@HOST; by SSH a private key without passphrase (git-key) and the "
            "public key of the host (git-host, \"ssh-ed25519 AAAA…\"), both called HOST, or HOST:PORT.",
            NULL);
    html_open(html, "ul", "class", "cards", NULL);
    for (guint i = 0; i < credentials->len; i++) {
        const Credential *credential = credentials->pdata[i];
        g_autofree char *id = g_strdup_printf("%" G_GINT64_FORMAT, credential->id);
        g_autofree char *removal =
                url_path(project->namespace_name, project->name, "settings", "credentials", id, "remove", NULL);

        html_open(html, "li", NULL);
        html_element(html, "strong", credential->kind, NULL);
        html_text(html, " ");
        html_element(html, "code", credential->name, NULL);
        html_text(html, " set ");
        frame_time(visit, html, credential->created);
        frame_button(visit, html, removal, "Remove", "danger");
        html_close(html, "li");
    }
    html_close(html, "ul");
    frame_form(visit, html, path);
    html_open(html, "p", "class", "field", NULL);
    html_element(html, "label", "Kind", "for", "f-credential", NULL);
    html_open(html, "select", "id", "f-credential", "name", "kind", NULL);
    for (guint i = 0; kinds[i]; i++)
        html_element(html, "option", kinds[i], NULL);
    html_close(html, "select");
    html_close(html, "p");
    frame_field(html, "Name", "name", "text", NULL, TRUE, "a user or a host");
    html_open(html, "p", "class", "field", NULL);
    html_element(html, "label", "Secret", "for", "f-value", NULL);
    html_element(html, "textarea", NULL, "id", "f-value", "name", "value", "rows", "3", "autocomplete", "off",
            "spellcheck", "false", NULL);
    html_close(html, "p");
    html_element(html, "button", "Set", NULL);
    html_close(html, "form");
    return TRUE;
}

void settings_write(Visit *visit, const ProjectView *project, Role role, const char *secret) {
    g_autoptr(GError) error = NULL;
    Html *html = part_begin(visit, project, "Settings", "settings");

    if (secret) {
        html_element(html, "p", "The secret of the new hook, for the forge. It is not shown again:", NULL);
        html_element(html, "pre", secret, "class", "secret", "tabindex", "0", NULL);
    }
    write_project_form(visit, html, project);
    if (!write_hooks(visit, html, project, &error) || !write_members(visit, html, project, role, &error) ||
            !settings_write_rights(visit, html, project, &error) ||
            (role >= ROLE_OWNER && !write_credentials(visit, html, project, &error))) {
        html_free(html);
        frame_error(visit, error);
        return;
    }
    write_badge(visit, html, project);
    frame_answer(visit, SOUP_STATUS_OK, html);
}

void page_settings(Visit *visit) {
    g_autoptr(ProjectView) project = NULL;
    Role role = ROLE_NONE;

    if (!part_session(visit))
        return;
    project = part_project(visit, ROLE_MAINTAINER, &role);
    if (project)
        settings_write(visit, project, role, NULL);
}

static void write_deliveries(Visit *visit, Html *html, GPtrArray *deliveries) {
    html_open(html, "ul", "class", "cards", NULL);
    for (guint i = 0; i < deliveries->len; i++) {
        const Delivery *delivery = deliveries->pdata[i];

        html_open(html, "li", NULL);
        frame_time(visit, html, delivery->received);
        html_text(html, " ");
        html_element(html, "strong", delivery->event ?: "no event", NULL);
        html_text(html, " ");
        frame_state(html, delivery->valid ? "good" : "refused");
        html_textf(html, " %u ", delivery->status);
        html_text(html, delivery->answer);
        html_text(html, " ");
        html_element(html, "code", delivery->delivery ?: "", "class", "digest", NULL);
        html_close(html, "li");
    }
    if (deliveries->len == 0)
        html_element(html, "li", "Nothing came yet.", NULL);
    html_close(html, "ul");
}

void page_deliveries(Visit *visit) {
    g_autoptr(GError) error = NULL;
    g_autoptr(ProjectView) project = NULL;
    g_autoptr(Hook) hook = NULL;
    g_autoptr(GPtrArray) deliveries = NULL;
    Html *html = NULL;

    if (!part_session(visit))
        return;
    project = part_project(visit, ROLE_MAINTAINER, NULL);
    if (!project)
        return;
    hook = hook_find(visit->site->database, visit_segment(visit, 4), &error);
    if (!error && (!hook || hook->project_id != project->id)) {
        frame_not_found(visit);
        return;
    }
    deliveries = error ? NULL : delivery_list(visit->site->database, hook->id, DELIVERIES_SHOWN, &error);
    if (!deliveries) {
        frame_error(visit, error);
        return;
    }
    html = part_begin(visit, project, "Deliveries", "settings");
    html_textf(html, "What came to the %s hook, and what was answered.", hook->kind);
    write_deliveries(visit, html, deliveries);
    frame_answer(visit, SOUP_STATUS_OK, html);
}
