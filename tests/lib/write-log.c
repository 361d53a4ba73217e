/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Loaded before the C library: writes down what a program does to files below $WRITE_LOG_TOP, in order, for a test that pulls the
 * plug after each of it. A line of text for each operation; the bytes written are beside it, in $WRITE_LOG.data.
 *
 *   write PATH OFFSET SIZE    truncate PATH SIZE    sync PATH    syncfs    rename FROM TO    unlink PATH    create PATH */

#include <dlfcn.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

static const char *top(void) {
    const char *text = getenv("WRITE_LOG_TOP");
    return text ? text : "/nonexistent";
}

static void append(const char *path, const void *bytes, size_t size) {
    int (*real_open)(const char *, int, ...) = dlsym(RTLD_NEXT, "open64");
    ssize_t (*real_write)(int, const void *, size_t) = dlsym(RTLD_NEXT, "write");
    int fd = real_open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (fd < 0 || real_write(fd, bytes, size) != (ssize_t) size)
        abort();
    close(fd);
}

static void note(const char *format, ...) {
    char line[2 * PATH_MAX + 100];
    va_list arguments;
    va_start(arguments, format);
    int n = vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    append(getenv("WRITE_LOG"), line, n);
}

/* The path of FD below the top, or NULL. */
static const char *path_of(int fd, char path[PATH_MAX]) {
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t n = readlink(link, path, PATH_MAX - 1);
    if (n < 0)
        return NULL;
    path[n] = '\0';
    return strncmp(path, top(), strlen(top())) == 0 ? path : NULL;
}

ssize_t pwrite64(int fd, const void *bytes, size_t size, off_t offset) {
    ssize_t (*real)(int, const void *, size_t, off_t) = dlsym(RTLD_NEXT, "pwrite64");
    char path[PATH_MAX], data[PATH_MAX];
    ssize_t n = real(fd, bytes, size, offset);
    if (n > 0 && path_of(fd, path)) {
        snprintf(data, sizeof data, "%s.data", getenv("WRITE_LOG"));
        append(data, bytes, n);
        note("write\t%s\t%lld\t%zd\n", path, (long long) offset, n);
    }
    return n;
}

ssize_t pwrite(int fd, const void *bytes, size_t size, off_t offset) {
    return pwrite64(fd, bytes, size, offset);
}

int ftruncate64(int fd, off_t size) {
    int (*real)(int, off_t) = dlsym(RTLD_NEXT, "ftruncate64");
    char path[PATH_MAX];
    int result = real(fd, size);
    if (result == 0 && path_of(fd, path))
        note("truncate\t%s\t%lld\n", path, (long long) size);
    return result;
}

static int sync_one(int fd, const char *name) {
    int (*real)(int) = dlsym(RTLD_NEXT, name);
    char path[PATH_MAX];
    if (path_of(fd, path))
        note("%s\t%s\n", strcmp(name, "syncfs") == 0 ? "syncfs" : "sync", path);
    return real(fd);
}

int fsync(int fd) {
    return sync_one(fd, "fsync");
}

int fdatasync(int fd) {
    return sync_one(fd, "fdatasync");
}

int syncfs(int fd) {
    return sync_one(fd, "syncfs");
}

int rename(const char *from, const char *to) {
    int (*real)(const char *, const char *) = dlsym(RTLD_NEXT, "rename");
    int result = real(from, to);
    if (result == 0 && strncmp(to, top(), strlen(top())) == 0)
        note("rename\t%s\t%s\n", from, to);
    return result;
}

int renameat(int from_fd, const char *from, int to_fd, const char *to) {
    int (*real)(int, const char *, int, const char *) = dlsym(RTLD_NEXT, "renameat");
    char directory[PATH_MAX];
    int result = real(from_fd, from, to_fd, to);
    if (result == 0 && path_of(to_fd, directory))
        note("rename\t%s/%s\t%s/%s\n", directory, from, directory, to);
    return result;
}

int unlinkat(int fd, const char *name, int flags) {
    int (*real)(int, const char *, int) = dlsym(RTLD_NEXT, "unlinkat");
    char directory[PATH_MAX];
    int result = real(fd, name, flags);
    if (result == 0 && path_of(fd, directory))
        note("unlink\t%s/%s\n", directory, name);
    return result;
}

int unlink(const char *path) {
    int (*real)(const char *) = dlsym(RTLD_NEXT, "unlink");
    int result = real(path);
    if (result == 0 && strncmp(path, top(), strlen(top())) == 0)
        note("unlink\t%s\n", path);
    return result;
}

int open64(const char *path, int flags, ...) {
    int (*real)(const char *, int, ...) = dlsym(RTLD_NEXT, "open64");
    va_list arguments;
    va_start(arguments, flags);
    int mode = flags & O_CREAT ? va_arg(arguments, int) : 0;
    va_end(arguments);
    int absent = flags & O_CREAT && access(path, F_OK) != 0;
    int fd = real(path, flags, mode);
    if (fd >= 0 && absent && strncmp(path, top(), strlen(top())) == 0)
        note("create\t%s\n", path);
    return fd;
}
