/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "connections.h"

#include <gio/gunixsocketaddress.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct Connections {
    SoupServer *soup;
    GSocketListener *listener;
    GCancellable *cancellable;
    GHashTable *open; /* of Connection */
    guint sweep;
    gint64 second; /* microseconds that count as one */
};

/* Lives as long as the stream that libsoup has. */
typedef struct {
    Connections *owner; /* NULL: gone */
    GSocketConnection *stream;
    gint64 deadline; /* monotonic; 0: none */
    gboolean over;   /* nobody is at the other end any more */
} Connection;

static GQuark connection_quark(void) {
    return g_quark_from_static_string("kitchen-connection");
}

static void on_stream_gone(gpointer data, GObject *stream) {
    Connection *connection = data;

    connection->stream = NULL;
    if (connection->owner)
        g_hash_table_remove(connection->owner->open, connection);
    connection->owner = NULL;
}

static void connection_free(gpointer data) {
    Connection *connection = data;

    if (connection->owner)
        g_hash_table_remove(connection->owner->open, connection);
    if (connection->stream)
        g_object_weak_unref(G_OBJECT(connection->stream), on_stream_gone, connection);
    g_free(connection);
}

static void wait_for_next(Connections *connections);

/* Both directions, so that libsoup notices. */
static void hang_up(GSocketConnection *stream) {
    g_socket_shutdown(g_socket_connection_get_socket(stream), TRUE, TRUE, NULL);
}

static void say_and_hang_up(GSocketConnection *stream, guint status, const char *text) {
    GSocket *socket = g_socket_connection_get_socket(stream);
    g_autofree char *answer = g_strdup_printf("HTTP/1.1 %u %s\r\nConnection: close\r\n"
                                              "Content-Type: text/plain; charset=utf-8\r\n"
                                              "X-Content-Type-Options: nosniff\r\n"
                                              "Content-Length: %zu\r\n\r\n%s\n",
            status, soup_status_get_phrase(status), strlen(text) + 1, text);

    /* Short, so that it fits into the socket's buffer; who does not take it gets nothing. */
    g_socket_send_with_blocking(socket, answer, strlen(answer), FALSE, NULL, NULL);
    g_socket_shutdown(socket, FALSE, TRUE, NULL);
    g_socket_shutdown(socket, TRUE, FALSE, NULL);
}

static Connection *connection_of(SoupServerMessage *message) {
    GSocketAddress *address = soup_server_message_get_remote_address(message);

    return address ? g_object_get_qdata(G_OBJECT(address), connection_quark()) : NULL;
}

static void take_connection(Connections *connections, GSocketConnection *stream) {
    GSocket *socket = g_socket_connection_get_socket(stream);
    g_autoptr(GSocketAddress) local = g_socket_get_local_address(socket, NULL);
    g_autoptr(GSocketAddress) remote = g_socket_get_remote_address(socket, NULL);
    g_autoptr(GError) error = NULL;
    Connection *connection = NULL;

    if (!local || !remote)
        return;
    if (g_hash_table_size(connections->open) >= CONNECTIONS_MAX) {
        say_and_hang_up(stream, SOUP_STATUS_SERVICE_UNAVAILABLE, "Too many connections: try again later");
        return;
    }
    g_socket_set_timeout(socket, CONNECTION_STALL_TIME);
    /* Head and body of an answer are two writes: the second one must not wait for the first to be acknowledged. */
    (void) g_socket_set_option(socket, IPPROTO_TCP, TCP_NODELAY, TRUE, NULL);
    connection = g_new0(Connection, 1);
    connection->owner = connections;
    connection->stream = stream;
    connection->deadline = g_get_monotonic_time() + CONNECTION_HEAD_TIME * connections->second;
    g_hash_table_add(connections->open, connection);
    g_object_weak_ref(G_OBJECT(stream), on_stream_gone, connection);
    /* A unique object, which libsoup hands back with each message. */
    g_object_set_qdata_full(G_OBJECT(remote), connection_quark(), connection, connection_free);
    if (!soup_server_accept_iostream(connections->soup, G_IO_STREAM(stream), local, remote, &error))
        g_warning("Cannot take a connection: %s", error->message);
}

