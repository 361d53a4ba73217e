/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pages.h"

#include "kitchen/html/url.h"
#include "kitchen/pages/part.h"
#include "kitchen/site/frame.h"

#define LINK_LIFETIME (G_GINT64_CONSTANT(86400000) * 2)

static gboolean is_admin(Visit *visit) {
    if (!part_session(visit))
        return FALSE;
    if (visit->user->admin)
        return TRUE;
    /* Like any other address that is not there. */
    frame_not_found(visit);
    return FALSE;
}

/* LINK: to be handed to somebody, shown this once. */
static void write_users(Visit *visit, const char *link) {
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) users = user_list(visit->site->database, &error);
    Html *html = NULL;

    if (!users) {
        frame_error(visit, error);
        return;
    }
    html = frame_begin(visit, "Users", NULL);
    if (link) {
        html_element(html, "p", "Give this address to the user; it works once, within two days:", NULL);
        html_element(html, "pre", link, "class", "secret", "tabindex", "0", NULL);
    }
    html_open(html, "ul", "class", "cards", NULL);
    for (guint i = 0; i < users->len; i++) {
        const User *user = users->pdata[i];
        g_autofree char *new_link = url_path("users", user->name, "link", NULL);
        g_autofree char *disable = url_path("users", user->name, "disable", NULL);

        html_open(html, "li", NULL);
        html_element(html, "strong", user->name, NULL);
        html_text(html, user->admin ? " administrator " : " ");
        html_text(html, user->disabled ? "shut " : "");
        frame_button(visit, html, new_link, "New link", NULL);
        if (user->id != visit->user->id)
            frame_button(visit, html, disable, user->disabled ? "Open again" : "Shut", "danger");
        html_close(html, "li");
    }
    html_close(html, "ul");
    html_element(html, "h2", "Add a user", NULL);
    frame_form(visit, html, "/users");
    frame_field(html, "Name", "name", "text", NULL, TRUE, "a-z, 0-9 and -; also the name of a namespace");
    html_element(html, "button", "Add", NULL);
    html_close(html, "form");
    frame_answer(visit, SOUP_STATUS_OK, html);
}

void page_users(Visit *visit) {
    if (is_admin(visit))
        write_users(visit, NULL);
}

static void show_link(Visit *visit, gint64 user) {
    g_autoptr(GError) error = NULL;
    g_autofree char *secret = login_link_make(visit->site->database, user, visit->now, LINK_LIFETIME, &error);
    g_autofree char *link = NULL;

    if (!secret) {
        frame_error(visit, error);
        return;
    }
    link = g_strdup_printf("%s/link/%s", visit->site->base_url, secret);
    write_users(visit, link);
}

void page_add_user(Visit *visit) {
    g_autoptr(GError) error = NULL;
    gint64 id = 0;

    if (!is_admin(visit) || !part_form(visit))
        return;
    if (!user_add(visit->site->database, visit_field(visit, "name"), FALSE, visit->now, &id, &error))
        frame_error(visit, error);
    else
        show_link(visit, id);
}

static User *named_user(Visit *visit) {
    g_autoptr(GError) error = NULL;
    User *user = user_by_name(visit->site->database, visit_segment(visit, 1), &error);

    if (error)
        frame_error(visit, error);
    else if (!user)
        frame_not_found(visit);
    return user;
}

void page_user_link(Visit *visit) {
    g_autoptr(User) user = NULL;

    if (!is_admin(visit) || !part_form(visit))
        return;
    user = named_user(visit);
    if (user)
        show_link(visit, user->id);
}

void page_user_disable(Visit *visit) {
    g_autoptr(GError) error = NULL;
    g_autoptr(User) user = NULL;

    if (!is_admin(visit) || !part_form(visit))
        return;
    user = named_user(visit);
    if (!user)
        return;
    if (user->id == visit->user->id)
        frame_message(visit, SOUP_STATUS_CONFLICT, "Your own account stays open.");
    else if (!user_set_disabled(visit->site->database, user->id, !user->disabled, &error))
        frame_error(visit, error);
    else
        http_redirect(visit->http, "/users");
}
