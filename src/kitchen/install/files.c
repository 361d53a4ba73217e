/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kitchen/install/install.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/errors.h"
#include "base/io.h"
#include "kitchen/install/private.h"

#define FILE_SIZE_MAX (1024 * 1024)
#define OLD_MAX 1000

G_DEFINE_QUARK(particleos - install - error - quark, install_error)

Install *install_new(const InstallOptions *options, GError **error) {
    g_autoptr(Install) install = g_new0(Install, 1);

    install->options = options;
    install->root = open(options->root ?: "/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (install->root >= 0)
        return g_steal_pointer(&install);
    set_errno_error(error, errno, "Cannot open the root directory %s", options->root ?: "/");
    return NULL;
}

void install_free(Install *install) {
    if (!install)
        return;
    cleanup_fd(&install->root);
    g_free(install);
}

void install_say(Install *install, const char *format, ...) {
    g_autofree char *line = NULL;
    va_list arguments;

    va_start(arguments, format);
    line = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    install->options->say(install->options->user, line);
}

/* The directory NAME in PARENT, which is closed. */
static int enter(int parent, const char *name, const char *path, gboolean make, GError **error) {
    AUTO_FD here = parent;
    int fd = openat(here, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

    if (fd < 0 && errno == ENOENT) {
        if (!make)
            return -1;
        if (mkdirat(here, name, 0755) < 0 && errno != EEXIST) {
            set_errno_error(error, errno, "Cannot make the directory %s of %s", name, path);
            return -1;
        }
        fd = openat(here, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    }
    if (fd >= 0)
        return fd;
    if (errno == ENOTDIR || errno == ELOOP)
        g_set_error(error, INSTALL_ERROR, 0,
                "%s: %s is no directory (a symbolic link, perhaps), and what would be written there is not known: "
                "put a directory in its place",
                path, name);
    else
        set_errno_error(error, errno, "Cannot open the directory %s of %s", name, path);
    return -1;
}

int install_open_parent(Install *install, const char *path, gboolean make, const char **ret_name, GError **error) {
    g_auto(GStrv) parts = g_strsplit(path + 1, "/", -1);
    guint n = g_strv_length(parts);
    int fd = fcntl(install->root, F_DUPFD_CLOEXEC, 3);

    if (fd < 0) {
        set_errno_error(error, errno, "Cannot open %s", path);
        return -1;
    }
    for (guint i = 0; i + 1 < n && fd >= 0; i++)
        fd = enter(fd, parts[i], path, make, error);
    *ret_name = strrchr(path, '/') + 1;
    return fd;
}

static char *read_at(int dir_fd, const char *name, const char *path, GError **error) {
    AUTO_FD fd = openat(dir_fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    g_autofree char *text = NULL;
    struct stat about;
    gssize n = 0;

    if (fd < 0 && errno == ENOENT)
        return NULL;
    if (fd < 0 || fstat(fd, &about) < 0) {
        set_errno_error(error, errno, "Cannot open %s", path);
        return NULL;
    }
    if (!S_ISREG(about.st_mode) || about.st_size > FILE_SIZE_MAX) {
        g_set_error(error, INSTALL_ERROR, 0, "%s is there, and is no file like ours", path);
        return NULL;
    }
    text = g_malloc0((gsize) about.st_size + 1);
    n = pread_up_to(fd, text, (gsize) about.st_size, 0);
    if (n >= 0)
        return g_steal_pointer(&text);
    set_errno_error(error, errno, "Cannot read %s", path);
    return NULL;
}

char *install_read(Install *install, const char *path, GError **error) {
    g_autoptr(GError) failure = NULL;
    const char *name = NULL;
    AUTO_FD fd = install_open_parent(install, path, FALSE, &name, &failure);
    char *text = fd >= 0 ? read_at(fd, name, path, &failure) : NULL;

    if (failure)
        g_propagate_error(error, g_steal_pointer(&failure));
    return text;
}

gboolean install_write(int dir_fd, const char *name, guint mode, const char *text, gboolean replace, GError **error) {
    g_autofree char *beside = g_strconcat(".", name, ".new", NULL);
    AUTO_FD fd = -1;

    (void) unlinkat(dir_fd, beside, 0);
    fd = openat(dir_fd, beside, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0 || !write_all(fd, text, strlen(text)) || fchmod(fd, mode) < 0 || fsync(fd) < 0 ||
            renameat2(dir_fd, beside, dir_fd, name, replace ? 0 : RENAME_NOREPLACE) < 0 || fsync(dir_fd) < 0)
        return set_errno_error(error, errno, "Cannot write %s", name);
    return TRUE;
}

/* Gives the file NAME another name, which says what it was. RET_OLD is owned by the caller. */
static gboolean take_aside(int dir_fd, const char *name, char **ret_old, GError **error) {
    for (guint i = 0; i < OLD_MAX; i++) {
        g_autofree char *old = i == 0 ? g_strconcat(name, ".old", NULL) : g_strdup_printf("%s.old-%u", name, i);

        if (renameat2(dir_fd, name, dir_fd, old, RENAME_NOREPLACE) == 0) {
            *ret_old = g_steal_pointer(&old);
            return TRUE;
        }
        if (errno != EEXIST)
            return set_errno_error(error, errno, "Cannot take %s aside", name);
    }
    g_set_error(error, INSTALL_ERROR, 0, "There are too many files %s.old", name);
    return FALSE;
}

static gboolean replace_file(Install *install, const char *path, guint mode, const char *text, GError **error) {
    const char *name = NULL;
    AUTO_FD fd = install_open_parent(install, path, FALSE, &name, error);
    g_autofree char *old = NULL;

    if (fd < 0 || !take_aside(fd, name, &old, error) || !install_write(fd, name, mode, text, FALSE, error)) {
        g_prefix_error(error, "%s: ", path);
        return FALSE;
    }
    install_say(install, "replaces  %s; what was there is %s now", path, old);
    return TRUE;
}

static gboolean make_file(Install *install, const char *path, guint mode, const char *text, GError **error) {
    const char *name = NULL;
    AUTO_FD fd = install_open_parent(install, path, TRUE, &name, error);

    if (fd < 0 || !install_write(fd, name, mode, text, FALSE, error)) {
        g_prefix_error(error, "%s: ", path);
        return FALSE;
    }
    install_say(install, "makes     %s", path);
    return TRUE;
}

gboolean install_file(Install *install, const char *path, guint mode, const char *text, GError **error) {
    g_autoptr(GError) failure = NULL;
    g_autofree char *there = install_read(install, path, &failure);

    if (failure) {
        g_propagate_error(error, g_steal_pointer(&failure));
        return FALSE;
    }
    if (there && strcmp(there, text) == 0) {
        install_say(install, "has       %s", path);
    } else if (there && !install->options->replace) {
        install_say(install, "keeps     %s, which differs from ours (--replace takes ours, and keeps yours beside it)",
                path);
    } else if (install->options->dry_run) {
        install_say(install, "%s %s", there ? "would replace" : "would make", path);
    } else {
        return there ? replace_file(install, path, mode, text, error) : make_file(install, path, mode, text, error);
    }
    return TRUE;
}
