/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "signer/program/serve.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/errors.h"
#include "signer/client/packet.h"
#include "signer/text/error.h"

#define FIRST_PASSED_FD 3
#define CONNECTIONS_MAX 128
/* Who asks has this long between two requests, and to take an answer (milliseconds). */
#define IDLE_TIMEOUT 120000
#define ANSWER_TIMEOUT 10000
/* How long what has begun may take when the service stops (seconds). */
#define STOP_TIMEOUT 60

struct Server {
    int listener, signals;
    char *path; /* of a socket that we made, or NULL */
    Signer *signer;
    GMutex lock;
    GCond idle;
    GPtrArray *connections; /* of descriptors, as pointers: of the threads that run */
};

static int make_socket(const char *path, GError **error) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    AUTO_FD fd = -1;
    struct stat st;

    if (strlen(path) >= sizeof address.sun_path) {
        signer_refuse(error, SIGNER_ERROR_FAILED, "%s is too long for the path of a socket", path);
        return -1;
    }
    strcpy(address.sun_path, path);
    if (lstat(path, &st) == 0 && S_ISSOCK(st.st_mode))
        (void) unlink(path); /* of a signer that was killed; one that runs has the lock of the state */
    mode_t mask = umask(0117);
    fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    gboolean good =
            fd >= 0 && bind(fd, (struct sockaddr *) &address, sizeof address) == 0 && listen(fd, SOMAXCONN) == 0;
    int number = errno;
    umask(mask);
    if (good)
        return steal_fd(&fd);
    set_errno_error(error, number, "Cannot listen on %s", path);
    return -1;
}

/* The socket that systemd hands over. -1 without ERROR set: there is none. */
static int take_socket(GError **error) {
    const char *pid = g_getenv("LISTEN_PID"), *n = g_getenv("LISTEN_FDS");
    int type = 0, domain = 0;
    socklen_t size = sizeof type;

    if (!pid || !n || strtol(pid, NULL, 10) != getpid())
        return -1;
    if (strcmp(n, "1") != 0 || getsockopt(FIRST_PASSED_FD, SOL_SOCKET, SO_TYPE, &type, &size) < 0 ||
            getsockopt(FIRST_PASSED_FD, SOL_SOCKET, SO_DOMAIN, &domain, &size) < 0 || type != SOCK_SEQPACKET ||
            domain != AF_UNIX) {
        signer_refuse(error, SIGNER_ERROR_FAILED,
                "The socket that was handed over is not the one that is needed: ListenSequentialPacket= "
                "with a path, alone");
        return -1;
    }
    (void) fcntl(FIRST_PASSED_FD, F_SETFD, FD_CLOEXEC);
    (void) fcntl(FIRST_PASSED_FD, F_SETFL, O_NONBLOCK);
    return FIRST_PASSED_FD;
}

Server *server_new(const char *path, GError **error) {
    g_autoptr(Server) server = g_new0(Server, 1);
    g_autoptr(GError) problem = NULL;
    sigset_t signals;

    server->signals = -1;
    g_mutex_init(&server->lock);
    g_cond_init(&server->idle);
    server->connections = g_ptr_array_new();
    server->listener = take_socket(&problem);
    if (problem) {
        g_propagate_error(error, g_steal_pointer(&problem));
        return NULL;
    }
    if (server->listener < 0 && !path) {
        signer_refuse(error, SIGNER_ERROR_FAILED, "There is no socket: say --socket=PATH");
        return NULL;
    }
    if (server->listener < 0) {
        if ((server->listener = make_socket(path, error)) < 0)
            return NULL;
        server->path = g_strdup(path);
    }
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    sigprocmask(SIG_BLOCK, &signals, NULL);
    server->signals = signalfd(-1, &signals, SFD_CLOEXEC);
    if (server->signals < 0) {
        set_errno_error(error, errno, "Cannot wait for signals");
        return NULL;
    }
    return g_steal_pointer(&server);
}

void server_free(Server *server) {
    if (!server)
        return;
    cleanup_fd(&server->listener);
    cleanup_fd(&server->signals);
    if (server->path)
        (void) unlink(server->path);
    g_free(server->path);
    g_ptr_array_unref(server->connections);
    g_cond_clear(&server->idle);
    g_mutex_clear(&server->lock);
    g_free(server);
}

/* ---- one connection ---- */

typedef struct {
    Server *server;
    int fd;
} Connection;

static void close_all(GArray *descriptors) {
    for (guint i = 0; i < descriptors->len; i++)
        close(g_array_index(descriptors, int, i));
    g_array_set_size(descriptors, 0);
}

