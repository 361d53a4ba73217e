/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vm/host/state.h"

#include <errno.h>
#include <fcntl.h>
#include <json-glib/json-glib.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/errors.h"
#include "sandbox/sandbox.h"
#include "vm/host/host.h"

struct VmState {
    char *path;
    int lock_fd; /* the file is locked while the machine runs */
};

static char *runtime_directory(void) {
    const char *set = g_getenv("XDG_RUNTIME_DIR");
    if (set && *set)
        return g_strdup(set);
    uid_t uid = sandbox_caller_uid();
    return uid >= 1000 ? g_strdup_printf("/run/user/%u", uid) : g_strdup("/run");
}

static char *state_path(const ImageConfig *config) {
    g_autofree char *runtime = runtime_directory();
    g_autofree char *name = g_strconcat(config->machine ? config->machine : config->output, ".json", NULL);
    return g_build_filename(runtime, "particleos", "machine", name, NULL);
}

static char *to_text(const ImageConfig *config, guint32 vsock_cid) {
    g_autoptr(JsonBuilder) builder = json_builder_new();
    g_autofree char *proxy = g_strdup_printf("socat - VSOCK-CONNECT:%u:%%p", vsock_cid);
    json_builder_begin_object(builder);
    json_builder_set_member_name(builder, "Machine");
    json_builder_add_string_value(builder, config->machine ? config->machine : config->output);
    json_builder_set_member_name(builder, "Pid");
    json_builder_add_int_value(builder, getpid());
    json_builder_set_member_name(builder, "ProxyCommand");
    json_builder_add_string_value(builder, proxy);
    json_builder_set_member_name(builder, "SshKey");
    if (config->ssh_key)
        json_builder_add_string_value(builder, config->ssh_key);
    else
        json_builder_add_null_value(builder);
    json_builder_set_member_name(builder, "VSockCID");
    json_builder_add_int_value(builder, vsock_cid);
    json_builder_end_object(builder);
    g_autoptr(JsonNode) root = json_builder_get_root(builder);
    g_autofree char *text = json_to_string(root, TRUE);
    return g_strconcat(text, "\n", NULL);
}

static gboolean fail(const char *path, GError **error) {
    int saved = errno;
    return set_errno_error(error, saved, "Cannot write %s", path);
}

VmState *vm_state_new(const ImageConfig *config, guint32 vsock_cid, GError **error) {
    g_autofree char *path = state_path(config);
    g_autofree char *directory = g_path_get_dirname(path);
    g_autofree char *text = to_text(config, vsock_cid);
    if (g_mkdir_with_parents(directory, 0700) < 0) {
        fail(directory, error);
        return NULL;
    }
    AUTO_FD fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0) {
        fail(path, error);
        return NULL;
    }
    if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
        g_set_error(error, VM_ERROR, VM_ERROR_MACHINE,
                "A virtual machine named %s runs already: give this one another name with --machine",
                config->machine ? config->machine : config->output);
        return NULL;
    }
    if (ftruncate(fd, 0) < 0 || pwrite(fd, text, strlen(text), 0) != (ssize_t) strlen(text)) {
        fail(path, error);
        return NULL;
    }
    VmState *state = g_new0(VmState, 1);
    state->path = g_steal_pointer(&path);
    state->lock_fd = steal_fd(&fd);
    return state;
}

void vm_state_free(VmState *state) {
    if (!state)
        return;
    (void) unlink(state->path);
    cleanup_fd(&state->lock_fd);
    g_free(state->path);
    g_free(state);
}

void vm_address_free(VmAddress *address) {
    if (!address)
        return;
    g_free(address->ssh_key);
    g_free(address);
}

/* Nobody holds the lock of a machine that was killed. */
static gboolean is_running(const char *path) {
    AUTO_FD fd = open(path, O_RDONLY | O_CLOEXEC);
    return fd >= 0 && flock(fd, LOCK_SH | LOCK_NB) < 0 && errno == EWOULDBLOCK;
}

VmAddress *vm_state_find(const ImageConfig *config, GError **error) {
    g_autofree char *path = state_path(config);
    g_autoptr(JsonParser) parser = json_parser_new_immutable();
    if (!is_running(path)) {
        g_set_error(error, VM_ERROR, VM_ERROR_MISSING,
                "No virtual machine named %s that can be reached is running (there is no %s): start it with "
                "'particleos vm' on a host with /dev/vhost-vsock, from an image with an SSH server",
                config->machine ? config->machine : config->output, path);
        return NULL;
    }
    if (!json_parser_load_from_file(parser, path, error))
        return NULL;
    JsonNode *root = json_parser_get_root(parser);
    JsonObject *object = root && JSON_NODE_HOLDS_OBJECT(root) ? json_node_get_object(root) : NULL;
    gint64 cid = object ? json_object_get_int_member_with_default(object, "VSockCID", 0) : 0;
    if (cid < 3 || cid > G_MAXUINT32) {
        g_set_error(error, VM_ERROR, VM_ERROR_MACHINE, "%s is not the description of a machine", path);
        return NULL;
    }
    VmAddress *address = g_new0(VmAddress, 1);
    address->ssh_key = g_strdup(json_object_get_string_member_with_default(object, "SshKey", NULL));
    address->vsock_cid = cid;
    return address;
}
