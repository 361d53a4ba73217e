/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "distro/pacman/signatures.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/errors.h"
#include "distro/driver/verified.h"
#include "events/events.h"
#include "tree/tree.h"

#define ARCHIVES "archives"
#define RECORD "verified-signatures"

static gboolean wants_signature(const DistroSession *session, const DistroPackage *package) {
    return session->config->repository_key_check && !package->local;
}

/* Below the cache; owned by the caller. */
static char *signature_path(const DistroPackage *package) {
    return g_strdup_printf(ARCHIVES "/%s.sig", package->file);
}

static gboolean exists(const DistroSession *session, const char *file) {
    g_autofree char *path = g_build_filename(session->package_cache, file, NULL);
    struct stat info;
    return lstat(path, &info) == 0;
}

/* TRUE when FILE is what VERIFIED has recorded. RET_KNOWN: it has recorded something. */
static gboolean is_right(Verified *verified, const char *file, gboolean *ret_known) {
    g_autofree char *recorded = g_strdup(verified_recorded(verified, file));
    g_autofree char *found = recorded ? verified_digest(verified, file, NULL) : NULL;

    *ret_known = recorded != NULL;
    return found && g_str_equal(found, recorded);
}

gboolean pacman_signatures_complete(DistroSession *session, GPtrArray *packages) {
    g_autoptr(Verified) verified = verified_read(session->package_cache, RECORD);

    for (guint i = 0; i < packages->len; i++) {
        g_autofree char *file = signature_path(packages->pdata[i]);
        gboolean known;
        if (wants_signature(session, packages->pdata[i]) && !is_right(verified, file, &known))
            return FALSE;
    }
    return verified_write(verified, NULL);
}

GPtrArray *pacman_signatures_check(DistroSession *session, GPtrArray *packages, GError **error) {
    g_autoptr(Verified) verified = verified_read(session->package_cache, RECORD);
    g_autoptr(GPtrArray) bad = g_ptr_array_new_with_free_func(g_free);

    for (guint i = 0; i < packages->len; i++) {
        const DistroPackage *package = packages->pdata[i];
        g_autofree char *file = signature_path(package);
        g_autofree char *path = g_build_filename(session->package_cache, file, NULL);
        gboolean known;

        if (!wants_signature(session, package) || is_right(verified, file, &known))
            continue;
        g_ptr_array_add(bad, g_strdup(package->file));
        if (!known || !exists(session, file))
            continue;
        if (g_unlink(path) < 0) {
            set_errno_error(error, errno, "%s is not the signature that was verified, and cannot be removed", path);
            return NULL;
        }
        events_warning("%s is not the signature that was verified; removed", path);
    }
    return verified_write(verified, error) ? g_steal_pointer(&bad) : NULL;
}

gboolean pacman_signatures_record(DistroSession *session, GPtrArray *packages, GError **error) {
    g_autoptr(Verified) verified = verified_read(session->package_cache, RECORD);

    for (guint i = 0; i < packages->len; i++) {
        g_autofree char *file = signature_path(packages->pdata[i]);
        /* Repositories of pacman.d may need none. */
        if (!wants_signature(session, packages->pdata[i]) || !exists(session, file))
            continue;
        g_autofree char *digest = verified_digest(verified, file, error);
        if (!digest)
            return FALSE;
    }
    return verified_write(verified, error);
}

gboolean pacman_signatures_copy(DistroSession *session, GPtrArray *packages, const char *shared, GError **error) {
    g_autofree char *from = g_build_filename(shared, ARCHIVES, NULL);
    g_autofree char *to = g_build_filename(session->package_cache, ARCHIVES, NULL);
    AUTO_FD source = open(from, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    AUTO_FD target = open(to, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    for (guint i = 0; source >= 0 && target >= 0 && i < packages->len; i++) {
        const DistroPackage *package = packages->pdata[i];
        g_autofree char *name = g_strconcat(package->file, ".sig", NULL);
        struct stat info;
        if (!wants_signature(session, package) || fstatat(source, name, &info, AT_SYMLINK_NOFOLLOW) < 0 ||
                !S_ISREG(info.st_mode) || faccessat(target, name, F_OK, 0) == 0)
            continue;
        if (!tree_copy(source, name, target, name, 0, error) || fchmodat(target, name, 0644, 0) < 0) {
            g_prefix_error(error, "Cannot copy %s from the package cache: ", name);
            return FALSE;
        }
    }
    return TRUE;
}
