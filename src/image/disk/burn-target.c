/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "image/disk/burn.h"

#include <errno.h>
#include <fcntl.h>
#include <gio/gio.h>
#include <linux/fs.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "base/cleanup.h"

void burn_target_free(BurnTarget *target) {
    if (!target)
        return;
    g_free(target->path);
    g_free(target->name);
    g_free(target->model);
    g_free(target);
}

static gboolean refuse(GError **error, GIOErrorEnum code, const char *format, ...) G_GNUC_PRINTF(3, 4);
static gboolean refuse(GError **error, GIOErrorEnum code, const char *format, ...) {
    va_list list;
    va_start(list, format);
    if (error)
        *error = g_error_new_valist(G_IO_ERROR, code, format, list);
    va_end(list);
    return FALSE;
}

static char *read_attribute(const char *directory, const char *name) {
    g_autofree char *path = g_build_filename(directory, name, NULL);
    char *text = NULL;
    return g_file_get_contents(path, &text, NULL, NULL) ? g_strstrip(text) : NULL;
}

static char *first_entry(const char *directory, const char *name) {
    g_autofree char *path = g_build_filename(directory, name, NULL);
    g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
    return dir ? g_strdup(g_dir_read_name(dir)) : NULL;
}

/* Where the device NUMBER ("8:16") is mounted, or NULL; owned by the caller (proc_pid_mountinfo(5)). */
static char *mount_point(const char *number) {
    g_autofree char *text = NULL;
    if (!g_file_get_contents("/proc/self/mountinfo", &text, NULL, NULL))
        return NULL;
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    for (char **line = lines; *line; line++) {
        g_auto(GStrv) fields = g_strsplit(*line, " ", 6);
        if (g_strv_length(fields) >= 5 && strcmp(fields[2], number) == 0)
            return g_strcompress(fields[4]);
    }
    return NULL;
}

static gboolean is_swap(const char *number) {
    g_autofree char *text = NULL;
    if (!g_file_get_contents("/proc/swaps", &text, NULL, NULL))
        return FALSE;
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    for (char **line = lines; *line; line++) {
        struct stat st;
        g_autofree char *path = g_strndup(*line, strcspn(*line, " \t"));
        g_autofree char *plain = g_strcompress(path);
        if (stat(plain, &st) < 0 || !S_ISBLK(st.st_mode))
            continue;
        g_autofree char *other = g_strdup_printf("%u:%u", major(st.st_rdev), minor(st.st_rdev));
        if (strcmp(other, number) == 0)
            return TRUE;
    }
    return FALSE;
}

/* The disk or partition that the directory SYS of sysfs describes. */
static gboolean check_unused(const char *sys, const char *name, GError **error) {
    g_autofree char *number = read_attribute(sys, "dev");
    g_autofree char *holder = first_entry(sys, "holders");
    g_autofree char *mounted = number ? mount_point(number) : NULL;
    if (mounted)
        return refuse(error, G_IO_ERROR_BUSY, "%s is mounted on %s: unmount it first", name, mounted);
    if (number && is_swap(number))
        return refuse(
                error, G_IO_ERROR_BUSY, "%s is in use as swap: run 'swapoff /dev/%s' first", name, name);
    if (holder)
        return refuse(error, G_IO_ERROR_BUSY,
                "%s is part of the volume %s (encryption, RAID or LVM): close that first", name, holder);
    return TRUE;
}

/* The partitions are the subdirectories that have a number. */
static gboolean check_all_unused(const char *sys, const char *disk, GError **error) {
    g_autoptr(GDir) dir = g_dir_open(sys, 0, error);
    if (!dir || !check_unused(sys, disk, error))
        return FALSE;
    for (const char *name; (name = g_dir_read_name(dir));) {
        g_autofree char *path = g_build_filename(sys, name, NULL);
        g_autofree char *number = read_attribute(path, "partition");
        if (number && !check_unused(path, name, error))
            return FALSE;
    }
    return TRUE;
}

static char *describe_model(const char *sys) {
    g_autofree char *vendor = read_attribute(sys, "device/vendor");
    g_autofree char *model = read_attribute(sys, "device/model");
    if (!model)
        return NULL;
    /* Some buses have a number here. */
    return vendor && *vendor && !g_str_has_prefix(vendor, "0x") ? g_strdup_printf("%s %s", vendor, model)
                                                                : g_steal_pointer(&model);
}

static gboolean look(BurnTarget *target, const char *sys, GError **error) {
    /* The kernel's own answer: fails for anything that somebody has claimed. */
    AUTO_FD fd = open(target->path, O_RDWR | O_EXCL | O_CLOEXEC);
    int sector_size;
    if (fd < 0 && errno == EBUSY)
        return refuse(error, G_IO_ERROR_BUSY, "%s is in use", target->path);
    if (fd < 0 && (errno == EACCES || errno == EPERM))
        return refuse(error, G_IO_ERROR_PERMISSION_DENIED,
                "You may not write to %s: run particleos with sudo or run0", target->path);
    if (fd < 0 && errno == EROFS)
        return refuse(error, G_IO_ERROR_READ_ONLY, "%s is write-protected", target->path);
    if (fd < 0 || ioctl(fd, BLKGETSIZE64, &target->size) < 0 || ioctl(fd, BLKSSZGET, &sector_size) < 0)
        return refuse(
                error, g_io_error_from_errno(errno), "Cannot open %s: %s", target->path, g_strerror(errno));
    g_autofree char *read_only = read_attribute(sys, "ro");
    g_autofree char *removable = read_attribute(sys, "removable");
    if (g_strcmp0(read_only, "1") == 0)
        return refuse(error, G_IO_ERROR_READ_ONLY, "%s is write-protected", target->path);
    target->sector_size = sector_size;
    target->removable = g_strcmp0(removable, "1") == 0;
    target->model = describe_model(sys);
    return TRUE;
}

BurnTarget *burn_target_open(const char *path, GError **error) {
    g_autoptr(BurnTarget) target = g_new0(BurnTarget, 1);
    struct stat st;
    if (stat(path, &st) < 0) {
        refuse(error, g_io_error_from_errno(errno), "Cannot look at %s: %s", path, g_strerror(errno));
        return NULL;
    }
    if (!S_ISBLK(st.st_mode)) {
        refuse(error, G_IO_ERROR_INVALID_ARGUMENT,
                "%s is not a block device; name one such as /dev/sdb or /dev/disk/by-id/usb-...", path);
        return NULL;
    }
    g_autofree char *link = g_strdup_printf("/sys/dev/block/%u:%u", major(st.st_rdev), minor(st.st_rdev));
    g_autofree char *sys = realpath(link, NULL);
    if (!sys) {
        refuse(error, g_io_error_from_errno(errno), "Cannot find %s in /sys: %s", path, g_strerror(errno));
        return NULL;
    }
    target->path = g_strdup(path);
    target->name = g_path_get_basename(sys);
    g_autofree char *partition = read_attribute(sys, "partition");
    if (partition) {
        g_autofree char *parent = g_path_get_dirname(sys);
        g_autofree char *disk = g_path_get_basename(parent);
        refuse(error, G_IO_ERROR_INVALID_ARGUMENT,
                "%s is a partition; an image is written to a whole device, here /dev/%s", path, disk);
        return NULL;
    }
    if (!check_all_unused(sys, target->name, error) || !look(target, sys, error))
        return NULL;
    return g_steal_pointer(&target);
}
