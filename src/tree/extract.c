/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "tree/tree-private.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <string.h>
#include <sys/sysmacros.h>

typedef struct archive ArchiveReader;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ArchiveReader, archive_read_free)

typedef struct {
    char *path;
    struct timespec times[2];
    mode_t mode;
} DirectoryAttributes;

typedef struct {
    int tree_fd;
    const char *target;         /* a directory of the tree, everything goes below it */
    const char *const *exclude; /* or NULL */
    TreeCopyFlags flags;
    struct archive *archive;
    GArray *directories; /* DirectoryAttributes, set when everything has been unpacked */
    char *parent;        /* of the previous entry, open as PARENT_FD */
    int parent_fd;
} Extract;

static gboolean archive_failed(Extract *extract, GError **error) {
    const char *text = archive_error_string(extract->archive);
    g_set_error(
            error, G_FILE_ERROR, G_FILE_ERROR_IO, "cannot read the archive: %s", text ? text : "damaged");
    return FALSE;
}

/* The path of an entry inside of the target, "a/b/c"; NULL if it tries to leave it. */
static char *clean_path(const char *path, GError **error) {
    g_auto(GStrv) parts = g_strsplit(path, "/", -1);
    g_autoptr(GString) clean = g_string_new(NULL);
    for (char **part = parts; *part; part++) {
        if (strcmp(*part, "..") == 0) {
            g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_INVAL, "the archive contains the path %s", path);
            return NULL;
        }
        if (**part && strcmp(*part, ".") != 0)
            g_string_append_printf(clean, "%s%s", clean->len > 0 ? "/" : "", *part);
    }
    return g_string_free(g_steal_pointer(&clean), FALSE);
}

/* Where an entry goes in the tree. */
static char *place(const Extract *extract, const char *path, GError **error) {
    g_autofree char *clean = clean_path(path, error);
    return clean ? g_build_filename("/", extract->target, clean, NULL) : NULL;
}

/* Opens the directory PARENT of the tree; entries of one directory follow each other. */
static gboolean enter_parent(Extract *extract, const char *parent, GError **error) {
    if (extract->parent && strcmp(extract->parent, parent) == 0)
        return TRUE;
    cleanup_fd(&extract->parent_fd);
    g_clear_pointer(&extract->parent, g_free);
    extract->parent_fd = tree_open_directory(extract->tree_fd, parent, 0755, error);
    if (extract->parent_fd < 0)
        return FALSE;
    extract->parent = g_strdup(parent);
    return TRUE;
}

static gboolean write_content(Extract *extract, int fd, const char *name, GError **error) {
    for (;;) {
        const void *block;
        size_t length;
        la_int64_t offset;
        int r = archive_read_data_block(extract->archive, &block, &length, &offset);
        if (r == ARCHIVE_EOF)
            return TRUE;
        if (r < ARCHIVE_WARN)
            return archive_failed(extract, error);
        for (const char *bytes = block; length > 0;) {
            ssize_t n = pwrite(fd, bytes, length, offset);
            if (n < 0 && errno == EINTR)
                continue;
            if (n < 0)
                return tree_set_error(error, "cannot write %s", name);
            bytes += n;
            length -= n;
            offset += n;
        }
    }
}

static gboolean set_xattrs(
        struct archive_entry *entry, int dir_fd, const char *name, int fd, GError **error) {
    const char *attribute;
    const void *value;
    size_t length;
    archive_entry_xattr_reset(entry);
    while (archive_entry_xattr_next(entry, &attribute, &value, &length) == ARCHIVE_OK)
        if (!tree_set_xattr(dir_fd, name, fd, attribute, value, length, error))
            return FALSE;
    return TRUE;
}

static void entry_times(struct archive_entry *entry, struct timespec times[2]) {
    times[1] = (struct timespec){archive_entry_mtime(entry), archive_entry_mtime_nsec(entry)};
    times[0] = times[1];
}

