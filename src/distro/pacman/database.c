/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "distro/pacman/database.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/errors.h"
#include "distro/driver/types.h"
#include "distro/pacman/desc.h"

/* Ten times and more of what Arch's largest repository has. */
#define MOST_PACKAGES (256 * 1024)
#define LONGEST_DESC (1024 * 1024)
#define BLOCK (64 * 1024)

typedef struct archive Archive;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Archive, archive_read_free)

static gboolean damaged(Archive *archive, GError **error) {
    g_set_error(error, DISTRO_ERROR, DISTRO_ERROR_MIRROR, "Cannot read the database of packages: %s",
            archive_error_string(archive) ? archive_error_string(archive) : "it is damaged");
    return FALSE;
}

static gboolean refuse(const char *what, const char *name, GError **error) {
    g_set_error(error, DISTRO_ERROR, DISTRO_ERROR_MIRROR, "The database of packages has %s%s", what, name);
    return FALSE;
}

/* The content of the entry that ARCHIVE stands at; owned by the caller. */
static char *read_text(Archive *archive, GError **error) {
    g_autoptr(GString) text = g_string_new(NULL);
    char buffer[8192];
    la_ssize_t count;

    while ((count = archive_read_data(archive, buffer, sizeof buffer)) > 0) {
        g_string_append_len(text, buffer, count);
        if (text->len > LONGEST_DESC) {
            refuse("a description that is too long", "", error);
            return NULL;
        }
    }
    if (count < 0) {
        damaged(archive, error);
        return NULL;
    }
    return g_string_free(g_steal_pointer(&text), FALSE);
}

/* libalpm takes name and version from the directory, so they have to be the same. */
static gboolean lies_in_place(const PacmanDesc *desc, const char *path) {
    g_autofree char *place = g_strdup_printf("%s-%s/desc", desc->name, desc->version);
    return g_str_equal(path, place);
}

static gboolean take_desc(Archive *archive, const char *path, GHashTable *packages, GError **error) {
    g_autofree char *text = read_text(archive, error);
    g_autoptr(PacmanDesc) desc = text ? pacman_desc_parse(text, error) : NULL;

    if (!desc)
        return FALSE;
    if (!lies_in_place(desc, path))
        return refuse("a description of another package: ", desc->name, error);
    if (g_hash_table_size(packages) >= MOST_PACKAGES)
        return refuse("too many packages", "", error);
    if (g_hash_table_contains(packages, desc->name))
        return refuse("two packages called ", desc->name, error);
    char *name = desc->name;
    return g_hash_table_insert(packages, name, g_steal_pointer(&desc));
}

static gboolean read_entries(Archive *archive, GHashTable *packages, GError **error) {
    for (;;) {
        struct archive_entry *entry;
        int result = archive_read_next_header(archive, &entry);
        if (result == ARCHIVE_EOF)
            return TRUE;
        if (result < ARCHIVE_WARN)
            return damaged(archive, error);
        const char *path = archive_entry_pathname(entry);
        if (archive_entry_filetype(entry) == AE_IFREG && path && g_str_has_suffix(path, "/desc") &&
                !take_desc(archive, path, packages, error))
            return FALSE;
    }
}

GHashTable *pacman_database_read(int fd, GError **error) {
    g_autoptr(GHashTable) packages =
            g_hash_table_new_full(g_str_hash, g_str_equal, NULL, (GDestroyNotify) pacman_desc_free);
    g_autoptr(Archive) archive = archive_read_new();

    archive_read_support_filter_gzip(archive);
    archive_read_support_filter_bzip2(archive);
    archive_read_support_filter_xz(archive);
    archive_read_support_filter_zstd(archive);
    archive_read_support_format_tar(archive);
    archive_read_support_format_empty(archive);
    if (archive_read_open_fd(archive, fd, BLOCK) < ARCHIVE_WARN) {
        damaged(archive, error);
        return NULL;
    }
    return read_entries(archive, packages, error) ? g_steal_pointer(&packages) : NULL;
}

GHashTable *pacman_database_read_file(const char *path, GError **error) {
    AUTO_FD fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);

    if (fd < 0) {
        set_errno_error(error, errno, "Cannot open %s", path);
        return NULL;
    }
    GHashTable *packages = pacman_database_read(fd, error);
    if (!packages)
        g_prefix_error(error, "%s: ", path);
    return packages;
}
