/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Other processes: what they know, what they hold. */
#include "probe.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/keyctl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

static bool environment_token(void) {
    return getenv("HOSTILE_TOKEN") != NULL;
}

static bool environment_of_process_1(void) {
    return file_contains("/proc/1/environ", NULL);
}

/* The command lines of our keepers name neither paths nor processes of the host. */
static bool command_line_of_process_1(void) {
    return file_contains("/proc/1/cmdline", "/") || file_contains("/proc/1/cmdline", "--");
}

/* Calls JUDGE with the directory in /proc of every process but this one and its parent. */
static bool any_process(bool (*judge)(const char *directory)) {
    DIR *proc = opendir("/proc");
    bool found = false;
    for (struct dirent *entry; proc && !found && (entry = readdir(proc));) {
        char path[300];
        pid_t pid = atoi(entry->d_name);
        if (!isdigit(*entry->d_name) || pid == getpid() || pid == getppid())
            continue;
        snprintf(path, sizeof path, "/proc/%s", entry->d_name);
        found = judge(path);
    }
    return found;
}

static bool has_token(const char *directory) {
    char path[320];
    snprintf(path, sizeof path, "%s/environ", directory);
    return file_contains(path, HOST_TOKEN);
}

static bool is_particleos(const char *directory) {
    char path[320];
    snprintf(path, sizeof path, "%s/comm", directory);
    return file_contains(path, "particleos\n") || file_contains(path, "hostile-host");
}

static bool token_of_others(void) {
    return any_process(has_token);
}

static bool host_processes_visible(void) {
    return any_process(is_particleos);
}

static bool memory_of_process_1(void) {
    return can_open("/proc/1/mem", O_RDWR) || file_contains("/proc/1/maps", NULL);
}

static bool memory_read_of_process_1(void) {
    char buffer[8];
    struct iovec here = {buffer, sizeof buffer}, there = {(void *) 0x400000, sizeof buffer};
    return reached(process_vm_readv(1, &here, 1, &there, 1, 0));
}

static bool trace_of_process_1(void) {
    return ptrace(PTRACE_SEIZE, 1, NULL, NULL) == 0;
}

static bool descriptors_by_pidfd(void) {
    int pidfd = syscall(SYS_pidfd_open, 1, 0);
    for (int fd = 0; pidfd >= 0 && fd < 128; fd++)
        if (syscall(SYS_pidfd_getfd, pidfd, fd, 0) >= 0)
            return true;
    return false;
}

static bool namespaces_of_process_1(void) {
    static const char *const names[] = {"mnt", "user", "net", "pid", "cgroup"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char path[64];
        snprintf(path, sizeof path, "/proc/1/ns/%s", names[i]);
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        if (fd >= 0 && (setns(fd, 0) == 0 || errno == EINVAL))
            return true;
    }
    return false;
}

static bool user_namespace_of_host(void) {
    char link[64] = "";
    return readlink("/proc/self/ns/user", link, sizeof link - 1) > 0 && strcmp(link, HOST_USER_NS) == 0;
}

static bool signal_to_host_process(void) {
    return kill(HOST_PID, 0) == 0;
}

static bool key_of_session(void) {
    return syscall(SYS_keyctl, KEYCTL_SEARCH, KEY_SPEC_SESSION_KEYRING, "user", HOST_KEY, 0) >= 0;
}

static bool key_requested(void) {
    return syscall(SYS_request_key, "user", HOST_KEY, NULL, 0) >= 0;
}

static bool key_made(void) {
    return syscall(SYS_add_key, "user", "hostile-new", "x", 1, KEY_SPEC_PROCESS_KEYRING) >= 0;
}

static bool key_listed(void) {
    return file_contains("/proc/keys", HOST_KEY);
}

static bool real_time_priority(void) {
    struct sched_param parameter = {.sched_priority = 1};
    return sched_setscheduler(0, SCHED_FIFO, &parameter) == 0;
}

static bool never_killed(void) {
    int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
    return fd >= 0 && write(fd, "-1000", 5) == 5;
}

const Probe process_probes[] = {
        {"environment-token", environment_token},
        {"environment-of-process-1", environment_of_process_1},
        {"command-line-of-process-1", command_line_of_process_1},
        {"token-of-others", token_of_others},
        {"host-processes-visible", host_processes_visible},
        {"memory-of-process-1", memory_of_process_1},
        {"memory-read-of-process-1", memory_read_of_process_1},
        {"trace-of-process-1", trace_of_process_1},
        {"descriptors-by-pidfd", descriptors_by_pidfd},
        {"namespaces-of-process-1", namespaces_of_process_1},
        {"user-namespace-of-host", user_namespace_of_host},
        {"signal-to-host-process", signal_to_host_process},
        {"key-of-session", key_of_session},
        {"key-requested", key_requested},
        {"key-made", key_made},
        {"key-listed", key_listed},
        {"real-time-priority", real_time_priority},
        {"never-killed", never_killed},
        {},
};
