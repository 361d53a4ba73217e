/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kitchen/program/listen.h"

#include <string.h>
#include <unistd.h>

#include "kitchen/program/settings.h"

#define FIRST_INHERITED 3
#define BACKLOG 256

static gboolean is_inherited(void) {
    const char *pid = g_getenv("LISTEN_PID");
    const char *count = g_getenv("LISTEN_FDS");
    guint64 number = 0;

    return pid && count && g_ascii_string_to_unsigned(pid, 10, 1, G_MAXINT32, &number, NULL) &&
           (pid_t) number == getpid() && strcmp(count, "1") == 0;
}

static GSocket *make_socket(const char *address, GError **error) {
    g_autoptr(GSocketConnectable) target = g_network_address_parse(address, 8090, error);
    g_autoptr(GInetAddress) host = NULL;
    g_autoptr(GSocketAddress) place = NULL;
    g_autoptr(GSocket) socket = NULL;
    GNetworkAddress *network = target ? G_NETWORK_ADDRESS(target) : NULL;

    if (!target)
        return NULL;
    host = g_inet_address_new_from_string(strcmp(g_network_address_get_hostname(network), "localhost") == 0
                                                  ? "127.0.0.1"
                                                  : g_network_address_get_hostname(network));
    if (!host || !g_inet_address_get_is_loopback(host)) {
        g_set_error(error, KITCHEN_CONFIG_ERROR, 0,
                "Listen=: \"%s\" is no address of loopback: the service speaks no TLS, so another server stands in front of it",
                address);
        return NULL;
    }
    place = g_inet_socket_address_new(host, g_network_address_get_port(network));
    socket = g_socket_new(g_inet_address_get_family(host), G_SOCKET_TYPE_STREAM, G_SOCKET_PROTOCOL_TCP, error);
    if (!socket)
        return NULL;
    g_socket_set_listen_backlog(socket, BACKLOG);
    if (!g_socket_bind(socket, place, TRUE, error) || !g_socket_listen(socket, error)) {
        g_prefix_error(error, "Cannot listen at %s: ", address);
        return NULL;
    }
    return g_steal_pointer(&socket);
}

static char *url_of(GSocket *socket, GError **error) {
    g_autoptr(GSocketAddress) address = g_socket_get_local_address(socket, error);
    g_autofree char *host = NULL;
    gboolean six = FALSE;

    if (!address)
        return NULL;
    if (!G_IS_INET_SOCKET_ADDRESS(address))
        return g_strdup("http://localhost");
    host = g_inet_address_to_string(g_inet_socket_address_get_address(G_INET_SOCKET_ADDRESS(address)));
    six = strchr(host, ':') != NULL;
    return g_strdup_printf("http://%s%s%s:%u", six ? "[" : "", host, six ? "]" : "",
            g_inet_socket_address_get_port(G_INET_SOCKET_ADDRESS(address)));
}

GSocketListener *listen_at(const char *address, char **ret_url, GError **error) {
    g_autoptr(GSocket) socket =
            is_inherited() ? g_socket_new_from_fd(FIRST_INHERITED, error) : make_socket(address, error);
    g_autoptr(GSocketListener) listener = g_socket_listener_new();
    g_autofree char *url = socket ? url_of(socket, error) : NULL;

    if (!url || !g_socket_listener_add_socket(listener, socket, NULL, error))
        return NULL;
    *ret_url = g_steal_pointer(&url);
    return g_steal_pointer(&listener);
}
