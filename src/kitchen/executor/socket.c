/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Workers behind a socket: somebody else (systemd, for another user) starts one for each connection, and gives it the
 * connection as its standard input. */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/errors.h"
#include "base/io.h"
#include "kitchen/executor/executor.h"
#include "kitchen/process/process.h"

#define ENDED (-1)

typedef struct {
    Executor executor;
    char *path;
    char *self; /* what this process is called: connections of others are not ours */
    guint64 next;
    GHashTable *connections; /* what we called a worker -> GINT_TO_POINTER(descriptor), or ENDED */
} SocketExecutor;

static int open_connection(const char *path, GError **error) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    AUTO_FD fd = -1;

    if (g_strlcpy(address.sun_path, path, sizeof address.sun_path) >= sizeof address.sun_path) {
        g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_NAMETOOLONG, "%s is too long for the path of a socket", path);
        return -1;
    }
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && connect(fd, (const struct sockaddr *) &address, sizeof address) == 0)
        return steal_fd(&fd);
    set_errno_error(error, errno, "Cannot reach workers at %s", path);
    return -1;
}

static char *submit(Executor *executor, gint64 job, const char *ticket, GError **error) {
    SocketExecutor *this = (SocketExecutor *) executor;
    AUTO_FD fd = open_connection(this->path, error);
    char *name = NULL;

    if (fd < 0)
        return NULL;
    /* It fits into the buffer of the socket. The worker reads to the end of what we send. */
    if (!write_all(fd, ticket, strlen(ticket)) || shutdown(fd, SHUT_WR) < 0) {
        set_errno_error(error, errno, "Cannot give a worker its ticket");
        return NULL;
    }
    name = g_strdup_printf("socket %s %" G_GUINT64_FORMAT, this->self, this->next++);
    g_hash_table_insert(this->connections, g_strdup(name), GINT_TO_POINTER(steal_fd(&fd)));
    return name;
}

/* Workers hear from the service itself, with each heartbeat, that they shall end. */
static void cancel(Executor *executor, const char *id) {
}

static ExecutorState poll(Executor *executor, const char *id, char **ret_why) {
    SocketExecutor *this = (SocketExecutor *) executor;
    gpointer found = NULL;
    char byte = 0;
    int fd = -1;

    /* That of a service before us: its heartbeat tells. */
    if (!g_hash_table_lookup_extended(this->connections, id, NULL, &found))
        return EXECUTOR_RUNS;
    fd = GPOINTER_TO_INT(found);
    if (fd != ENDED && recv(fd, &byte, 1, MSG_DONTWAIT) < 0 &&
            (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR))
        return EXECUTOR_RUNS;
    if (fd != ENDED) {
        close(fd);
        g_hash_table_insert(this->connections, g_strdup(id), GINT_TO_POINTER(ENDED));
    }
    if (ret_why)
        *ret_why = g_strdup_printf("The connection to it through %s has ended", this->path);
    return EXECUTOR_ENDED;
}

static void close_connection(gpointer id, gpointer fd, gpointer user) {
    if (GPOINTER_TO_INT(fd) != ENDED)
        close(GPOINTER_TO_INT(fd));
}

static void socket_free(Executor *executor) {
    SocketExecutor *this = (SocketExecutor *) executor;

    g_hash_table_foreach(this->connections, close_connection, NULL);
    g_hash_table_unref(this->connections);
    g_free(this->path);
    g_free(this->self);
    g_free(this);
}

Executor *executor_new_socket(const char *path, guint slots) {
    SocketExecutor *this = g_new0(SocketExecutor, 1);

    this->executor = (Executor){.slots = slots, .submit = submit, .cancel = cancel, .poll = poll, .free = socket_free};
    this->path = g_strdup(path);
    this->self = process_name(getpid());
    this->connections = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    return &this->executor;
}
