/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Daemons of the host and builds beside this one. */
#include "probe.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <netinet/in.h>
#include <stddef.h>
#include <string.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static bool unix_socket(const char *path, bool abstract) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    strcpy(address.sun_path + abstract, path);
    return connect(fd, (struct sockaddr *) &address,
                   offsetof(struct sockaddr_un, sun_path) + abstract + strlen(path)) == 0;
}

static bool abstract_socket(void) {
    return unix_socket(HOST_ABSTRACT, true);
}

static bool socket_of_daemon(void) {
    return unix_socket(HOST_SOCKET, false);
}

static bool loopback_service(void) {
    struct sockaddr_in address = {
            .sin_family = AF_INET, .sin_port = htons(HOST_PORT), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    return fd >= 0 && connect(fd, (struct sockaddr *) &address, sizeof address) == 0;
}

static bool shared_memory(void) {
    return shmget(HOST_SHM, 0, 0) >= 0;
}

/* Workspaces of builds are in /var/tmp, unless told otherwise. */
static bool other_builds(void) {
    DIR *directory = opendir("/var/tmp");
    for (struct dirent *entry; directory && (entry = readdir(directory));)
        if (strncmp(entry->d_name, "particleos-", 11) == 0)
            return true;
    return false;
}

const Probe neighbour_probes[] = {
        {"abstract-socket", abstract_socket},
        {"socket-of-daemon", socket_of_daemon},
        {"loopback-service", loopback_service},
        {"shared-memory", shared_memory},
        {"other-builds", other_builds},
        {},
};
