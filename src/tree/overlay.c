/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "sandbox/sandbox.h"
#include "tree/tree-private.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mount.h>

/* The kernel takes one page of options. */
#define OPTIONS_MAX 4000

static void close_fd(gpointer fd) {
    close(GPOINTER_TO_INT(fd));
}

/* Opens a layer, keeps its descriptor in FDS, and appends its name: a short one that needs no quoting. */
static gboolean add_layer(
        GString *options, const char *prefix, const char *path, GPtrArray *fds, GError **error) {
    int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return tree_set_error(error, "cannot open the layer %s", path);
    g_ptr_array_add(fds, GINT_TO_POINTER(fd));
    g_string_append_printf(options, "%s/proc/self/fd/%d", prefix, fd);
    return TRUE;
}

/* A volatile mount marks its working directory so that nobody uses it again after a crash. After a crash
 * nobody uses any of our layers again, so the mark of an earlier mount has no meaning. */
static void remove_volatile_mark(const char *work) {
    AUTO_FD fd = open(work, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return;
    unlinkat(fd, "work/incompat/volatile/dirty", 0);
    unlinkat(fd, "work/incompat/volatile", AT_REMOVEDIR);
    unlinkat(fd, "work/incompat", AT_REMOVEDIR);
}

static gboolean mount_layers(
        char *const *lowers, const char *upper, const char *work, const char *target, GError **error) {
    g_autoptr(GPtrArray) fds = g_ptr_array_new_with_free_func(close_fd);
    g_autoptr(GString) options = g_string_new(NULL);
    for (char *const *lower = lowers; *lower; lower++)
        if (!add_layer(options, lower == lowers ? "lowerdir=" : ":", *lower, fds, error))
            return FALSE;
    if (upper) {
        remove_volatile_mark(work);
        if (!add_layer(options, ",upperdir=", upper, fds, error) ||
                !add_layer(options, ",workdir=", work, fds, error))
            return FALSE;
        /* Else unmounting writes the whole upper file system to the disk. */
        g_string_append(options, ",volatile");
    }
    g_string_append(options, ",index=off,metacopy=off,redirect_dir=nofollow");
    if (!sandbox_is_real_root())
        g_string_append(options, ",userxattr");
    if (options->len > OPTIONS_MAX) {
        g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_INVAL, "too many layers");
        return FALSE;
    }
    if (mount("overlay", target, "overlay", 0, options->str) < 0)
        return tree_set_error(error, "the kernel refuses (%s)", options->str);
    return TRUE;
}

/* A single read-only layer is no overlay. */
static gboolean mount_bind(const char *source, const char *target, GError **error) {
    if (mount(source, target, NULL, MS_BIND, NULL) < 0)
        return tree_set_error(error, "cannot bind %s", source);
    if (mount(NULL, target, NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL) == 0)
        return TRUE;
    tree_set_error(error, "cannot make it read-only");
    umount2(target, MNT_DETACH);
    return FALSE;
}

gboolean tree_mount_overlay(
        char *const *lowers, const char *upper, const char *work, const char *target, GError **error) {
    guint count = g_strv_length((char **) lowers);
    gboolean good;
    if (count == 0 || (upper && !work)) {
        g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_INVAL,
                "cannot mount an overlay on %s without layers or without a working directory", target);
        return FALSE;
    }
    if (count == 1 && !upper)
        good = mount_bind(lowers[0], target, error);
    else
        good = mount_layers(lowers, upper, work, target, error);
    if (!good)
        g_prefix_error(error, "cannot mount an overlay on %s: ", target);
    return good;
}

gboolean tree_unmount(const char *target, GError **error) {
    if (umount2(target, UMOUNT_NOFOLLOW) == 0)
        return TRUE;
    /* Somebody looks at it still; it goes away with the last one. */
    if (errno == EBUSY && umount2(target, MNT_DETACH | UMOUNT_NOFOLLOW) == 0)
        return TRUE;
    return tree_set_error(error, "cannot unmount %s", target);
}
