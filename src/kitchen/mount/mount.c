/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "mount.h"

#include <string.h>

#define KEY "worker-call"

static void take_chunk(SoupServerMessage *message, GBytes *chunk, gpointer user) {
    WorkerCall *call = g_object_get_data(G_OBJECT(message), KEY);
    gsize size = 0;
    gconstpointer data = g_bytes_get_data(chunk, &size);

    /* What comes after a failure is passed over; the answer says what is wrong. */
    if (call && size > 0)
        (void) !worker_call_write(call, data, size);
}

void mount_early(SoupServer *server, SoupServerMessage *message, const char *path, GHashTable *query, gpointer user) {
    const Mount *mount = user;
    SoupMessageHeaders *headers = soup_server_message_get_request_headers(message);
    gboolean has_length = soup_message_headers_get_encoding(headers) == SOUP_ENCODING_CONTENT_LENGTH;
    WorkerCall *call = worker_call_new(mount->api, soup_server_message_get_method(message),
            path + strlen(mount->prefix), g_uri_get_query(soup_server_message_get_uri(message)),
            soup_message_headers_get_one(headers, "Authorization"),
            has_length ? soup_message_headers_get_content_length(headers) : -1);

    soup_message_body_set_accumulate(soup_server_message_get_request_body(message), FALSE);
    g_object_set_data_full(G_OBJECT(message), KEY, call, (GDestroyNotify) worker_call_abort);
    g_signal_connect(message, "got-chunk", G_CALLBACK(take_chunk), NULL);
}

static void set_body(SoupServerMessage *message, WorkerResponse *response) {
    SoupMessageBody *body = soup_server_message_get_response_body(message);
    g_autoptr(GMappedFile) file = NULL;
    g_autoptr(GBytes) bytes = NULL;

    if (response->body)
        soup_message_body_append_bytes(body, response->body);
    /* Objects never change. */
    if (response->fd < 0 || !(file = g_mapped_file_new_from_fd(response->fd, FALSE, NULL)))
        return;
    bytes = g_mapped_file_get_bytes(file);
    soup_message_body_append_bytes(body, bytes);
}

static void send_answer(gpointer user, WorkerResponse *response) {
    g_autoptr(SoupServerMessage) message = user;
    SoupMessageHeaders *headers = soup_server_message_get_response_headers(message);

    soup_server_message_set_status(message, response->status, NULL);
    if (response->content_type)
        soup_message_headers_replace(headers, "Content-Type", response->content_type);
    soup_message_headers_replace(headers, "Cache-Control", "no-store");
    if (response->retry_after > 0) {
        g_autofree char *seconds = g_strdup_printf("%u", response->retry_after);
        soup_message_headers_replace(headers, "Retry-After", seconds);
    }
    set_body(message, response);
    soup_server_message_unpause(message);
}

void mount_answer(SoupServer *server, SoupServerMessage *message, const char *path, GHashTable *query, gpointer user) {
    WorkerCall *call = g_object_steal_data(G_OBJECT(message), KEY);

    if (!call) {
        soup_server_message_set_status(message, 500, NULL);
        return;
    }
    soup_server_message_pause(message);
    worker_call_end(call, send_answer, g_object_ref(message));
}
