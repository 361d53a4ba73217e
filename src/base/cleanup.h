/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Cleanup attributes that GLib 2.74 lacks. */

#include <dirent.h>
#include <stdio.h>
#include <unistd.h>

static inline void cleanup_fd(int *fd) {
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

static inline void cleanup_dir(DIR **dir) {
    if (*dir)
        closedir(*dir);
    *dir = NULL;
}

static inline void cleanup_file(FILE **file) {
    if (*file)
        fclose(*file);
    *file = NULL;
}

/* A file descriptor that is closed at the end of the scope; initialise with -1 or an open one. */
#define AUTO_FD __attribute__((cleanup(cleanup_fd))) int
#define AUTO_DIR __attribute__((cleanup(cleanup_dir))) DIR *
#define AUTO_FILE __attribute__((cleanup(cleanup_file))) FILE *

/* Hands the descriptor on: FD is -1 afterwards. */
static inline int steal_fd(int *fd) {
    int taken = *fd;
    *fd = -1;
    return taken;
}