static gboolean answer(int fd, const char *text) {
    return signer_packet_send(fd, text, strlen(text), NULL, 0, ANSWER_TIMEOUT, NULL);
}

/* One request and its answer. FALSE: there will be no other. */
static gboolean serve_one(const Connection *connection, GArray *descriptors) {
    g_autoptr(GError) error = NULL, refusal = NULL;
    g_autoptr(GBytes) packet =
            signer_packet_receive(connection->fd, SIGNER_REQUEST_SIZE_MAX, IDLE_TIMEOUT, descriptors, &error);
    gsize size;

    if (packet) {
        const char *text = g_bytes_get_data(packet, &size);
        g_autofree char *reply = signer_answer(connection->server->signer, text, size, descriptors);
        return answer(connection->fd, reply);
    }
    if (g_error_matches(error, SIGNER_CLIENT_ERROR, SIGNER_CLIENT_ERROR_MALFORMED)) {
        signer_refuse(&refusal, SIGNER_ERROR_MALFORMED, "The request is %s", error->message);
        g_autofree char *reply = signer_make_refusal(refusal);
        return answer(connection->fd, reply);
    }
    return FALSE;
}

static gpointer serve(gpointer data) {
    Connection *connection = data;
    Server *server = connection->server;
    g_autoptr(GArray) descriptors = g_array_new(FALSE, FALSE, sizeof(int));
    gboolean more = TRUE;

    while (more) {
        more = serve_one(connection, descriptors);
        close_all(descriptors);
    }
    g_mutex_lock(&server->lock);
    g_ptr_array_remove_fast(server->connections, GINT_TO_POINTER(connection->fd));
    close(connection->fd);
    g_cond_signal(&server->idle);
    g_mutex_unlock(&server->lock);
    g_free(connection);
    return NULL;
}

static void refuse_busy(int fd) {
    g_autoptr(GError) error = NULL;

    signer_refuse(&error, SIGNER_ERROR_BUSY, "There are too many connections; ask again later");
    g_autofree char *reply = signer_make_refusal(error);
    (void) !signer_packet_send(fd, reply, strlen(reply), NULL, 0, 0, NULL);
    close(fd);
}

static void accept_one(Server *server) {
    int room = SIGNER_ANSWER_SIZE_MAX * 2;
    int fd = accept4(server->listener, NULL, NULL, SOCK_CLOEXEC);

    if (fd < 0) {
        /* Without descriptors or memory the next try fails as well, at once. */
        if (errno == EMFILE || errno == ENFILE || errno == ENOMEM)
            g_usleep(G_USEC_PER_SEC / 10);
        return;
    }
    (void) setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &room, sizeof room);
    g_mutex_lock(&server->lock);
    gboolean full = server->connections->len >= CONNECTIONS_MAX;
    if (!full)
        g_ptr_array_add(server->connections, GINT_TO_POINTER(fd));
    g_mutex_unlock(&server->lock);
    if (full) {
        refuse_busy(fd);
        return;
    }
    Connection *connection = g_new(Connection, 1);
    *connection = (Connection){server, fd};
    g_autoptr(GThread) thread = g_thread_try_new("request", serve, connection, NULL);
    if (thread)
        return;
    g_mutex_lock(&server->lock);
    g_ptr_array_remove_fast(server->connections, GINT_TO_POINTER(fd));
    g_mutex_unlock(&server->lock);
    g_free(connection);
    refuse_busy(fd);
}

/* Whoever waits for a request sees the end of it; who has one gets the answer. */
static void stop(Server *server) {
    gint64 deadline = g_get_monotonic_time() + STOP_TIMEOUT * G_TIME_SPAN_SECOND;

    g_mutex_lock(&server->lock);
    for (guint i = 0; i < server->connections->len; i++)
        shutdown(GPOINTER_TO_INT(server->connections->pdata[i]), SHUT_RD);
    while (server->connections->len > 0)
        /* What the threads use goes with the process, and not before. */
        if (!g_cond_wait_until(&server->idle, &server->lock, deadline))
            _exit(EXIT_FAILURE);
    g_mutex_unlock(&server->lock);
}

gboolean server_run(Server *server, Signer *signer, GError **error) {
    struct pollfd pollers[] = {{.fd = server->listener, .events = POLLIN}, {.fd = server->signals, .events = POLLIN}};

    server->signer = signer;
    for (;;) {
        if (poll(pollers, G_N_ELEMENTS(pollers), -1) < 0) {
            if (errno != EINTR)
                return set_errno_error(error, errno, "Cannot wait for requests");
            continue;
        }
        if (pollers[1].revents) {
            stop(server);
            return TRUE;
        }
        if (pollers[0].revents)
            accept_one(server);
    }
}
