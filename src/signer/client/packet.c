/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "signer/client/packet.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

G_DEFINE_QUARK(signer-client-error-quark, signer_client_error)

static gboolean fail(GError **error, SignerClientError code, const char *what, int number) {
    g_set_error(error, SIGNER_CLIENT_ERROR, code, "%s: %s", what, g_strerror(number));
    return FALSE;
}

/* Until SOCKET can do EVENTS. DEADLINE is in microseconds of the monotonic clock; -1: none. */
static gboolean wait_for(int socket, short events, gint64 deadline, const char *what, GError **error) {
    for (;;) {
        struct pollfd poller = {.fd = socket, .events = events};
        gint64 left = deadline < 0 ? -1 : MAX(0, deadline - g_get_monotonic_time());
        int n = poll(&poller, 1, left < 0 ? -1 : (int) ((left + 999) / 1000));

        if (n > 0)
            return TRUE;
        if (n == 0) {
            g_set_error(error, SIGNER_CLIENT_ERROR, SIGNER_CLIENT_ERROR_TIMEOUT, "%s takes too long", what);
            return FALSE;
        }
        if (errno != EINTR)
            return fail(error, SIGNER_CLIENT_ERROR_UNREACHABLE, what, errno);
    }
}

static gint64 deadline_of(int timeout) {
    return timeout < 0 ? -1 : g_get_monotonic_time() + (gint64) timeout * 1000;
}

gboolean signer_packet_send(int socket, const char *text, gsize size, const int *descriptors, guint n_descriptors,
        int timeout, GError **error) {
    union {
        struct cmsghdr header;
        char space[CMSG_SPACE(SIGNER_OBJECTS_MAX * sizeof(int))];
    } control = {.space = {0}};
    struct iovec content = {.iov_base = (char *) text, .iov_len = size};
    struct msghdr message = {.msg_iov = &content, .msg_iovlen = 1};
    gint64 deadline = deadline_of(timeout);

    g_return_val_if_fail(n_descriptors <= SIGNER_OBJECTS_MAX, FALSE);
    if (n_descriptors > 0) {
        message.msg_control = control.space;
        message.msg_controllen = CMSG_SPACE(n_descriptors * sizeof(int));
        struct cmsghdr *header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(n_descriptors * sizeof(int));
        memcpy(CMSG_DATA(header), descriptors, n_descriptors * sizeof(int));
    }
    for (;;) {
        gssize sent = sendmsg(socket, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent == (gssize) size)
            return TRUE;
        if (sent >= 0)
            return fail(error, SIGNER_CLIENT_ERROR_UNREACHABLE, "Only a part of the packet was sent", EIO);
        if (errno == EAGAIN) {
            if (!wait_for(socket, POLLOUT, deadline, "Sending the packet", error))
                return FALSE;
        } else if (errno != EINTR)
            return fail(error, SIGNER_CLIENT_ERROR_UNREACHABLE, "Cannot send the packet", errno);
    }
}

/* Moves all descriptors of MESSAGE to DESCRIPTORS. */
static void take_descriptors(struct msghdr *message, GArray *descriptors) {
    for (struct cmsghdr *header = CMSG_FIRSTHDR(message); header; header = CMSG_NXTHDR(message, header)) {
        if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS)
            continue;
        gsize n = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (gsize i = 0; i < n; i++) {
            int fd;
            memcpy(&fd, CMSG_DATA(header) + i * sizeof fd, sizeof fd);
            g_array_append_val(descriptors, fd);
        }
    }
}

static gssize receive(int socket, void *buffer, gsize size, GArray *descriptors, int *ret_flags) {
    /* More than is allowed fits, so that too many are seen rather than dropped by the kernel. */
    union {
        struct cmsghdr header;
        char space[CMSG_SPACE((SIGNER_OBJECTS_MAX + 1) * sizeof(int))];
    } control;
    struct iovec content = {.iov_base = buffer, .iov_len = size};
    struct msghdr message = {.msg_iov = &content, .msg_iovlen = 1};

    if (descriptors) {
        message.msg_control = control.space;
        message.msg_controllen = sizeof control.space;
    }
    gssize n = recvmsg(socket, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    if (n >= 0 && descriptors)
        take_descriptors(&message, descriptors);
    *ret_flags = message.msg_flags;
    return n;
}

GBytes *signer_packet_receive(int socket, gsize largest, int timeout, GArray *descriptors, GError **error) {
    gint64 deadline = deadline_of(timeout);
    g_autofree char *buffer = g_malloc(largest);

    for (;;) {
        int flags = 0;
        if (!wait_for(socket, POLLIN, deadline, "Waiting for a packet", error))
            return NULL;
        gssize n = receive(socket, buffer, largest, descriptors, &flags);
        if (n < 0 && (errno == EINTR || errno == EAGAIN))
            continue;
        if (n < 0) {
            if (errno != ECONNRESET)
                fail(error, SIGNER_CLIENT_ERROR_UNREACHABLE, "Cannot receive a packet", errno);
            return NULL;
        }
        if (n == 0)
            return NULL;
        if (descriptors && descriptors->len > SIGNER_OBJECTS_MAX)
            flags |= MSG_CTRUNC;
        if (flags & (MSG_TRUNC | (descriptors ? MSG_CTRUNC : 0))) {
            g_set_error(error, SIGNER_CLIENT_ERROR, SIGNER_CLIENT_ERROR_MALFORMED,
                    flags & MSG_TRUNC ? "a packet of more than %" G_GSIZE_FORMAT " bytes"
                                      : "a packet with too many descriptors (%" G_GSIZE_FORMAT " bytes)",
                    flags & MSG_TRUNC ? largest : (gsize) n);
            return NULL;
        }
        return g_bytes_new(buffer, n);
    }
}
