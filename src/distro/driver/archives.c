/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "distro/driver/archives.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/errors.h"
#include "distro/driver/verified.h"
#include "events/events.h"
#include "tree/tree.h"

#define ARCHIVES "archives"
#define RECORD "verified-packages"

/* What lies in the workspace (PackageDirectories=) was indexed by us, and nobody else can write there. */
static gboolean is_in_cache(const DistroPackage *package) {
    return !package->local;
}

/* TRUE when FILE of the cache is the PACKAGE of the index. RET_FOUND: the digest that it has, or NULL. */
static gboolean is_right(
        Verified *verified, const DistroPackage *package, const char *file, char **ret_found) {
    g_autoptr(GError) problem = NULL;
    const char *wanted = package->digest;

    if (!g_str_has_prefix(wanted, "SHA256:"))
        return FALSE;
    if (!(*ret_found = verified_digest(verified, file, &problem)))
        return FALSE;
    return g_str_equal(*ret_found, wanted + strlen("SHA256:"));
}

gboolean archives_complete(DistroSession *session, GPtrArray *packages) {
    g_autoptr(Verified) verified = verified_read(session->package_cache, RECORD);

    for (guint i = 0; i < packages->len; i++) {
        const DistroPackage *package = packages->pdata[i];
        g_autofree char *file = g_build_filename(ARCHIVES, package->file, NULL);
        g_autofree char *found = NULL;

        if (is_in_cache(package) && !is_right(verified, package, file, &found))
            return FALSE;
    }
    return verified_write(verified, NULL);
}

GPtrArray *archives_check(DistroSession *session, GPtrArray *packages, GError **error) {
    g_autoptr(Verified) verified = verified_read(session->package_cache, RECORD);
    g_autoptr(GPtrArray) bad = g_ptr_array_new_with_free_func(g_free);

    for (guint i = 0; i < packages->len; i++) {
        const DistroPackage *package = packages->pdata[i];
        g_autofree char *file = g_build_filename(ARCHIVES, package->file, NULL);
        g_autofree char *path = g_build_filename(session->package_cache, file, NULL);
        g_autofree char *found = NULL;

        if (!is_in_cache(package) || is_right(verified, package, file, &found))
            continue;
        g_ptr_array_add(bad, g_strdup(package->file));
        if (g_unlink(path) < 0) {
            if (errno == ENOENT)
                continue;
            set_errno_error(error, errno, "%s is not the package of the index, and cannot be removed", path);
            return NULL;
        }
        events_warning("%s is not the package that the index of the repository names (%s, not %s); removed",
                path, found ? found : "no file of ours", package->digest);
    }
    return verified_write(verified, error) ? g_steal_pointer(&bad) : NULL;
}

gboolean archives_copy(DistroSession *session, GPtrArray *packages, const char *shared, GError **error) {
    g_autofree char *from = g_build_filename(shared, ARCHIVES, NULL);
    g_autofree char *to = g_build_filename(session->package_cache, ARCHIVES, NULL);
    AUTO_FD source = open(from, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    AUTO_FD target = open(to, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    for (guint i = 0; source >= 0 && target >= 0 && i < packages->len; i++) {
        const DistroPackage *package = packages->pdata[i];
        struct stat info;
        if (!is_in_cache(package) || fstatat(source, package->file, &info, AT_SYMLINK_NOFOLLOW) < 0 ||
                !S_ISREG(info.st_mode) || faccessat(target, package->file, F_OK, 0) == 0)
            continue;
        if (!tree_copy(source, package->file, target, package->file, 0, error) ||
                fchownat(target, package->file, 0, 0, AT_SYMLINK_NOFOLLOW) < 0 ||
                fchmodat(target, package->file, 0644, 0) < 0) {
            g_prefix_error(error, "Cannot copy %s from the package cache: ", package->file);
            return FALSE;
        }
    }
    return TRUE;
}
