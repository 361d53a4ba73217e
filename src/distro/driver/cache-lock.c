/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "distro/driver/cache-lock.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/errors.h"
#include "events/events.h"
#include "events/task.h"
#include "sandbox/sandbox.h"

#define ROUND_US (20 * 1000)
#define PATIENCE 50 /* rounds, before people hear of it */

/* OTHERS: what the builds that hold the lock do. */
static int lock_cache(
        const DistroSession *session, const char *name, int mode, const char *others, GError **error) {
    g_autofree char *path = g_build_filename(session->package_cache, name, NULL);
    AUTO_FD fd = g_mkdir_with_parents(session->package_cache, 0755) < 0
                         ? -1
                         : open(path, O_RDONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0644);

    if (fd < 0) {
        set_errno_error(error, errno, "Cannot open %s", path);
        return -1;
    }
    for (guint round = 0; flock(fd, mode | LOCK_NB) < 0; round++) {
        if (errno != EWOULDBLOCK && errno != EINTR) {
            set_errno_error(error, errno, "Cannot lock %s", path);
            return -1;
        }
        if (task_is_cancelled(task_current())) {
            g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_INTR, "Interrupted");
            return -1;
        }
        if (round == PATIENCE)
            events_info("Waiting for another build that %s %s", others, session->package_cache);
        g_usleep(ROUND_US);
    }
    return steal_fd(&fd);
}

int cache_lock_metadata(const DistroSession *session, gboolean fetch, GError **error) {
    return lock_cache(session, "metadata.lock", fetch ? LOCK_EX : LOCK_SH,
            fetch ? "uses the metadata in" : "fetches metadata into", error);
}

int cache_lock_packages(const DistroSession *session, GError **error) {
    return lock_cache(session, "packages.lock", LOCK_EX, "downloads packages into", error);
}
