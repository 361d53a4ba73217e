/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <gio/gio.h>
#include <gio/gunixsocketaddress.h>
#include <json-glib/json-glib.h>
#include <string.h>

#include "sandbox/sandbox.h"
#include "vm/container/container.h"
#include "vm/host/host.h"
#include "vm/host/state.h"

/* An answer is short; this keeps a confused service from filling our memory. */
#define ANSWER_MAX 65536
#define PATIENCE_SECONDS 10

static char *socket_path(void) {
    const char *runtime = g_getenv("XDG_RUNTIME_DIR");
    return g_build_filename(sandbox_caller_uid() != 0 && runtime && *runtime ? runtime : "/run",
            "systemd/machine/io.systemd.Machine", NULL);
}

gboolean vm_register_wanted(const ImageConfig *config, gboolean *ret_wanted, GError **error) {
    g_autofree char *path = socket_path();
    *ret_wanted = config->register_machine != FEATURE_DISABLED && g_file_test(path, G_FILE_TEST_EXISTS);
    if (*ret_wanted || config->register_machine != FEATURE_ENABLED)
        return TRUE;
    g_set_error(error, VM_ERROR, VM_ERROR_MISSING,
            "Register=yes, but systemd-machined of version 259 or newer does not listen on %s: install the "
            "package systemd-container, or use Register=auto",
            path);
    return FALSE;
}

static void add_text(JsonBuilder *builder, const char *name, const char *value) {
    json_builder_set_member_name(builder, name);
    json_builder_add_string_value(builder, value);
}

static char *make_request(const ImageConfig *config, pid_t pid, const char *image, guint32 vsock_cid) {
    g_autoptr(JsonBuilder) builder = json_builder_new();
    g_autofree char *name = vm_machine_name(config);
    json_builder_begin_object(builder);
    add_text(builder, "method", "io.systemd.Machine.Register");
    json_builder_set_member_name(builder, "parameters");
    json_builder_begin_object(builder);
    add_text(builder, "name", name);
    add_text(builder, "service", "particleos");
    add_text(builder, "class", "vm");
    json_builder_set_member_name(builder, "leader");
    json_builder_add_int_value(builder, pid);
    if (image && g_file_test(image, G_FILE_TEST_IS_DIR))
        add_text(builder, "rootDirectory", image);
    if (vsock_cid != 0) {
        g_autofree char *address = g_strdup_printf("vsock/%u", vsock_cid);
        json_builder_set_member_name(builder, "vSockCid");
        json_builder_add_int_value(builder, vsock_cid);
        add_text(builder, "sshAddress", address);
    }
    if (config->ssh_key)
        add_text(builder, "sshPrivateKeyPath", config->ssh_key);
    json_builder_set_member_name(builder, "allocateUnit");
    json_builder_add_boolean_value(builder, TRUE);
    json_builder_end_object(builder);
    json_builder_end_object(builder);
    g_autoptr(JsonNode) root = json_builder_get_root(builder);
    return json_to_string(root, FALSE);
}

/* Varlink: a message is an object and a NUL byte. */
static gboolean call(const char *path, const char *request, GError **error) {
    g_autoptr(GSocketClient) client = g_socket_client_new();
    g_autoptr(GSocketAddress) address = g_unix_socket_address_new(path);
    g_socket_client_set_timeout(client, PATIENCE_SECONDS);
    g_autoptr(GSocketConnection) connection =
            g_socket_client_connect(client, G_SOCKET_CONNECTABLE(address), NULL, error);
    if (!connection)
        return FALSE;
    GOutputStream *out = g_io_stream_get_output_stream(G_IO_STREAM(connection));
    if (!g_output_stream_write_all(out, request, strlen(request) + 1, NULL, NULL, error))
        return FALSE;
    g_autoptr(GByteArray) answer = g_byte_array_new();
    GInputStream *in = g_io_stream_get_input_stream(G_IO_STREAM(connection));
    while (answer->len < ANSWER_MAX && !(answer->len > 0 && memchr(answer->data, 0, answer->len))) {
        guint8 buffer[4096];
        gssize n = g_input_stream_read(in, buffer, sizeof(buffer), NULL, error);
        if (n < 0)
            return FALSE;
        if (n == 0)
            break;
        g_byte_array_append(answer, buffer, n);
    }
    g_byte_array_append(answer, (const guint8 *) "", 1);
    g_autoptr(JsonParser) parser = json_parser_new_immutable();
    if (!json_parser_load_from_data(parser, (const char *) answer->data, -1, error))
        return FALSE;
    JsonNode *root = json_parser_get_root(parser);
    JsonObject *object = root && JSON_NODE_HOLDS_OBJECT(root) ? json_node_get_object(root) : NULL;
    const char *failure =
            object ? json_object_get_string_member_with_default(object, "error", NULL) : "no answer";
    if (failure)
        g_set_error(error, VM_ERROR, VM_ERROR_MACHINE, "systemd-machined says %s", failure);
    return failure == NULL;
}

gboolean vm_register(
        const ImageConfig *config, pid_t pid, const char *image, guint32 vsock_cid, GError **error) {
    g_autofree char *path = socket_path();
    g_autofree char *request = make_request(config, pid, image, vsock_cid);
    if (call(path, request, error))
        return TRUE;
    g_prefix_error(error, "Cannot register the machine: ");
    return FALSE;
}
