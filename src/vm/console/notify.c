/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vm/console/notify.h"

#include <errno.h>
#include <fcntl.h>
#include <gio/gio.h>
#include <glib-unix.h>
#include <linux/vhost.h>
#include <linux/vm_sockets.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/errors.h"
#include "base/sha256.h"
#include "events/events.h"

#define MESSAGE_MAX 4096
#define CID_FIRST 3
#define CID_ATTEMPTS 64

struct VmNotify {
    int fd;
    guint source;
    guint32 port;
    int exit_status;
};

gboolean vm_notify_parse_exit_status(const char *message, gsize length, int *ret_status) {
    static const char key[] = "EXIT_STATUS=";
    g_autofree char *text = g_strndup(message, length);
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    for (char **line = lines; *line; line++) {
        guint64 status;
        if (g_str_has_prefix(*line, key) &&
                g_ascii_string_to_unsigned(*line + strlen(key), 10, 0, 255, &status, NULL)) {
            *ret_status = status;
            return TRUE;
        }
    }
    return FALSE;
}

/* One connection carries one message. */
static gboolean on_connection(gint fd, GIOCondition condition, gpointer data) {
    VmNotify *notify = data;
    AUTO_FD connection = accept4(fd, NULL, NULL, SOCK_CLOEXEC);
    if (connection < 0)
        return G_SOURCE_CONTINUE;
    /* A guest that says nothing does not hold us up. */
    struct timeval patience = {.tv_sec = 1};
    setsockopt(connection, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    char message[MESSAGE_MAX];
    gsize length = 0;
    while (length < sizeof(message)) {
        ssize_t n = recv(connection, message + length, sizeof(message) - length, 0);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            break;
        length += n;
    }
    int status;
    if (vm_notify_parse_exit_status(message, length, &status)) {
        events_debug("The machine announces exit status %d", status);
        notify->exit_status = status;
    }
    return G_SOURCE_CONTINUE;
}

VmNotify *vm_notify_new(GError **error) {
    AUTO_FD fd = socket(AF_VSOCK, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_vm address = {
            .svm_family = AF_VSOCK,
            .svm_port = VMADDR_PORT_ANY,
            .svm_cid = VMADDR_CID_ANY,
    };
    socklen_t length = sizeof(address);
    if (fd < 0 || bind(fd, (struct sockaddr *) &address, sizeof(address)) < 0 || listen(fd, 8) < 0 ||
            getsockname(fd, (struct sockaddr *) &address, &length) < 0) {
        int saved = errno;
        set_errno_error(error, saved, "Cannot listen on vsock");
        return NULL;
    }
    VmNotify *notify = g_new0(VmNotify, 1);
    notify->port = address.svm_port;
    notify->exit_status = -1;
    notify->fd = steal_fd(&fd);
    notify->source = g_unix_fd_add(notify->fd, G_IO_IN, on_connection, notify);
    return notify;
}

void vm_notify_free(VmNotify *notify) {
    if (!notify)
        return;
    g_source_remove(notify->source);
    close(notify->fd);
    g_free(notify);
}

char *vm_notify_address(const VmNotify *notify) {
    return g_strdup_printf("vsock-stream:%u:%u", VMADDR_CID_HOST, notify->port);
}

int vm_notify_exit_status(const VmNotify *notify) {
    return notify->exit_status;
}

/* The same image gets the same number every time, and the one that mkosi would give it. */
static guint32 hash_name(const char *name) {
    guint8 digest[SHA256_SIZE];
    guint32 number;
    sha256_buffer(name, strlen(name), digest);
    memcpy(&number, digest, sizeof(number));
    return CLAMP(GUINT32_FROM_LE(number), CID_FIRST, G_MAXUINT32 - 1);
}

int vm_vsock_open(gint64 cid, const char *name, guint32 *ret_cid, GError **error) {
    AUTO_FD fd = open("/dev/vhost-vsock", O_RDWR | O_CLOEXEC);
    if (fd < 0) {
        int saved = errno;
        g_set_error(error, G_IO_ERROR, g_io_error_from_errno(saved),
                "VSock=yes, but /dev/vhost-vsock cannot be opened (%s): load the kernel module vhost_vsock, "
                "or use VSock=auto",
                g_strerror(saved));
        return -1;
    }
    guint32 candidate = cid >= CID_FIRST ? (guint32) cid : hash_name(name);
    for (int attempt = 0; attempt < CID_ATTEMPTS; attempt++, candidate++) {
        guint64 claimed = CLAMP(candidate, CID_FIRST, G_MAXUINT32 - 1);
        if (ioctl(fd, VHOST_VSOCK_SET_GUEST_CID, &claimed) == 0) {
            *ret_cid = claimed;
            return steal_fd(&fd);
        }
        if (errno != EADDRINUSE || cid != -1)
            break;
    }
    int saved = errno;
    if (saved == EADDRINUSE)
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_ADDRESS_IN_USE,
                "Another machine has the vsock connection ID %u: use VSockCID=auto", candidate);
    else
        set_errno_error(error, saved, "Cannot claim a vsock connection ID");
    return -1;
}
