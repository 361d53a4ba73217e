/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pipeline/content/base-trees.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/errors.h"
#include "events/events.h"
#include "events/step.h"
#include "sandbox/sandbox.h"
#include "tree/tree.h"

static gboolean fail_errno(const char *what, const char *path, GError **error) {
    return set_errno_error(error, errno, "Cannot %s %s", what, path);
}

static char *make_directory(ImageBuild *image, const char *name, GError **error) {
    g_autofree char *path = g_build_filename(image->places.directory, name, NULL);

    if (g_mkdir_with_parents(path, 0755) == 0)
        return g_steal_pointer(&path);
    fail_errno("create", path, error);
    return NULL;
}

static gboolean extract_archive(const char *source, const char *target, GError **error) {
    AUTO_FD archive = open(source, O_RDONLY | O_CLOEXEC);
    AUTO_FD tree = open(target, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    return archive >= 0 && tree >= 0 ? tree_extract(archive, tree, "/", TREE_COPY_KEEP_OWNER, error)
                                     : fail_errno("read", source, error);
}

/* The partitions of a disk image, put together as they would be mounted. */
static gboolean extract_disk(
        const ImageBuild *image, const char *source, const char *target, GError **error) {
    const char *const command[] = {
            "systemd-dissect", "--copy-from", "/run/particleos/disk", "/", "/run/particleos/tree", NULL};
    g_autoptr(Sandbox) sandbox = NULL;

    if (!sandbox_is_real_root()) {
        g_set_error(error, BUILD_ERROR, BUILD_ERROR_INPUT,
                "only root can mount disk images; use a directory or a tar archive (Format= of the base), "
                "or run "
                "as root");
        return FALSE;
    }
    /* With the host's own program, because it gets the host's devices. */
    sandbox = sandbox_new_for_tools(NULL);
    sandbox_privileges(sandbox, SANDBOX_PRIVILEGES_HOST);
    sandbox_bind(sandbox, "/dev", "/dev", 0);
    sandbox_bind(sandbox, "/sys", "/sys", 0);
    sandbox_bind(sandbox, source, "/run/particleos/disk", SANDBOX_READ_ONLY);
    sandbox_bind(sandbox, target, "/run/particleos/tree", 0);
    sandbox_setenv(sandbox, "SYSTEMD_DISSECT_VERITY_EMBEDDED", "no");
    sandbox_setenv(sandbox, "SYSTEMD_DISSECT_VERITY_SIDECAR", "no");
    return sandbox_run(sandbox, command, error);
}

/* SOURCE as a directory; owned by the caller. */
static char *open_base(ImageBuild *image, const char *source, guint number, GError **error) {
    g_autofree char *name = g_strdup_printf("bases/%u", number);
    g_autofree char *target = NULL;
    struct stat info;
    gboolean ok;

    if (stat(source, &info) < 0) {
        fail_errno("read", source, error);
        return NULL;
    }
    if (S_ISDIR(info.st_mode))
        return g_strdup(source);
    if (!(target = make_directory(image, name, error)))
        return NULL;
    if (tree_is_archive_name(source))
        ok = extract_archive(source, target, error);
    else if (g_str_has_suffix(source, ".raw"))
        ok = extract_disk(image, source, target, error);
    else {
        g_set_error(error, BUILD_ERROR, BUILD_ERROR_INPUT,
                "it is neither a directory nor a tar archive nor a disk image (.raw)");
        ok = FALSE;
    }
    return ok ? g_steal_pointer(&target) : NULL;
}

/* What lies below the overlay, top first. */
static gboolean find_bases(ImageBuild *image, GError **error) {
    const char *origin = recipe_setting_origin(image->config, "BaseTrees");

    image->layers.bases = g_ptr_array_new_with_free_func(g_free);
    g_ptr_array_add(image->layers.bases, NULL);
    for (guint i = 0; image->config->base_trees[i]; i++) {
        g_autofree char *source = build_resolve_output(image->build, image->config->base_trees[i], error);
        char *base = source ? open_base(image, source, i, error) : NULL;
        if (!base) {
            g_prefix_error(error, "%s%sBaseTrees=%s: ", origin ? origin : "", origin ? ": " : "",
                    image->config->base_trees[i]);
            return FALSE;
        }
        g_ptr_array_insert(image->layers.bases, 0, base);
    }
    return TRUE;
}

static gboolean set_root(ImageBuild *image, const char *path, GError **error) {
    if (image->root_fd >= 0)
        close(image->root_fd);
    g_free(image->root);
    image->root = g_strdup(path);
    image->root_fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return image->root_fd >= 0 || fail_errno("open", path, error);
}

gboolean base_trees_mount(ImageBuild *image, GError **error) {
    g_autofree char *upper = make_directory(image, "root", error);
    g_autofree char *work = upper ? make_directory(image, "root-work", error) : NULL;
    g_autofree char *target = work ? make_directory(image, "root-merged", error) : NULL;
    g_autoptr(EventsStep) step = NULL;

    if (!target)
        return FALSE;
    step = events_step_begin(image->name, "Mounting base trees");
    if (!find_bases(image, error) ||
            !tree_mount_overlay((char *const *) image->layers.bases->pdata, upper, work, target, error))
        return FALSE;
    image->layers.mounted = TRUE;
    events_step_done(g_steal_pointer(&step), "%u", image->layers.bases->len - 1);
    return set_root(image, target, error);
}

gboolean wants_overlay_difference(const ImageBuild *image) {
    return image->config->overlay && image->layers.bases;
}

typedef struct {
    int lower_fd;
    OutputFormat format;
} Difference;

/* What an extension is not made of does not matter. */
static gboolean is_compared(const Difference *difference, const char *path) {
    switch (difference->format) {
    case OUTPUT_FORMAT_SYSEXT:
        return g_str_equal(path, "usr") || g_str_equal(path, "opt") || g_str_has_prefix(path, "usr/") ||
               g_str_has_prefix(path, "opt/");
    case OUTPUT_FORMAT_CONFEXT:
        return g_str_equal(path, "etc") || g_str_has_prefix(path, "etc/");
    default:
        return TRUE;
    }
}

/* Marks of overlayfs in the attributes of a file are of no use outside of it. */
static void remove_marks(int fd) {
    char names[4096];
    ssize_t size = flistxattr(fd, names, sizeof names);

    for (const char *name = names; size > 0 && name < names + size; name += strlen(name) + 1)
        if (g_str_has_prefix(name, "trusted.overlay.") || g_str_has_prefix(name, "user.overlay."))
            (void) fremovexattr(fd, name);
}

/* A directory that the base has, too, looks as it does there. */
static gboolean take_over_attributes(int fd, const struct stat *lower, const char *path, GError **error) {
    const struct timespec times[] = {lower->st_atim, lower->st_mtim};

    return (fchmod(fd, lower->st_mode & 07777) == 0 && futimens(fd, times) == 0) ||
           fail_errno("change", path, error);
}

static gboolean prune_directory(const Difference *difference, int dir_fd, const char *path, GError **error);

static gboolean prune_entry(
        const Difference *difference, int dir_fd, const char *name, const char *path, GError **error) {
    struct stat upper, lower;
    gboolean exists;

    if (fstatat(dir_fd, name, &upper, AT_SYMLINK_NOFOLLOW) < 0)
        return fail_errno("read", path, error);
    /* The mark of a file that was removed. */
    if (S_ISCHR(upper.st_mode) && upper.st_rdev == makedev(0, 0))
        return unlinkat(dir_fd, name, 0) == 0 || fail_errno("remove", path, error);

    exists = is_compared(difference, path) &&
             fstatat(difference->lower_fd, path, &lower, AT_SYMLINK_NOFOLLOW) == 0;
    if (!S_ISDIR(upper.st_mode)) {
        AUTO_FD fd = S_ISREG(upper.st_mode) ? openat(dir_fd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC) : -1;
        if (fd >= 0)
            remove_marks(fd);
        if (!exists)
            return TRUE;
        events_debug("/%s is in the base trees, too: left out", path);
        return unlinkat(dir_fd, name, 0) == 0 || fail_errno("remove", path, error);
    }
    if (exists && !S_ISDIR(lower.st_mode)) {
        g_set_error(error, BUILD_ERROR, BUILD_ERROR_INPUT,
                "/%s is a directory in the overlay but not in the base trees, so it cannot be laid over "
                "them",
                path);
        return FALSE;
    }
    AUTO_FD fd = openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return fail_errno("open", path, error);
    remove_marks(fd);
    return prune_directory(difference, fd, path, error) &&
           (!exists || take_over_attributes(fd, &lower, path, error));
}

/* Looks at everything below DIR_FD, which is PATH in the tree. */
static gboolean prune_directory(const Difference *difference, int dir_fd, const char *path, GError **error) {
    int list_fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    g_autoptr(GPtrArray) names = list_fd >= 0 ? tree_list(list_fd, error) : NULL;

    if (!names)
        return list_fd < 0 ? fail_errno("read", path, error) : FALSE;
    for (guint i = 0; i < names->len; i++) {
        g_autofree char *child =
                *path ? g_strconcat(path, "/", names->pdata[i], NULL) : g_strdup(names->pdata[i]);
        if (!prune_entry(difference, dir_fd, names->pdata[i], child, error))
            return FALSE;
    }
    return TRUE;
}

/* Prunes the tree against the merged base trees. */
static gboolean prune(ImageBuild *image, GError **error) {
    g_autofree char *lower = make_directory(image, "root-lower", error);
    gboolean ok;

    if (!lower || !tree_mount_overlay((char *const *) image->layers.bases->pdata, NULL, NULL, lower, error))
        return FALSE;
    {
        AUTO_FD lower_fd = open(lower, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        const Difference difference = {lower_fd, image->config->format};
        ok = lower_fd >= 0 ? prune_directory(&difference, image->root_fd, "", error)
                           : fail_errno("open", lower, error);
    }
    return tree_unmount(lower, ok ? error : NULL) && ok;
}

gboolean step_overlay_difference(ImageBuild *image, GError **error) {
    g_autofree char *merged = g_strdup(image->root);
    g_autofree char *upper = g_build_filename(image->places.directory, "root", NULL);

    if (!set_root(image, upper, error) || !tree_unmount(merged, error))
        return FALSE;
    image->layers.mounted = FALSE;
    remove_marks(image->root_fd);
    return prune(image, error);
}
