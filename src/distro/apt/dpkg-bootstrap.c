/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "distro/apt/dpkg-bootstrap.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <gio/gio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/errors.h"
#include "base/io.h"
#include "distro/driver/types.h"
#include "tree/tree.h"

#define POLICY_FILE "usr/sbin/policy-rc.d"

static int open_tree(const char *path, GError **error) {
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        set_errno_error(error, errno, "Cannot open %s", path);
    return fd;
}

gboolean dpkg_prepare_root(const char *directory, const char *name, GError **error) {
    static const char *const directories[] = {"var/lib/dpkg", "var/lib/apt"};
    static const char *const files[] = {"var/lib/dpkg/status", "var/lib/dpkg/available"};
    g_autofree char *root = g_build_filename(directory, name, NULL);
    AUTO_FD fd = open_tree(root, error);

    if (fd < 0)
        return FALSE;
    for (size_t i = 0; i < G_N_ELEMENTS(directories); i++)
        if (!tree_mkdir_p(fd, directories[i], 0755, error))
            return FALSE;
    for (size_t i = 0; i < G_N_ELEMENTS(files); i++)
        if (!tree_exists(fd, files[i]) && !tree_write_file(fd, files[i], "", 0, 0644, error))
            return FALSE;
    return TRUE;
}

/* Directories that belong in /usr, with links from the root, per architecture (the usrmerge layout of
 * Debian). */
static const char *const merged_common[] = {"bin", "sbin", "lib", NULL};
static const struct {
    const char *architecture;
    const char *names[4];
} merged_more[] = {
        {"amd64", {"lib32", "lib64", "libx32", NULL}},
        {"i386", {"lib64", "libx32", NULL}},
        {"loong64", {"lib32", "lib64", NULL}},
        {"ppc64", {"lib32", "lib64", NULL}},
        {"ppc64el", {"lib64", NULL}},
        {"mips64el", {"lib32", "lib64", "libo32", NULL}},
        {"s390x", {"lib32", NULL}},
};

static gboolean merge_directory(int fd, const char *name, GError **error) {
    g_autofree char *target = g_build_filename("usr", name, NULL);

    if (!tree_mkdir_p(fd, target, 0755, error))
        return FALSE;
    if (symlinkat(target, fd, name) == 0 || errno == EEXIST)
        return TRUE;
    return set_errno_error(error, errno, "Cannot link /%s to %s", name, target);
}

static gboolean merge_usr(int fd, const char *architecture, GError **error) {
    for (const char *const *name = merged_common; *name; name++)
        if (!merge_directory(fd, *name, error))
            return FALSE;
    for (size_t i = 0; i < G_N_ELEMENTS(merged_more); i++) {
        if (!g_str_equal(merged_more[i].architecture, architecture))
            continue;
        for (const char *const *name = merged_more[i].names; *name; name++)
            if (!merge_directory(fd, *name, error))
                return FALSE;
    }
    return TRUE;
}

static gboolean copy_entry(struct archive *reader, int fd, const char *deb, GError **error) {
    char buffer[128 * 1024];

    for (;;) {
        la_ssize_t n = archive_read_data(reader, buffer, sizeof(buffer));
        if (n == 0)
            return TRUE;
        if (n < 0) {
            g_set_error(error, DISTRO_ERROR, DISTRO_ERROR_INSTALL, "Cannot read %s: %s", deb,
                    archive_error_string(reader));
            return FALSE;
        }
        if (!write_all(fd, buffer, n))
            return set_errno_error(error, errno, "Cannot buffer %s", deb);
    }
}

typedef struct archive ArchiveReader;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ArchiveReader, archive_read_free)

int dpkg_open_data(const char *deb, GError **error) {
    g_autoptr(ArchiveReader) reader = archive_read_new();
    struct archive_entry *entry;

    archive_read_support_format_ar(reader);
    if (archive_read_open_filename(reader, deb, 1024 * 1024) != ARCHIVE_OK) {
        g_set_error(error, DISTRO_ERROR, DISTRO_ERROR_INSTALL, "Cannot open %s: %s", deb,
                archive_error_string(reader));
        return -1;
    }
    while (archive_read_next_header(reader, &entry) == ARCHIVE_OK) {
        const char *name = archive_entry_pathname(entry);
        if (!name || !g_str_has_prefix(name, "data.tar"))
            continue;
        AUTO_FD fd = memfd_create("data.tar", MFD_CLOEXEC);
        if (fd < 0 || !copy_entry(reader, fd, deb, error) || lseek(fd, 0, SEEK_SET) < 0)
            return -1;
        return steal_fd(&fd);
    }
    g_set_error(error, DISTRO_ERROR, DISTRO_ERROR_INSTALL, "%s is not a Debian package: it has no data.tar",
            deb);
    return -1;
}

/* base-passwd writes these when it is configured; pre-installation scripts look users up before that. */
static gboolean seed_users(int fd, GError **error) {
    static const char *const names[] = {"passwd", "group"};

    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *master = g_strdup_printf("usr/share/base-passwd/%s.master", names[i]);
        g_autofree char *target = g_strdup_printf("etc/%s", names[i]);
        gsize length = 0;
        g_autofree char *content = NULL;

        if (tree_exists(fd, target) || !tree_exists(fd, master))
            continue;
        if (!(content = tree_read_file(fd, master, &length, error)) ||
                !tree_write_file(fd, target, content, length, 0644, error))
            return FALSE;
    }
    return TRUE;
}

gboolean dpkg_bootstrap(const char *root, const char *architecture, char *const *files,
        const char *const *exclude, GError **error) {
    AUTO_FD fd = open_tree(root, error);

    if (fd < 0 || !merge_usr(fd, architecture, error))
        return FALSE;
    for (char *const *file = files; *file; file++) {
        AUTO_FD data = dpkg_open_data(*file, error);
        if (data < 0)
            return FALSE;
        if (!tree_extract_except(data, fd, ".", exclude, TREE_COPY_KEEP_OWNER, error)) {
            g_prefix_error(error, "Cannot unpack %s: ", *file);
            return FALSE;
        }
    }
    return seed_users(fd, error);
}

gboolean dpkg_deny_services(const char *root, GError **error) {
    static const char script[] = "#!/bin/sh\nexit 101\n";
    AUTO_FD fd = open_tree(root, error);
    return fd >= 0 && tree_write_file(fd, POLICY_FILE, script, -1, 0755, error);
}

gboolean dpkg_allow_services(const char *root, GError **error) {
    AUTO_FD fd = open_tree(root, error);

    if (fd < 0)
        return FALSE;
    if (unlinkat(fd, POLICY_FILE, 0) == 0 || errno == ENOENT)
        return TRUE;
    return set_errno_error(error, errno, "Cannot remove /%s from the tree", POLICY_FILE);
}
