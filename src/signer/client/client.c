/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "signer/client/client.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "base/cleanup.h"

struct SignerClient {
    char *socket;
    int timeout;
};

SignerClient *signer_client_new(const char *socket) {
    SignerClient *client = g_new0(SignerClient, 1);
    client->socket = g_strdup(socket);
    client->timeout = SIGNER_CLIENT_TIMEOUT_DEFAULT;
    return client;
}

void signer_client_free(SignerClient *client) {
    if (!client)
        return;
    g_free(client->socket);
    g_free(client);
}

void signer_client_set_timeout(SignerClient *client, int milliseconds) {
    client->timeout = milliseconds;
}

static int connect_to(const SignerClient *client, GError **error) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    AUTO_FD fd = -1;
    /* So that the largest request fits at once. */
    int room = 2 * SIGNER_REQUEST_SIZE_MAX;

    if (strlen(client->socket) >= sizeof address.sun_path) {
        g_set_error(error, SIGNER_CLIENT_ERROR, SIGNER_CLIENT_ERROR_UNREACHABLE,
                "%s is too long for the path of a socket", client->socket);
        return -1;
    }
    strcpy(address.sun_path, client->socket);
    fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *) &address, sizeof address) < 0) {
        g_set_error(error, SIGNER_CLIENT_ERROR, SIGNER_CLIENT_ERROR_UNREACHABLE,
                "The signer does not answer at %s: %s. Is particleos-signer running?", client->socket,
                g_strerror(errno));
        return -1;
    }
    (void) setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &room, sizeof room);
    return steal_fd(&fd);
}

/* NULL when it is no string. */
static const char *get_string(JsonObject *object, const char *name) {
    JsonNode *node = json_object_get_member(object, name);
    return node && json_node_get_value_type(node) == G_TYPE_STRING ? json_node_get_string(node) : NULL;
}

static GBytes *exchange(const SignerClient *client, const char *text, const int *descriptors, guint n, GError **error) {
    gint64 deadline = g_get_monotonic_time() + (gint64) client->timeout * 1000;
    AUTO_FD fd = connect_to(client, error);

    if (fd < 0 || !signer_packet_send(fd, text, strlen(text), descriptors, n, client->timeout, error))
        return NULL;
    int left = (int) (MAX(0, deadline - g_get_monotonic_time()) / 1000);
    GBytes *packet = signer_packet_receive(fd, SIGNER_ANSWER_SIZE_MAX, left, NULL, error);
    if (!packet && error && !*error)
        g_set_error(
                error, SIGNER_CLIENT_ERROR, SIGNER_CLIENT_ERROR_UNREACHABLE, "The signer has gone without an answer");
    return packet;
}

JsonObject *signer_client_request_full(SignerClient *client, JsonObject *request, const int *descriptors, guint n,
        char **ret_refusal, GError **error) {
    g_autoptr(GError) problem = NULL;
    gsize size;

    if (ret_refusal)
        *ret_refusal = NULL;
    json_object_set_int_member(request, "version", SIGNER_PROTOCOL_VERSION);
    g_autofree char *text = signer_packet_to_text(request);
    if (strlen(text) > SIGNER_REQUEST_SIZE_MAX || n > SIGNER_OBJECTS_MAX) {
        g_set_error(
                error, SIGNER_CLIENT_ERROR, SIGNER_CLIENT_ERROR_MALFORMED, "The request to the signer is too large");
        return NULL;
    }
    g_autoptr(GBytes) packet = exchange(client, text, descriptors, n, &problem);
    if (!packet) {
        g_propagate_error(error, g_steal_pointer(&problem));
        return NULL;
    }
    const char *data = g_bytes_get_data(packet, &size);
    g_autoptr(JsonObject) answer = signer_packet_parse(data, size, error);
    if (!answer) {
        g_prefix_error(error, "The signer's answer cannot be read: ");
        return NULL;
    }
    const char *refusal = get_string(answer, "error"), *detail = get_string(answer, "detail");
    if (!refusal)
        return g_steal_pointer(&answer);
    if (ret_refusal)
        *ret_refusal = g_strdup(refusal);
    g_set_error(error, SIGNER_CLIENT_ERROR, SIGNER_CLIENT_ERROR_REFUSED, "The signer refuses: %s", detail ?: refusal);
    return NULL;
}

JsonObject *signer_client_request(
        SignerClient *client, JsonObject *request, const int *descriptors, guint n, GError **error) {
    return signer_client_request_full(client, request, descriptors, n, NULL, error);
}

GBytes *signer_client_get_answer(JsonObject *answer, const char *name, GError **error) {
    JsonNode *node = json_object_get_member(answer, "answers");
    const char *text = node && JSON_NODE_HOLDS_OBJECT(node) ? get_string(json_node_get_object(node), name) : NULL;
    gsize size = 0;
    guchar *data = text ? g_base64_decode(text, &size) : NULL;

    if (size > 0)
        return g_bytes_new_take(data, size);
    g_free(data);
    g_set_error(error, SIGNER_CLIENT_ERROR, SIGNER_CLIENT_ERROR_MALFORMED, "The signer did not answer %s", name);
    return NULL;
}
