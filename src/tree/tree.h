/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Directory trees on disk: copying, removing, overlaying. All functions work on directory file descriptors
 * and never follow a symbolic link out of a tree. AT_FDCWD with an absolute path stands for the whole file
 * system. They expect to run after sandbox_become_root(). */

#include <glib.h>
#include <sys/types.h>

typedef enum {
    TREE_COPY_KEEP_OWNER = 1 << 0, /* else everything belongs to 0:0 */
    /* Link regular files instead of copying where possible (same file system, never modified); owner and
     * mode stay those of the source. */
    TREE_COPY_HARDLINK = 1 << 1,
    TREE_COPY_CONTENTS_ONLY = 1 << 2, /* do not touch mode, owner, time of the target directory itself */
    /* nor those of any directory that is there already; something else of a directory's name is an error */
    TREE_COPY_MERGE = 1 << 3,
} TreeCopyFlags;

/* Copies SOURCE (file or directory, relative to SOURCE_FD; "." for a whole tree; links on the way to it are
 * the host's, so open directories inside of a tree with tree_open() first; a link itself is copied as one,
 * with a slash at its end what it leads to) to TARGET (relative to the tree TARGET_FD, resolved inside that
 * tree as after chroot: /lib -> usr/lib stays inside). Directories merge; files, links and devices replace.
 * Keeps modes, times, hard links, xattrs (ACLs, capabilities), holes; uses reflinks and copy_file_range
 * where possible. */
gboolean tree_copy(int source_fd, const char *source, int target_fd, const char *target, TreeCopyFlags flags,
        GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Unpacks an archive (tar, cpio, zip, ...; with any usual compression) into the directory TARGET of the
 * tree, never outside of it. Existing directories and links to directories stay, as in tree_copy(). */
gboolean tree_extract(
        int archive_fd, int target_fd, const char *target, TreeCopyFlags flags, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* ... without the entries that match one of the shell patterns EXCLUDE (or NULL), and without what is below
 * them. A pattern stands for an absolute path in the archive; its "*" matches "/" too, like that of dpkg. */
gboolean tree_extract_except(int archive_fd, int target_fd, const char *target, const char *const *exclude,
        TreeCopyFlags flags, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Removes NAME below DIR_FD (AT_FDCWD with a path will do) and everything in it; a missing one is no error.
 * Restores permissions where needed. Refuses to enter what is mounted below. */
gboolean tree_remove(int dir_fd, const char *name, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Removes what the glob PATTERN (absolute inside the tree; *, ?, [], and ** for any number of directories)
 * matches, names with a dot in front included, directories with their content. Matching never leaves the
 * tree. */
gboolean tree_remove_glob(int tree_fd, const char *pattern, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Opens PATH (absolute or relative, inside the tree TREE_FD) with symbolic links resolved as after chroot.
 */
int tree_open(int tree_fd, const char *path, int flags, mode_t mode, GError **error);

/* Whole content of a regular file inside a tree; owned by the caller. */
char *tree_read_file(int tree_fd, const char *path, gsize *ret_length, GError **error);

/* Writes a regular file inside a tree; what has its name (a link, too) is replaced; parents are created with
 * mode 0755. MODE is exact, whatever the umask is; LENGTH -1: a string. */
gboolean tree_write_file(
        int tree_fd, const char *path, const char *content, gssize length, mode_t mode, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* MODE is that of the last directory if it is made, exactly; parents get 0755. */
gboolean tree_mkdir_p(int tree_fd, const char *path, mode_t mode, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* A link that leads nowhere does not exist. */
gboolean tree_exists(int tree_fd, const char *path);

/* Names in the directory FD but "." and "..", sorted by their bytes. Takes over FD. */
GPtrArray *tree_list(int fd, GError **error);

/* Sets the time of every file below TREE_FD that is newer than EPOCH (seconds) to EPOCH. */
gboolean tree_clamp_times(int tree_fd, gint64 epoch, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* How many user and group IDs a tree has. */
#define TREE_OWNER_RANGE 65536u

/* Adds BASE to the owner and group of everything in the tree NAME, those in access control lists included;
 * modes and capabilities stay. An ID outside of TREE_OWNER_RANGE is an error. */
gboolean tree_shift_owners(int dir_fd, const char *name, guint32 base, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Whether DIRECTORY is on a file system with subvolumes (btrfs), and a new one in such a place. */
gboolean tree_can_make_subvolumes(const char *directory);
gboolean tree_make_subvolume(const char *path, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Which files of a tree have extended attributes that a format does not keep: KEEPS is asked about each
 * attribute. RET_FILES names the first of them with what they lose ("/usr/bin/ping (security.capability) and 3
 * more"), or is NULL; owned by the caller. */
typedef gboolean (*TreeKeepsXattr)(const char *attribute);
gboolean tree_find_lost_xattrs(int tree_fd, TreeKeepsXattr keeps, char **ret_files, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Bytes in the files of what is at PATH (a file or a directory; 0 when it cannot be read), and those that it
 * takes on the disk. */
typedef struct {
    guint64 size, used;
} TreeUsage;
TreeUsage tree_usage(const char *path);

/* Digest over everything that matters in a tree or file: names, types, modes, owners (if OWNERS), link
 * targets, content, xattrs, devices; not times, inode numbers, order. Hex SHA-256, owned by the caller. */
char *tree_digest(int dir_fd, const char *name, gboolean owners, GError **error);

/* The same without owners; if EPOCH >= 0, with times of modification that count as EPOCH (seconds) when they
 * are newer. */
char *tree_digest_with_times(int dir_fd, const char *name, gint64 epoch, GError **error);

/* The same without what SKIP says TRUE to; it gets the path of an entry: NAME, and what is below it. */
typedef gboolean (*TreeSkip)(const char *path, gpointer data);
char *tree_digest_except(
        int dir_fd, const char *name, gint64 epoch, TreeSkip skip, gpointer data, GError **error);

/* One entry of a tree, as far as it matters to who copies it into an image. */
typedef struct {
    const char *path; /* below the top, "" for the top itself */
    mode_t mode;      /* with the type; of links only that */
    const char *content;    /* hex SHA-256 of a file, text of a link, "MAJOR:MINOR" of a device, else NULL */
    const char *attributes; /* hex SHA-256 over the extended attributes, NULL without any */
    gint64 seconds;         /* time of modification as it will be in the image, -1 when it does not count */
    guint32 nanoseconds;
} TreeFact;

/* Calls VISIT for NAME and all that is below it, directories before what they hold, by name: what
 * tree_digest_except() digests as a whole, one by one. FACT and its strings are borrowed. */
typedef gboolean (*TreeFactVisit)(const TreeFact *fact, gpointer data, GError **error);
gboolean tree_each_fact(int dir_fd, const char *name, gint64 epoch, TreeSkip skip, gpointer skip_data,
        TreeFactVisit visit, gpointer data, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Mounts LOWERS (top first, NULL-terminated) with UPPER and WORK at TARGET in our mount namespace; UPPER
 * NULL: read-only. An upper directory can become a layer of later mounts, by the same kind of root only
 * (sandbox_is_real_root()). Its data is not synced to the disk by unmounting. */
gboolean tree_mount_overlay(
        char *const *lowers, const char *upper, const char *work, const char *target, GError **error) G_GNUC_WARN_UNUSED_RESULT;
gboolean tree_unmount(const char *target, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Whether PATH is, by its name, an archive that can be unpacked. */
gboolean tree_is_archive_name(const char *path);
