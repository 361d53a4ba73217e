/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Tries what an integrity policy has to refuse and a shell cannot do. Static, and of a signed volume itself.
 *
 *     probe WAY [FILE]       prints "WAY: ran", "WAY: done", or "WAY: " and the error
 */

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static const char *way;

static void report(const char *result) {
    printf("%s: %s\n", way, result);
    exit(0);
}

static void check(int failed) {
    if (failed)
        report(strerror(errno));
}

static int open_file(const char *path, int flags) {
    int fd = open(path, flags, 0755);
    if (fd < 0) {
        fprintf(stderr, "%s: %m\n", path);
        exit(1);
    }
    return fd;
}

/* This program once more, in FD; executed, it says that it ran. */
static void copy_and_execute(int fd) {
    int self = open_file("/proc/self/exe", O_RDONLY);
    char path[64], name[] = "probe", word[] = "ran", *argv[] = {name, word, (char *) way, NULL},
                   *env[] = {NULL};

    while (sendfile(fd, self, NULL, 1 << 20) > 0)
        ;
    fchmod(fd, 0755);
    /* Nothing that is open for writing can be executed. */
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    int readable = open_file(path, O_RDONLY);
    close(fd);
    syscall(SYS_execveat, readable, "", argv, env, AT_EMPTY_PATH);
    check(1);
}

static void try_memfd(const char *file) {
    (void) file;
    copy_and_execute(memfd_create("probe", 0));
}

static void try_nameless(const char *directory) {
    copy_and_execute(open_file(directory, O_TMPFILE | O_RDWR));
}

static void try_map(const char *file) {
    void *memory = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, open_file(file, O_RDONLY), 0);
    check(memory == MAP_FAILED);
}

static void try_protect(const char *file) {
    void *memory = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, open_file(file, O_RDONLY), 0);
    check(memory == MAP_FAILED || mprotect(memory, 4096, PROT_READ | PROT_EXEC) < 0);
}

/* What a JIT compiler does. */
static void try_anonymous(const char *file) {
    (void) file;
    void *memory = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    check(memory == MAP_FAILED || mprotect(memory, 4096, PROT_READ | PROT_EXEC) < 0);
}

static void try_module(const char *file) {
    check(syscall(SYS_finit_module, open_file(file, O_RDONLY), "", 0) < 0);
}

static void try_kexec(const char *file) {
    (void) file;
    check(syscall(SYS_kexec_load, 0, 0, NULL, 0) < 0);
}

/* Code that is mapped already, changed behind the back of its protection. */
static void try_self(const char *file) {
    (void) file;
    int fd = open_file("/proc/self/mem", O_RDWR);
    check(pwrite(fd, (const void *) (uintptr_t) report, 1, (off_t) (uintptr_t) report) != 1);
}

static void try_trace(const char *file) {
    (void) file;
    check(ptrace(PTRACE_TRACEME, 0, NULL, NULL) < 0);
}

/* The file system of the initrd is still there, below the root that was put on top of it. */
static void try_initrd(const char *file) {
    (void) file;
    int self = open_file("/proc/self/exe", O_RDONLY), namespace;

    check(unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0);
    namespace = open_file("/proc/self/ns/mnt", O_RDONLY);
    check(umount2("/", MNT_DETACH) < 0 || setns(namespace, CLONE_NEWNS) < 0);
    int fd = open("/of-the-initrd", O_CREAT | O_TRUNC | O_RDWR, 0755);
    check(fd < 0);
    while (sendfile(fd, self, NULL, 1 << 20) > 0)
        ;
    fchmod(fd, 0755);
    close(fd);
    execl("/of-the-initrd", "probe", "ran", way, NULL);
    check(1);
}

static const struct {
    const char *name;
    void (*try)(const char *file);
} ways[] = {
        {"memfd", try_memfd},
        {"nameless", try_nameless},
        {"map", try_map},
        {"protect", try_protect},
        {"anonymous", try_anonymous},
        {"module", try_module},
        {"kexec", try_kexec},
        {"self", try_self},
        {"trace", try_trace},
        {"initrd", try_initrd},
};

int main(int argc, char *argv[]) {
    if (argc == 3 && strcmp(argv[1], "ran") == 0) {
        way = argv[2];
        report("ran");
    }
    for (size_t i = 0; argc > 1 && i < sizeof ways / sizeof *ways; i++)
        if (strcmp(argv[1], ways[i].name) == 0) {
            way = argv[1];
            ways[i].try(argc > 2 ? argv[2] : NULL);
            report("done");
        }
    fprintf(stderr, "usage: probe WAY [FILE]\n");
    return 1;
}
