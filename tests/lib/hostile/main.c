/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Runs every probe in a process of its own, once as it is and once as root of a new user namespace, and says
 * on standard error, one line each,
 *
 *   HOSTILE <context> <probe> open|closed
 *
 * "hostile" in a build runs without arguments; "hostile plant-key COMMAND..." runs a command with a key in
 * its session keyring, "hostile list" names the probes. */
#include "probe.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/keyctl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* The test writes the name of the place over it. */
static volatile const char context[64] = "@CONTEXT@";

static const Probe *const tables[] = {
        file_probes, process_probes, terminal_probes, kernel_probes, mount_probes, neighbour_probes,
        device_probes};

bool can_open(const char *path, int flags) {
    int fd = open(path, flags | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd >= 0)
        close(fd);
    return fd >= 0;
}

bool file_contains(const char *path, const char *text) {
    static char buffer[65537];
    size_t length = 0;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return false;
    for (ssize_t n;
            length < sizeof buffer - 1 && (n = read(fd, buffer + length, sizeof buffer - 1 - length)) > 0;)
        length += n;
    close(fd);
    return text ? memmem(buffer, length, text, strlen(text)) != NULL : length > 0;
}

bool reached(long result) {
    return result >= 0 || (errno != EPERM && errno != ENOSYS && errno != EACCES && errno != EOPNOTSUPP);
}

static void write_text(const char *path, const char *text) {
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd >= 0 && write(fd, text, strlen(text)) < 0)
        (void) errno;
    if (fd >= 0)
        close(fd);
}

void enter_own_mounts(void) {
    if (unshare(CLONE_NEWNS) == 0)
        mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL);
}

/* FALSE where nobody may. */
static bool enter_user_namespace(void) {
    char map[64];
    unsigned uid = geteuid(), gid = getegid();
    if (unshare(CLONE_NEWUSER) < 0)
        return false;
    write_text("/proc/self/setgroups", "deny");
    snprintf(map, sizeof map, "0 %u 1", uid);
    write_text("/proc/self/uid_map", map);
    snprintf(map, sizeof map, "0 %u 1", gid);
    write_text("/proc/self/gid_map", map);
    return true;
}

static bool try(const Probe *probe, bool in_user_namespace) {
    pid_t pid = fork();
    if (pid == 0) {
        alarm(10);
        _exit((!in_user_namespace || enter_user_namespace()) && probe->attempt() ? 42 : 0);
    }
    int status = 0;
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    return WIFEXITED(status) && WEXITSTATUS(status) == 42;
}

static void plant_key(char **argv) {
    syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL);
    long key = syscall(SYS_add_key, "user", HOST_KEY, "secret", 6, KEY_SPEC_SESSION_KEYRING);
    /* Everything for whoever possesses it and for the user. */
    syscall(SYS_keyctl, KEYCTL_SETPERM, key, 0x3f3f0000);
    execvp(argv[0], argv);
    perror(argv[0]);
    exit(127);
}

int main(int argc, char **argv) {
    if (argc > 2 && strcmp(argv[1], "plant-key") == 0)
        plant_key(argv + 2);
    bool list = argc > 1 && strcmp(argv[1], "list") == 0;
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++)
        for (const Probe *probe = tables[i]; probe->name; probe++) {
            if (list)
                puts(probe->name);
            else
                dprintf(2, "HOSTILE %s %s %s\n", (const char *) context, probe->name,
                        try(probe, false) || try(probe, true) ? "open" : "closed");
        }
    /* The reading of a recipe takes what a program prints. */
    if (strncmp((const char *) context, "reading-", 8) == 0)
        puts(strstr((const char *) context, "seed") || strstr((const char *) context, "machine-id") ||
                                strstr((const char *) context, "subimage")
                        ? "5d1ecf0c-3d0c-4a66-9d4c-2f4c4b4f5053"
                        : "1");
    /* A configure script hands on what it gets. */
    if (strcmp((const char *) context, "configure") == 0) {
        char buffer[4096];
        for (ssize_t n; (n = read(0, buffer, sizeof buffer)) > 0;)
            if (write(1, buffer, n) != n)
                return 1;
    }
    return 0;
}
