/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pipeline/content/format-limits.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/directory.h"
#include "base/errors.h"
#include "events/events.h"
#include "pipeline/kernel/kernel-tree.h"
#include "pipeline/state/boot-rules.h"
#include "tree/tree.h"

/* Of a layer of an OCI image: what has this prefix removes a file of a layer below. */
#define WHITEOUT ".wh."

/* newc archives have eight hexadecimal digits for the size of a file. */
#define CPIO_LARGEST ((off_t) G_MAXUINT32)

static gboolean is_cpio(OutputFormat format) {
    return format == OUTPUT_FORMAT_CPIO || boot_format_is_tree_uki(format);
}

static gboolean is_extension(OutputFormat format) {
    return format == OUTPUT_FORMAT_SYSEXT || format == OUTPUT_FORMAT_CONFEXT;
}

gboolean wants_format_limits(const ImageBuild *image) {
    OutputFormat format = image->config->format;
    return format == OUTPUT_FORMAT_OCI || is_cpio(format) || is_extension(format);
}

/* ---- names and sizes ---- */

static gboolean check_entry(
        ImageBuild *image, const char *path, const char *name, const struct stat *info, GError **error) {
    const char *format = output_format_to_string(image->config->format);

    if (image->config->format == OUTPUT_FORMAT_OCI && g_str_has_prefix(name, WHITEOUT)) {
        g_set_error(error, BUILD_ERROR, BUILD_ERROR_INPUT,
                "/%s cannot be in an image with Format=%s, where names with \"" WHITEOUT
                "\" remove files: rename it, or leave it out with RemoveFiles=",
                path, format);
        return FALSE;
    }
    if (is_cpio(image->config->format) && S_ISREG(info->st_mode) && info->st_size > CPIO_LARGEST) {
        g_set_error(error, BUILD_ERROR, BUILD_ERROR_INPUT,
                "/%s has 4 GiB or more, which an archive of cpio cannot hold (Format=%s): leave it out with "
                "RemoveFiles=, or take another format",
                path, format);
        return FALSE;
    }
    return TRUE;
}

static gboolean check_directory(ImageBuild *image, int parent_fd, const char *name, const char *path, GError **error) {
    AUTO_FD fd = openat(parent_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    g_autoptr(GPtrArray) names = NULL;

    if (fd < 0)
        return set_errno_error(error, errno, "Cannot read /%s", path);
    if (!(names = list_directory_at(fd, ".", error))) {
        g_prefix_error(error, "Cannot read /%s: ", path);
        return FALSE;
    }
    for (guint i = 0; i < names->len; i++) {
        const char *entry = names->pdata[i];
        g_autofree char *child = *path ? g_strconcat(path, "/", entry, NULL) : g_strdup(entry);
        struct stat info;
        if (fstatat(fd, entry, &info, AT_SYMLINK_NOFOLLOW) < 0)
            continue;
        if (!check_entry(image, child, entry, &info, error) ||
                (S_ISDIR(info.st_mode) && !check_directory(image, fd, entry, child, error)))
            return FALSE;
    }
    return TRUE;
}

/* ---- extended attributes ---- */

/* An archive of cpio has none. Those of the host's SELinux are no part of the image, which gets labels of its own
 * when it boots. */
static gboolean cpio_keeps(const char *attribute) {
    return g_str_equal(attribute, "security.selinux");
}

static gboolean check_cpio(ImageBuild *image, GError **error) {
    g_autofree char *lost = NULL;

    if (!check_directory(image, image->root_fd, ".", "", error) ||
            !tree_find_lost_xattrs(image->root_fd, cpio_keeps, &lost, error))
        return FALSE;
    if (lost)
        events_warning("%s: Format=%s: an archive of cpio holds no extended attributes (file capabilities, access "
                   "control lists), so they are lost: %s",
                image->name, output_format_to_string(image->config->format), lost);
    return TRUE;
}

/* ---- extensions ---- */

static void count_content(const char *path, gpointer data) {
    guint *count = data;
    *count += strstr(path, "extension-release.d/") == NULL;
}

static gboolean count_below(ImageBuild *image, const char *const *directories, guint *ret_count, GError **error) {
    *ret_count = 0;
    for (; *directories; directories++)
        if (tree_exists(image->root_fd, *directories) &&
                !kernel_tree_walk(image->root_fd, *directories, count_content, ret_count, error))
            return FALSE;
    return TRUE;
}

static gboolean check_extension(ImageBuild *image, GError **error) {
    static const char *const usr[] = {"usr", "opt", NULL}, *const etc[] = {"etc", NULL};
    gboolean sysext = image->config->format == OUTPUT_FORMAT_SYSEXT;
    guint count;

    if (!count_below(image, sysext ? usr : etc, &count, error))
        return FALSE;
    if (count == 0)
        events_warning("%s: the extension has no content: Format=%s takes files below %s alone (Format=%s those below %s)",
                image->name, sysext ? "sysext" : "confext", sysext ? "/usr and /opt" : "/etc",
                sysext ? "confext" : "sysext", sysext ? "/etc" : "/usr and /opt");
    return TRUE;
}

gboolean step_format_limits(ImageBuild *image, GError **error) {
    if (is_extension(image->config->format))
        return check_extension(image, error);
    return is_cpio(image->config->format) ? check_cpio(image, error)
                                          : check_directory(image, image->root_fd, ".", "", error);
}
