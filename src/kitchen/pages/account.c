/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pages.h"

#include <string.h>

#include "kitchen/html/url.h"
#include "kitchen/pages/part.h"
#include "kitchen/site/frame.h"

#define DAY (G_GINT64_CONSTANT(86400000))
#define TOKEN_DAYS_MAX 366

static void write_tokens(Visit *visit, Html *html, GPtrArray *tokens) {
    html_open(html, "ul", "class", "cards", NULL);
    for (guint i = 0; i < tokens->len; i++) {
        const Token *token = tokens->pdata[i];

        html_open(html, "li", NULL);
        html_element(html, "strong", token->name, NULL);
        html_textf(html, " %s, %s ", scope_name(token->scope),
                token->project_id     ? "one project"
                : token->namespace_id ? "one namespace"
                                      : "everything of yours");
        html_text(html, token->revoked ? "revoked " : token->expires <= visit->now ? "expired " : "until ");
        frame_time(visit, html, token->revoked ?: token->expires);
        html_text(html, ", last used ");
        frame_time(visit, html, token->used);
        if (!token->revoked && token->expires > visit->now) {
            g_autofree char *id = g_strdup_printf("%" G_GINT64_FORMAT, token->id);
            g_autofree char *path = url_path("account", "tokens", id, "revoke", NULL);

            frame_button(visit, html, path, "Revoke", "danger");
        }
        html_close(html, "li");
    }
    html_close(html, "ul");
}

static void write_token_form(Visit *visit, Html *html) {
    frame_form(visit, html, "/account/tokens");
    frame_field(html, "Name", "name", "text", NULL, TRUE, "for you to tell it from others");
    html_open(html, "p", "class", "field", NULL);
    html_element(html, "label", "May", "for", "f-scope", NULL);
    html_open(html, "select", "id", "f-scope", "name", "scope", NULL);
    html_element(html, "option", "read", "value", "read", NULL);
    html_element(html, "option", "build, cancel, edit projects", "value", "build", NULL);
    html_element(html, "option", "all that you may", "value", "admin", NULL);
    html_close(html, "select");
    html_close(html, "p");
    frame_field(html, "Only for", "only", "text", NULL, FALSE, "NAMESPACE or NAMESPACE/PROJECT; empty: all of yours");
    frame_field(html, "Days", "days", "number", "90", TRUE, "1 to 366");
    html_element(html, "button", "Make a token", NULL);
    html_close(html, "form");
}

/* NEW_TOKEN: shown this once. */
static void write_account(Visit *visit, const char *new_token) {
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) tokens = token_list(visit->site->database, visit->user->id, &error);
    Html *html = NULL;

    if (!tokens) {
        frame_error(visit, error);
        return;
    }
    html = frame_begin(visit, visit->user->name, NULL);
    if (new_token) {
        html_element(html, "p", "The new token. It is not shown again:", NULL);
        html_element(html, "pre", new_token, "class", "secret", "tabindex", "0", NULL);
    }
    html_element(html, "h2", "Password", NULL);
    frame_form(visit, html, "/account/password");
    frame_field(html, "New password", "password", "password", NULL, TRUE,
            "10 characters at least; you log in again afterwards");
    html_element(html, "button", "Set", NULL);
    html_close(html, "form");
    html_element(html, "h2", "Tokens for programs", NULL);
    write_tokens(visit, html, tokens);
    write_token_form(visit, html);
    html_element(html, "h2", "Leave", NULL);
    frame_button(visit, html, "/logout", "Log out", NULL);
    frame_answer(visit, SOUP_STATUS_OK, html);
}

void page_account(Visit *visit) {
    if (part_session(visit))
        write_account(visit, NULL);
}

void page_account_password(Visit *visit) {
    g_autoptr(GError) error = NULL;

    if (!part_session(visit) || !part_form(visit))
        return;
    if (!user_set_password(visit->site->database, visit->user->id, visit_field(visit, "password"), &error) ||
            !visit_log_in(visit, visit->user->id, &error))
        frame_error(visit, error);
    else
        http_redirect(visit->http, "/account");
}

/* What "NAMESPACE" or "NAMESPACE/PROJECT" means for the visitor. FALSE: nothing that is the visitor's. */
static gboolean find_limit(Visit *visit, const char *only, Token *token, GError **error) {
    g_auto(GStrv) words = g_strsplit(only, "/", 3);
    guint n = g_strv_length(words);

    if (n == 0 || !only[0])
        return TRUE;
    token->namespace_id = namespace_id_of(visit->site->database, words[0], error);
    if (n == 2 && token->namespace_id) {
        g_autoptr(ProjectView) project = project_view(visit->site->database, &visit->viewer, words[0], words[1], error);

        token->project_id = project ? project->id : 0;
        return project && visit_role(visit, token->namespace_id, project->id, error) != ROLE_NONE;
    }
    return n == 1 && token->namespace_id != 0 && visit_role(visit, token->namespace_id, 0, error) != ROLE_NONE;
}

void page_account_token(Visit *visit) {
    g_autoptr(GError) error = NULL;
    Token wanted = {0};
    g_autofree char *secret = NULL;
    gint64 days = 0;

    if (!part_session(visit) || !part_form(visit))
        return;
    days = part_number(visit_field(visit, "days"));
    wanted.user_id = visit->user->id;
    wanted.name = (char *) visit_field(visit, "name");
    wanted.scope = scope_by_name(visit_field(visit, "scope"));
    wanted.expires = visit->now + days * DAY;
    if (wanted.scope == SCOPE_NONE || days < 1 || days > TOKEN_DAYS_MAX || !wanted.name[0] ||
            strlen(wanted.name) > 100) {
        frame_message(visit, SOUP_STATUS_BAD_REQUEST, "A token needs a name, a scope, and 1 to 366 days.");
        return;
    }
    if (!find_limit(visit, visit_field(visit, "only"), &wanted, &error) && !error) {
        frame_message(visit, SOUP_STATUS_BAD_REQUEST, "\"Only for\" is no namespace or project of yours.");
        return;
    }
    if (!error)
        secret = token_make(visit->site->database, &wanted, visit->now, &error);
    if (!secret)
        frame_error(visit, error);
    else
        write_account(visit, secret);
}

void page_account_revoke(Visit *visit) {
    g_autoptr(GError) error = NULL;

    if (!part_session(visit) || !part_form(visit))
        return;
    if (!token_revoke(visit->site->database, visit->user->id, part_number(visit_segment(visit, 2)), visit->now, &error))
        frame_error(visit, error);
    else
        http_redirect(visit->http, "/account");
}
