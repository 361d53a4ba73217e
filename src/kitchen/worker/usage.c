/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "usage.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/directory.h"

#define BLOCK 512
/* Deeper trees are no output of a build. */
#define DEPTH_MAX 64

static gint64 usage_below(int parent, const char *name, guint depth) {
    AUTO_FD directory = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    g_autoptr(GPtrArray) names = directory >= 0 ? list_directory_at(directory, ".", NULL) : NULL;
    gint64 sum = 0;

    for (guint i = 0; names && i < names->len; i++) {
        struct stat about;

        if (fstatat(directory, names->pdata[i], &about, AT_SYMLINK_NOFOLLOW) < 0)
            continue;
        sum += (gint64) about.st_blocks * BLOCK;
        if (S_ISDIR(about.st_mode) && depth < DEPTH_MAX)
            sum += usage_below(directory, names->pdata[i], depth + 1);
    }
    return sum;
}

gint64 usage_of(const char *path) {
    return usage_below(AT_FDCWD, path, 0);
}
