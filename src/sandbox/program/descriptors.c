/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "program.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

static void close_between(int first, int last) {
    if (first <= last && syscall(SYS_close_range, (unsigned) first, (unsigned) last, 0U) < 0)
        fail("cannot close file descriptors");
}

void keep_descriptors(const int *fds, size_t count) {
    int next = 0;
    for (;;) {
        int smallest = -1;
        for (size_t i = 0; i < count; i++)
            if (fds[i] >= next && (smallest < 0 || fds[i] < smallest))
                smallest = fds[i];
        if (smallest < 0)
            break;
        close_between(next, smallest - 1);
        next = smallest + 1;
    }
    close_between(next, 0x7fffffff);
}

/* A message of one byte, and room for one descriptor. */
typedef struct {
    char byte;
    struct iovec part;
    union {
        char bytes[CMSG_SPACE(sizeof(int))];
        struct cmsghdr align;
    } control;
    struct msghdr header;
} Message;

static void prepare(Message *message) {
    *message = (Message){.byte = 'f'};
    message->part = (struct iovec){&message->byte, 1};
    message->header = (struct msghdr){.msg_iov = &message->part,
            .msg_iovlen = 1,
            .msg_control = message->control.bytes,
            .msg_controllen = sizeof message->control.bytes};
}

void send_descriptor(int socket_fd, int fd) {
    Message message;
    prepare(&message);
    struct cmsghdr *header = CMSG_FIRSTHDR(&message.header);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof fd);
    memcpy(CMSG_DATA(header), &fd, sizeof fd);
    if (sendmsg(socket_fd, &message.header, MSG_NOSIGNAL) < 0)
        fail("cannot hand out a terminal");
}

int receive_descriptor(int socket_fd) {
    Message message;
    prepare(&message);
    ssize_t n;
    while ((n = recvmsg(socket_fd, &message.header, MSG_CMSG_CLOEXEC)) < 0 && errno == EINTR)
        ;
    const struct cmsghdr *header = n > 0 ? CMSG_FIRSTHDR(&message.header) : NULL;
    if (!header || header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS)
        return -1;
    int fd;
    memcpy(&fd, CMSG_DATA(header), sizeof fd);
    return fd;
}

void tell(int socket_fd, const void *data, size_t length) {
    if (send(socket_fd, data, length, MSG_NOSIGNAL) != (ssize_t) length)
        fail("cannot reach the other half of the sandbox");
}

size_t hear(int socket_fd, void *data, size_t size) {
    ssize_t n;
    while ((n = recv(socket_fd, data, size, 0)) < 0 && errno == EINTR)
        ;
    /* The other half said why it ended. */
    if (n <= 0)
        _exit(125);
    return n;
}
