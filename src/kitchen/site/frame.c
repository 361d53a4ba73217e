/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "frame.h"

#include <string.h>

#include "kitchen/html/url.h"
#include "kitchen/site/words.h"

static void write_navigation(Visit *visit, Html *html) {
    html_element(html, "a", "Skip to content", "class", "skip", "href", "#main", NULL);
    html_open(html, "header", "class", "top", NULL);
    html_element(html, "a", "Kitchen", "class", "brand", "href", "/", NULL);
    html_open(html, "nav", "aria-label", "Service", NULL);
    html_element(html, "a", "Projects", "href", "/", NULL);
    html_element(html, "a", "Queue", "href", "/queue", NULL);
    if (visit->user && visit->user->admin)
        html_element(html, "a", "Users", "href", "/users", NULL);
    if (visit->user)
        html_element(html, "a", visit->user->name, "href", "/account", NULL);
    else
        html_element(html, "a", "Log in", "href", "/login", NULL);
    html_close(html, "nav");
    html_close(html, "header");
    if (visit->site->development)
        html_element(html, "p", "Development: keys are plain files, and builds share a user with the service.", "class",
                "banner", "role", "note", NULL);
}

Html *frame_begin(Visit *visit, const char *title, ...) {
    Html *html = html_new();
    g_autofree char *full = g_strdup_printf("%s · Kitchen", title);
    va_list crumbs;
    const char *text = NULL;

    html_begin_page(html, full, visit->site->style_path, visit->site->script_path);
    write_navigation(visit, html);
    html_open(html, "main", "id", "main", NULL);
    va_start(crumbs, title);
    text = va_arg(crumbs, const char *);
    if (text)
        html_open(html, "nav", "class", "crumbs", "aria-label", "Where this is", NULL);
    for (gboolean first = TRUE; text; text = va_arg(crumbs, const char *), first = FALSE) {
        if (!first)
            html_element(html, "span", " / ", "aria-hidden", "true", NULL);
        html_element(html, "a", text, "href", va_arg(crumbs, const char *), NULL);
    }
    va_end(crumbs);
    va_start(crumbs, title);
    if (va_arg(crumbs, const char *))
        html_close(html, "nav");
    va_end(crumbs);
    html_element(html, "h1", title, NULL);
    return html;
}

void frame_answer(Visit *visit, guint status, Html *html) {
    html_close(html, "main");
    html_end_page(html);
    http_answer_html(visit->http, status, html);
    html_free(html);
}

void frame_message(Visit *visit, guint status, const char *what) {
    const char *title = status == SOUP_STATUS_NOT_FOUND      ? "Not here"
                        : status == SOUP_STATUS_FORBIDDEN    ? "Not allowed"
                        : status == SOUP_STATUS_UNAUTHORIZED ? "Who are you?"
                        : status == 429                      ? "Too often"
                        : status >= 500                      ? "Not now"
                                                             : "That did not work";
    Html *html = frame_begin(visit, title, NULL);

    html_element(html, "p", what, "class", "message", "role", "alert", NULL);
    html_open(html, "p", NULL);
    html_element(html, "a", "To the projects", "href", "/", NULL);
    html_close(html, "p");
    frame_answer(visit, status, html);
}

void frame_not_found(Visit *visit) {
    frame_message(visit, SOUP_STATUS_NOT_FOUND,
            visit->user ? "There is no such page, or it is not yours to see."
                        : "There is no such page, or you have to log in to see it.");
}

void frame_error(Visit *visit, const GError *error) {
    if (!site_error_is_ours(error)) {
        frame_message(visit, SOUP_STATUS_CONFLICT, error->message);
        return;
    }
    g_warning("A page was not made: %s", error->message);
    http_header(visit->http, "Retry-After", "5");
    frame_message(visit, SOUP_STATUS_SERVICE_UNAVAILABLE, "The database does not answer: try again in a moment.");
}

void frame_denied(Visit *visit, const char *what) {
    if (visit->user)
        frame_message(visit, SOUP_STATUS_FORBIDDEN, what);
    else
        frame_message(visit, SOUP_STATUS_UNAUTHORIZED, "Log in first.");
}

void frame_form(Visit *visit, Html *html, const char *path) {
    html_open(html, "form", "method", "post", "action", path, NULL);
    if (visit->session.csrf)
        html_open(html, "input", "type", "hidden", "name", "csrf", "value", visit->session.csrf, NULL);
}

void frame_button(Visit *visit, Html *html, const char *path, const char *text, const char *tone) {
    frame_form(visit, html, path);
    html_element(html, "button", text, "class", tone, NULL);
    html_close(html, "form");
}

void frame_state(Html *html, const char *state) {
    g_autofree char *class = g_strdup_printf("state %s", words_tone(state));

    html_element(html, "span", state, "class", class, NULL);
}

void frame_time(Visit *visit, Html *html, gint64 time) {
    g_autofree char *ago = words_ago(time, visit->now);
    g_autofree char *exact = words_time(time);

    if (time == 0)
        html_text(html, "–");
    else
        html_element(html, "time", ago, "datetime", exact, "title", exact, NULL);
}

void frame_field(Html *html, const char *label, const char *name, const char *type, const char *value,
        gboolean required, const char *hint) {
    g_autofree char *id = g_strdup_printf("f-%s", name);
    g_autofree char *hint_id = hint ? g_strdup_printf("h-%s", name) : NULL;
    gboolean secret = strcmp(type, "password") == 0;

    html_open(html, "p", "class", "field", NULL);
    html_element(html, "label", label, "for", id, NULL);
    html_open(html, "input", "id", id, "name", name, "type", type, "value", value, "required", required ? "" : NULL,
            "autocomplete", secret ? "off" : NULL, "spellcheck", "false", "aria-describedby", hint_id, NULL);
    if (hint)
        html_element(html, "small", hint, "id", hint_id, NULL);
    html_close(html, "p");
}
