/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "request.h"

#include <string.h>

#include "kitchen/html/url.h"
#include "kitchen/http/form.h"
#include "kitchen/http/guard.h"

#define FORM_TYPE "application/x-www-form-urlencoded"

HttpRequest *http_request_new(SoupServerMessage *message) {
    g_autoptr(HttpRequest) request = g_new0(HttpRequest, 1);
    GUri *uri = soup_server_message_get_uri(message);
    const char *query = g_uri_get_query(uri);

    request->message = g_object_ref(message);
    request->method = soup_server_message_get_method(message);
    request->path = g_strdup(g_uri_get_path(uri));
    request->host = http_request_header(request, "Host");
    request->segments = guard_path(request->path);
    request->query = form_parse(query, query ? strlen(query) : 0, NULL);
    return request->segments && request->query ? g_steal_pointer(&request) : NULL;
}

void http_request_free(HttpRequest *request) {
    if (!request)
        return;
    g_clear_object(&request->message);
    g_free(request->path);
    g_strfreev(request->segments);
    g_clear_pointer(&request->query, g_hash_table_unref);
    g_free(request);
}

gboolean http_request_is_read(const HttpRequest *request) {
    return strcmp(request->method, "GET") == 0 || strcmp(request->method, "HEAD") == 0;
}

const char *http_request_header(const HttpRequest *request, const char *name) {
    return soup_message_headers_get_list(soup_server_message_get_request_headers(request->message), name);
}

char *http_request_client(const HttpRequest *request) {
    return guard_client(
            soup_server_message_get_remote_host(request->message), http_request_header(request, "X-Real-IP"));
}

const char *http_request_query(const HttpRequest *request, const char *name) {
    return g_hash_table_lookup(request->query, name);
}

gint64 http_request_number(const HttpRequest *request, const char *name, gint64 fallback, gint64 max) {
    const char *text = http_request_query(request, name);
    guint64 number = 0;

    if (!text || !g_ascii_string_to_unsigned(text, 10, 0, (guint64) max, &number, NULL))
        return fallback;
    return (gint64) number;
}

GBytes *http_request_body(const HttpRequest *request) {
    return soup_message_body_flatten(soup_server_message_get_request_body(request->message));
}

GHashTable *http_request_form(const HttpRequest *request, GError **error) {
    SoupMessageHeaders *headers = soup_server_message_get_request_headers(request->message);
    const char *type = soup_message_headers_get_content_type(headers, NULL);
    g_autoptr(GBytes) body = http_request_body(request);
    gsize size = 0;
    const char *text = g_bytes_get_data(body, &size);

    /* Forms of other sites cannot send anything else but this, multipart and plain text without asking first. */
    if (size > 0 && g_strcmp0(type, FORM_TYPE) != 0) {
        g_set_error(error, G_CONVERT_ERROR, G_CONVERT_ERROR_NOT_ABSOLUTE_PATH,
                "The body is no form: it has to be " FORM_TYPE);
        return NULL;
    }
    return form_parse(text, size, error);
}

void http_header(HttpRequest *request, const char *name, const char *value) {
    SoupMessageHeaders *headers = soup_server_message_get_response_headers(request->message);

    if (value && guard_header(value))
        soup_message_headers_replace(headers, name, value);
}

void http_answer(HttpRequest *request, guint status, const char *content_type, GBytes *body) {
    soup_server_message_set_status(request->message, status, NULL);
    if (content_type)
        http_header(request, "Content-Type", content_type);
    if (body)
        soup_message_body_append_bytes(soup_server_message_get_response_body(request->message), body);
}

void http_answer_text(HttpRequest *request, guint status, const char *text) {
    g_autofree char *line = g_strconcat(text, "\n", NULL);
    g_autoptr(GBytes) body = g_bytes_new(line, strlen(line));

    http_answer(request, status, "text/plain; charset=utf-8", body);
}

void http_answer_html(HttpRequest *request, guint status, Html *html) {
    g_autoptr(GBytes) body = html_take(html);

    http_answer(request, status, "text/html; charset=utf-8", body);
}

void http_redirect(HttpRequest *request, const char *path) {
    soup_server_message_set_status(request->message, SOUP_STATUS_SEE_OTHER, NULL);
    http_header(request, "Location", url_is_local(path) ? path : "/");
}
