/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "visit.h"

#include <string.h>

#include "kitchen/http/form.h"
#include "kitchen/http/guard.h"

#define BEARER "Bearer "
#define SECRET_MAX 128

gint64 site_now(const Site *site) {
    return site->engine->now(site->engine->user);
}

gboolean site_error_is_ours(const GError *error) {
    return error->domain == DATABASE_ERROR && error->code != DATABASE_ERROR_CONFLICT;
}

/* With this prefix browsers take the cookie from this host by https alone. */
static const char *cookie_name(const Site *site) {
    return site->secure ? "__Host-kitchen" : "kitchen";
}

static gboolean take_user(Visit *visit, gint64 user_id, GError **error) {
    g_autoptr(GError) failure = NULL;

    visit->user = user_by_id(visit->site->database, user_id, &failure);
    if (failure) {
        g_propagate_error(error, g_steal_pointer(&failure));
        return FALSE;
    }
    if (visit->user) {
        visit->viewer.user_id = visit->user->id;
        visit->viewer.admin = visit->user->admin;
    }
    return TRUE;
}

static gboolean take_token(Visit *visit, const char *secret, GError **error) {
    g_autoptr(GError) failure = NULL;

    if (strlen(secret) <= SECRET_MAX)
        visit->token = token_find(visit->site->database, secret, visit->now, &failure);
    if (failure) {
        g_propagate_error(error, g_steal_pointer(&failure));
        return FALSE;
    }
    if (!visit->token) {
        visit->damaged = TRUE;
        return TRUE;
    }
    visit->viewer.only_namespace = visit->token->namespace_id;
    visit->viewer.only_project = visit->token->project_id;
    return take_user(visit, visit->token->user_id, error);
}

static gboolean take_session(Visit *visit, GError **error) {
    g_autofree char *secret = cookie_find(http_request_header(visit->http, "Cookie"), cookie_name(visit->site));
    g_autoptr(GError) failure = NULL;

    if (!secret || strlen(secret) > SECRET_MAX)
        return TRUE;
    if (session_find(visit->site->database, secret, visit->now, &visit->session, &failure))
        return take_user(visit, visit->session.user_id, error);
    if (failure)
        g_propagate_error(error, g_steal_pointer(&failure));
    return !failure && (!error || !*error);
}

Visit *visit_new(Site *site, HttpRequest *request, GError **error) {
    g_autoptr(Visit) visit = g_new0(Visit, 1);
    const char *authorization = http_request_header(request, "Authorization");

    visit->http = request;
    visit->site = site;
    visit->now = site_now(site);
    /* A program says so; its request never counts as one of the browser that it may run in. */
    if (authorization && g_ascii_strncasecmp(authorization, BEARER, strlen(BEARER)) == 0) {
        if (!take_token(visit, authorization + strlen(BEARER), error))
            return NULL;
    } else if (authorization)
        visit->damaged = TRUE;
    else if (!take_session(visit, error))
        return NULL;
    return g_steal_pointer(&visit);
}

void visit_free(Visit *visit) {
    if (!visit)
        return;
    user_free(visit->user);
    session_clear(&visit->session);
    token_free(visit->token);
    g_clear_pointer(&visit->form, g_hash_table_unref);
    g_free(visit);
}

const char *visit_segment(const Visit *visit, guint n) {
    return n < g_strv_length(visit->http->segments) ? visit->http->segments[n] : "";
}

const char *visit_field(const Visit *visit, const char *name) {
    const char *value = visit->form ? g_hash_table_lookup(visit->form, name) : NULL;

    return value ?: "";
}

gboolean visit_form(Visit *visit, GError **error) {
    if (!guard_origin(visit->http->host, http_request_header(visit->http, "Origin"),
                http_request_header(visit->http, "Sec-Fetch-Site"))) {
        g_set_error(error, DATABASE_ERROR, DATABASE_ERROR_FAILED,
                "The request does not come from a page of this service: open the page here and try again");
        return FALSE;
    }
    visit->form = http_request_form(visit->http, error);
    if (!visit->form)
        return FALSE;
    if (visit->session.csrf && !secret_equal(visit->session.csrf, visit_field(visit, "csrf"))) {
        g_set_error(error, DATABASE_ERROR, DATABASE_ERROR_FAILED,
                "The form is of another session: open the page again and repeat");
        return FALSE;
    }
    return TRUE;
}

Role visit_role(const Visit *visit, gint64 namespace_id, gint64 project_id, GError **error) {
    Role role = ROLE_NONE;

    if (!visit->user)
        return ROLE_NONE;
    if (visit->viewer.only_namespace != 0 && visit->viewer.only_namespace != namespace_id)
        return ROLE_NONE;
    if (visit->viewer.only_project != 0 && visit->viewer.only_project != project_id)
        return ROLE_NONE;
    role = visit->user->admin ? ROLE_OWNER : member_role(visit->site->database, namespace_id, visit->user->id, error);
    if (visit->token && visit->token->scope == SCOPE_READ)
        return MIN(role, ROLE_READER);
    if (visit->token && visit->token->scope == SCOPE_BUILD)
        return MIN(role, ROLE_MAINTAINER);
    return role;
}

static void set_cookie(Visit *visit, const char *value, gint64 seconds) {
    g_autofree char *cookie = g_strdup_printf("%s=%s; Path=/; HttpOnly; SameSite=Lax; Max-Age=%" G_GINT64_FORMAT "%s",
            cookie_name(visit->site), value, seconds, visit->site->secure ? "; Secure" : "");

    http_header(visit->http, "Set-Cookie", cookie);
}

static gboolean end_session(Visit *visit, GError **error) {
    g_autofree char *secret = cookie_find(http_request_header(visit->http, "Cookie"), cookie_name(visit->site));

    return !secret || strlen(secret) > SECRET_MAX || session_end(visit->site->database, secret, error);
}

gboolean visit_log_in(Visit *visit, gint64 user_id, GError **error) {
    g_autofree char *secret = NULL;

    /* A new secret in any case: whoever has planted the old one has nothing. */
    if (!end_session(visit, error) || !session_sweep(visit->site->database, visit->now, error))
        return FALSE;
    secret = session_start(visit->site->database, user_id, visit->now, error);
    if (!secret)
        return FALSE;
    set_cookie(visit, secret, SESSION_LIFETIME / 1000);
    return TRUE;
}

gboolean visit_log_out(Visit *visit, GError **error) {
    set_cookie(visit, "", 0);
    return end_session(visit, error);
}