/* Owner and extended attributes, then mode and times (those of directories wait until the end). */
static gboolean set_attributes(Extract *extract, struct archive_entry *entry, const char *path,
        const char *name, int fd, GError **error) {
    gboolean keep = extract->flags & TREE_COPY_KEEP_OWNER;
    uid_t uid = keep ? archive_entry_uid(entry) : 0;
    gid_t gid = keep ? archive_entry_gid(entry) : 0;
    mode_t type = archive_entry_filetype(entry), mode = archive_entry_perm(entry) & 07777;
    struct timespec times[2];
    entry_times(entry, times);

    int r = fd >= 0 ? fchown(fd, uid, gid)
                    : fchownat(extract->parent_fd, name, uid, gid, AT_SYMLINK_NOFOLLOW);
    if (r < 0)
        return tree_set_error(error, "cannot set the owner of %s to %u:%u", path, uid, gid);
    if (!set_xattrs(entry, extract->parent_fd, name, fd, error))
        return FALSE;
    if (type == AE_IFDIR) {
        DirectoryAttributes later = {.path = g_strdup(path), .times = {times[0], times[1]}, .mode = mode};
        g_array_append_val(extract->directories, later);
        return TRUE;
    }
    if (type != AE_IFLNK) {
        r = fd >= 0 ? fchmod(fd, mode) : fchmodat(extract->parent_fd, name, mode, 0);
        if (r < 0)
            return tree_set_error(error, "cannot set the mode of %s", path);
    }
    r = fd >= 0 ? futimens(fd, times) : utimensat(extract->parent_fd, name, times, AT_SYMLINK_NOFOLLOW);
    if (r < 0)
        return tree_set_error(error, "cannot set the time of %s", path);
    return TRUE;
}

static gboolean extract_file(
        Extract *extract, struct archive_entry *entry, const char *path, const char *name, GError **error) {
    if (!tree_make_room(extract->parent_fd, name, error))
        return FALSE;
    AUTO_FD fd =
            openat(extract->parent_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return tree_set_error(error, "cannot make %s", path);
    if (!write_content(extract, fd, path, error))
        return FALSE;
    /* Archives leave out holes at the end. */
    if (archive_entry_size_is_set(entry) && ftruncate(fd, archive_entry_size(entry)) < 0)
        return tree_set_error(error, "cannot write %s", path);
    return set_attributes(extract, entry, path, name, fd, error);
}

static gboolean extract_hard_link(
        Extract *extract, const char *link, const char *path, const char *name, GError **error) {
    g_autofree char *source = place(extract, link, error);
    if (!source)
        return FALSE;
    AUTO_FD fd = tree_open(extract->tree_fd, source, O_PATH | O_NOFOLLOW, 0, error);
    if (fd < 0 || !tree_make_room(extract->parent_fd, name, error))
        return FALSE;
    g_autofree char *by_number = g_strdup_printf("/proc/self/fd/%d", fd);
    if (linkat(AT_FDCWD, by_number, extract->parent_fd, name, AT_SYMLINK_FOLLOW) < 0)
        return tree_set_error(error, "cannot link %s to %s", path, source);
    return TRUE;
}

/* Also through an existing link, as in tree_copy(): directories merge. */
static gboolean extract_directory(
        Extract *extract, struct archive_entry *entry, const char *path, const char *name, GError **error) {
    struct stat st;
    if (*name && fstatat(extract->parent_fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && !S_ISDIR(st.st_mode) &&
            !S_ISLNK(st.st_mode) && !tree_make_room(extract->parent_fd, name, error))
        return FALSE;
    AUTO_FD fd = tree_open_directory(extract->tree_fd, path, 0755, error);
    if (fd < 0)
        return FALSE;
    if (!*name || ((extract->flags & TREE_COPY_CONTENTS_ONLY) && strcmp(path, extract->target) == 0))
        return TRUE;
    return set_attributes(extract, entry, path, name, fd, error);
}

static gboolean extract_special(
        Extract *extract, struct archive_entry *entry, const char *path, const char *name, GError **error) {
    mode_t type = archive_entry_filetype(entry);
    if (!tree_make_room(extract->parent_fd, name, error))
        return FALSE;
    int r;
    if (type == AE_IFLNK)
        r = symlinkat(archive_entry_symlink(entry), extract->parent_fd, name);
    else
        r = mknodat(extract->parent_fd, name, type | 0600,
                makedev(archive_entry_rdevmajor(entry), archive_entry_rdevminor(entry)));
    if (r < 0)
        return tree_set_error(error, "cannot make %s", path);
    return set_attributes(extract, entry, path, name, -1, error);
}

static gboolean extract_entry(Extract *extract, struct archive_entry *entry, GError **error) {
    const char *entry_path = archive_entry_pathname(entry);
    if (!entry_path)
        entry_path = archive_entry_pathname_utf8(entry);
    if (!entry_path) {
        g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_INVAL, "the archive contains a path that is not text");
        return FALSE;
    }
    g_autofree char *path = place(extract, entry_path, error);
    if (!path)
        return FALSE;
    g_autofree char *parent = NULL, *name = NULL;
    tree_split_path(path, &parent, &name);
    if (!enter_parent(extract, parent, error))
        return FALSE;
    const char *link = archive_entry_hardlink(entry);
    if (link)
        return extract_hard_link(extract, link, path, name, error);
    if (archive_entry_filetype(entry) == AE_IFDIR)
        return extract_directory(extract, entry, path, name, error);
    if (archive_entry_filetype(entry) == AE_IFREG)
        return extract_file(extract, entry, path, name, error);
    if (archive_entry_filetype(entry) == AE_IFLNK && !archive_entry_symlink(entry)) {
        g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_INVAL, "the archive's link %s is not text", path);
        return FALSE;
    }
    return extract_special(extract, entry, path, name, error);
}

