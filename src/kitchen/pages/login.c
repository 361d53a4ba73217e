/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pages.h"

#include <string.h>

#include "kitchen/html/url.h"
#include "kitchen/pages/part.h"
#include "kitchen/site/frame.h"

static void write_login(Visit *visit, guint status, const char *problem) {
    Html *html = frame_begin(visit, "Log in", NULL);

    if (problem)
        html_element(html, "p", problem, "class", "message", "role", "alert", NULL);
    frame_form(visit, html, "/login");
    html_open(html, "p", "class", "field", NULL);
    html_element(html, "label", "Name", "for", "f-name", NULL);
    html_open(html, "input", "id", "f-name", "name", "name", "type", "text", "autocomplete", "username", "required", "",
            NULL);
    html_close(html, "p");
    html_open(html, "p", "class", "field", NULL);
    html_element(html, "label", "Password", "for", "f-password", NULL);
    html_open(html, "input", "id", "f-password", "name", "password", "type", "password", "autocomplete",
            "current-password", "required", "", NULL);
    html_close(html, "p");
    html_element(html, "button", "Log in", NULL);
    html_close(html, "form");
    html_element(html, "p", "No account? An administrator makes one, and gives you a link that works once.", NULL);
    frame_answer(visit, status, html);
}

void page_login(Visit *visit) {
    if (visit->user)
        http_redirect(visit->http, "/");
    else
        write_login(visit, SOUP_STATUS_OK, NULL);
}

void page_log_in(Visit *visit) {
    g_autoptr(GError) error = NULL;
    g_autoptr(User) user = NULL;
    g_autofree char *client = http_request_client(visit->http);
    const char *name = NULL;

    if (!part_form(visit))
        return;
    name = visit_field(visit, "name");
    if (strlen(name) > 64 || !login_limit_try(visit->site->logins, name, client, visit->now)) {
        http_header(visit->http, "Retry-After", "900");
        write_login(visit, 429, "Too many attempts: wait a quarter of an hour.");
        return;
    }
    user = user_by_password(visit->site->database, name, visit_field(visit, "password"), &error);
    if (!error && !user) {
        write_login(visit, SOUP_STATUS_FORBIDDEN, "Name or password is wrong.");
        return;
    }
    if (error || !visit_log_in(visit, user->id, &error)) {
        frame_error(visit, error);
        return;
    }
    login_limit_forget(visit->site->logins, name, client);
    http_redirect(visit->http, "/");
}

void page_log_out(Visit *visit) {
    g_autoptr(GError) error = NULL;

    if (!part_form(visit))
        return;
    if (!visit_log_out(visit, &error))
        frame_error(visit, error);
    else
        http_redirect(visit->http, "/");
}

/* Looking at the link does not use it up: programs that preview links do that. */
void page_link(Visit *visit) {
    Html *html = frame_begin(visit, "Log in by link", NULL);
    g_autofree char *path = url_path("link", visit_segment(visit, 1), NULL);

    html_element(html, "p", "The link works once. Then choose a password.", NULL);
    frame_form(visit, html, path);
    html_element(html, "button", "Log in", NULL);
    html_close(html, "form");
    frame_answer(visit, SOUP_STATUS_OK, html);
}

void page_use_link(Visit *visit) {
    g_autoptr(GError) error = NULL;
    gint64 user = 0;

    if (!part_form(visit))
        return;
    user = login_link_use(visit->site->database, visit_segment(visit, 1), visit->now, &error);
    if (!error && user == 0) {
        frame_message(visit, SOUP_STATUS_FORBIDDEN,
                "The link was used, is too old, or is none: ask an administrator for another one, or run "
                "\"particleos-kitchen login-link\" on the server.");
        return;
    }
    if (error || !visit_log_in(visit, user, &error))
        frame_error(visit, error);
    else
        http_redirect(visit->http, "/account");
}