static void on_accepted(GObject *source, GAsyncResult *result, gpointer user) {
    g_autoptr(GError) error = NULL;
    g_autoptr(GSocketConnection) stream =
            g_socket_listener_accept_finish(G_SOCKET_LISTENER(source), result, NULL, &error);
    Connections *connections = user;

    if (g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
        return;
    if (stream)
        take_connection(connections, stream);
    wait_for_next(connections);
}

static void wait_for_next(Connections *connections) {
    g_socket_listener_accept_async(connections->listener, connections->cancellable, on_accepted, connections);
}

/* Whether the other end has nothing more to say; what it said already is not touched. */
static gboolean has_ended(const Connection *connection) {
    char byte;

    return recv(g_socket_get_fd(g_socket_connection_get_socket(connection->stream)), &byte, 1,
                   MSG_PEEK | MSG_DONTWAIT) == 0;
}

/* libsoup 3.2 forgets connections that end between two requests, without closing them: each would take a descriptor for
 * ever. */
static void close_forgotten(gpointer pointer) {
    Connection *connection = pointer;

    g_hash_table_remove(connection->owner->open, connection);
    connection->owner = NULL;
    (void) g_io_stream_close(G_IO_STREAM(connection->stream), NULL, NULL);
}

static gboolean on_sweep(gpointer user) {
    Connections *connections = user;
    gint64 now = g_get_monotonic_time();
    GHashTableIter at;
    gpointer key = NULL;
    g_autoptr(GPtrArray) late = g_ptr_array_new_with_free_func(g_object_unref);
    g_autoptr(GPtrArray) forgotten = g_ptr_array_new_with_free_func(close_forgotten);

    g_hash_table_iter_init(&at, connections->open);
    while (g_hash_table_iter_next(&at, &key, NULL)) {
        Connection *connection = key;

        /* libsoup has had the time until this sweep. */
        if (connection->over) {
            g_ptr_array_add(forgotten, connection);
        } else if (connection->deadline != 0 && connection->deadline < now) {
            connection->over = TRUE;
            g_ptr_array_add(late, g_object_ref(connection->stream));
        } else {
            connection->over = connection->deadline != 0 && has_ended(connection);
        }
    }
    for (guint i = 0; i < late->len; i++)
        hang_up(late->pdata[i]);
    return G_SOURCE_CONTINUE;
}

static void set_deadline(SoupServerMessage *message, gint64 seconds) {
    Connection *connection = connection_of(message);

    if (connection && connection->owner)
        connection->deadline = seconds > 0 ? g_get_monotonic_time() + seconds * connection->owner->second : 0;
}

static void on_request_read(SoupServer *soup, SoupServerMessage *message, gpointer user) {
    set_deadline(message, 0);
}

static void on_request_over(SoupServer *soup, SoupServerMessage *message, gpointer user) {
    set_deadline(message, CONNECTION_HEAD_TIME);
}

void connection_got_head(SoupServerMessage *message, gboolean long_body) {
    set_deadline(message, long_body ? 0 : CONNECTION_BODY_TIME);
}

void connection_refuse(SoupServerMessage *message, guint status, const char *text) {
    Connection *connection = connection_of(message);

    if (connection && connection->stream)
        say_and_hang_up(connection->stream, status, text);
}

/* libsoup keeps a connection for the next request only while it listens itself. It gets a socket that nobody reaches:
 * its name is gone. */
static void listen_nowhere(SoupServer *soup) {
    g_autoptr(GError) error = NULL;
    g_autofree char *directory = g_dir_make_tmp("kitchen-XXXXXX", &error);
    g_autofree char *path = directory ? g_build_filename(directory, "socket", NULL) : NULL;
    g_autoptr(GSocket) socket = NULL;

    if (path) {
        g_autoptr(GSocketAddress) address = g_unix_socket_address_new(path);

        socket = g_socket_new(G_SOCKET_FAMILY_UNIX, G_SOCKET_TYPE_STREAM, G_SOCKET_PROTOCOL_DEFAULT, &error);
        if (socket && g_socket_bind(socket, address, FALSE, &error) && g_socket_listen(socket, &error))
            (void) soup_server_listen_socket(soup, socket, 0, &error);
        unlink(path);
        rmdir(directory);
    }
    if (error)
        g_warning("Connections serve one request each: %s", error->message);
}

Connections *connections_new(SoupServer *soup, GSocketListener *listener, guint haste) {
    Connections *connections = g_new0(Connections, 1);

    listen_nowhere(soup);
    connections->soup = g_object_ref(soup);
    connections->listener = g_object_ref(listener);
    connections->cancellable = g_cancellable_new();
    connections->open = g_hash_table_new(NULL, NULL);
    connections->second = G_USEC_PER_SEC / haste;
    connections->sweep = g_timeout_add(MAX(1000 / haste, 50), on_sweep, connections);
    g_signal_connect(soup, "request-read", G_CALLBACK(on_request_read), connections);
    g_signal_connect(soup, "request-finished", G_CALLBACK(on_request_over), connections);
    g_signal_connect(soup, "request-aborted", G_CALLBACK(on_request_over), connections);
    wait_for_next(connections);
    return connections;
}

void connections_free(Connections *connections) {
    GHashTableIter at;
    gpointer key = NULL;

    if (!connections)
        return;
    g_cancellable_cancel(connections->cancellable);
    g_signal_handlers_disconnect_by_data(connections->soup, connections);
    g_source_remove(connections->sweep);
    g_hash_table_iter_init(&at, connections->open);
    while (g_hash_table_iter_next(&at, &key, NULL))
        ((Connection *) key)->owner = NULL;
    g_hash_table_unref(connections->open);
    g_socket_listener_close(connections->listener);
    g_object_unref(connections->listener);
    g_object_unref(connections->cancellable);
    g_object_unref(connections->soup);
    g_free(connections);
}