static gboolean finish_directories(Extract *extract, GError **error) {
    for (guint i = extract->directories->len; i-- > 0;) {
        const DirectoryAttributes *later = &g_array_index(extract->directories, DirectoryAttributes, i);
        AUTO_FD fd = tree_open_raw(extract->tree_fd, later->path, O_RDONLY | O_DIRECTORY, 0);
        /* A later entry may have replaced it. */
        if (fd < 0 && (errno == ENOENT || errno == ENOTDIR))
            continue;
        if (fd < 0 || fchmod(fd, later->mode) < 0 || futimens(fd, later->times) < 0)
            return tree_set_error(error, "cannot set mode and time of %s", later->path);
    }
    return TRUE;
}

/* What trees and packages come in. Not everything that libarchive knows: mtree takes any text, and lets it
 * name files of the host; some filters start programs. */
static void support_formats(struct archive *archive) {
    archive_read_support_filter_bzip2(archive);
    archive_read_support_filter_compress(archive);
    archive_read_support_filter_gzip(archive);
    archive_read_support_filter_lz4(archive);
    archive_read_support_filter_lzma(archive);
    archive_read_support_filter_rpm(archive);
    archive_read_support_filter_xz(archive);
    archive_read_support_filter_zstd(archive);
    archive_read_support_format_ar(archive);
    archive_read_support_format_cpio(archive);
    archive_read_support_format_empty(archive);
    archive_read_support_format_tar(archive);
    archive_read_support_format_zip(archive);
    archive_read_support_format_7zip(archive);
}

static gboolean is_excluded(const Extract *extract, struct archive_entry *entry) {
    const char *name = archive_entry_pathname(entry);

    if (!extract->exclude || !name)
        return FALSE;
    g_autofree char *path = g_canonicalize_filename(name, "/");
    for (const char *const *pattern = extract->exclude; *pattern; pattern++)
        if (fnmatch(*pattern, path, 0) == 0)
            return TRUE;
    return FALSE;
}

static gboolean extract_all(Extract *extract, int archive_fd, GError **error) {
    support_formats(extract->archive);
    if (archive_read_open_fd(extract->archive, archive_fd, 1024 * 1024) != ARCHIVE_OK)
        return archive_failed(extract, error);
    for (;;) {
        struct archive_entry *entry;
        int r = archive_read_next_header(extract->archive, &entry);
        if (r == ARCHIVE_EOF)
            return finish_directories(extract, error);
        if (r < ARCHIVE_WARN)
            return archive_failed(extract, error);
        if (!is_excluded(extract, entry) && !extract_entry(extract, entry, error))
            return FALSE;
    }
}

static void clear_directory(gpointer data) {
    g_free(((DirectoryAttributes *) data)->path);
}

gboolean tree_extract(
        int archive_fd, int target_fd, const char *target, TreeCopyFlags flags, GError **error) {
    return tree_extract_except(archive_fd, target_fd, target, NULL, flags, error);
}

gboolean tree_extract_except(int archive_fd, int target_fd, const char *target, const char *const *exclude,
        TreeCopyFlags flags, GError **error) {
    g_autoptr(ArchiveReader) archive = archive_read_new();
    g_autoptr(GArray) directories = g_array_new(FALSE, FALSE, sizeof(DirectoryAttributes));
    g_array_set_clear_func(directories, clear_directory);
    Extract extract = {
            .tree_fd = target_fd,
            .target = target,
            .exclude = exclude,
            .flags = flags,
            .archive = archive,
            .directories = directories,
            .parent_fd = -1,
    };
    gboolean good = extract_all(&extract, archive_fd, error);
    cleanup_fd(&extract.parent_fd);
    g_free(extract.parent);
    if (!good)
        g_prefix_error(error, "cannot unpack an archive to %s: ", target);
    return good;
}

gboolean tree_is_archive_name(const char *path) {
    g_autofree char *base = g_path_get_basename(path);
    char *name = base + strspn(base, ".");

    /* One of the last two suffixes, as with "a.tar" and "a.tar.zst". */
    for (int i = 0; i < 2; i++) {
        char *dot = strrchr(name, '.');
        if (!dot || dot == name)
            return FALSE;
        if (g_str_equal(dot, ".tar"))
            return TRUE;
        *dot = '\0';
    }
    return FALSE;
}
