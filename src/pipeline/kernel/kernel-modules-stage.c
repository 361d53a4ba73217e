/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pipeline/kernel/kernel-modules-stage.h"

#include <errno.h>
#include <fcntl.h>
#include <gio/gio.h>
#include <sys/stat.h>

#include "base/errors.h"
#include "pipeline/kernel/kernel-modules-files.h"
#include "tree/tree.h"

gboolean kernel_modules_stage(
        int root_fd, const char *version, const KernelModuleSet *set, int target_fd, GError **error) {
    g_autoptr(GPtrArray) paths = kernel_modules_paths(root_fd, version, set, error);
    for (guint i = 0; paths && i < paths->len; i++) {
        const char *path = paths->pdata[i];
        struct stat st;
        gboolean ok = FALSE;
        if (fstatat(root_fd, path, &st, AT_SYMLINK_NOFOLLOW) < 0)
            set_errno_error(error, errno, "looking at %s", path);
        else if (S_ISDIR(st.st_mode))
            ok = tree_mkdir_p(target_fd, path, 0755, error);
        else
            ok = tree_copy(root_fd, path, target_fd, path, TREE_COPY_KEEP_OWNER, error);
        if (!ok)
            return FALSE;
    }
    return paths != NULL;
}
