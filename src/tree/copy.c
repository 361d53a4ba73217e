/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "tree/tree-private.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/fs.h>
#include <string.h>
#include <sys/ioctl.h>

#define BUFFER_SIZE (1024 * 1024)
/* Below this, one read and one write beat the attempts at anything smarter. */
#define SMALL_FILE (64 * 1024)

typedef struct {
    dev_t device;
    ino_t inode;
} InodeKey;

typedef struct {
    int tree_fd;
    TreeCopyFlags flags;
    gboolean no_clone; /* the file systems cannot share blocks */
    gboolean no_copy_range;
    char *buffer;
    GHashTable *linked; /* InodeKey to the path in the tree */
} Copy;

static guint inode_hash(gconstpointer key) {
    const InodeKey *inode = key;
    return (guint) inode->inode ^ (guint) (inode->inode >> 32) ^ (guint) inode->device;
}

static gboolean inode_equal(gconstpointer a, gconstpointer b) {
    const InodeKey *first = a, *second = b;
    return first->inode == second->inode && first->device == second->device;
}

static gboolean write_range(int fd, const char *bytes, gsize length, off_t offset) {
    while (length > 0) {
        ssize_t n = pwrite(fd, bytes, length, offset);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return FALSE;
        bytes += n;
        length -= n;
        offset += n;
    }
    return TRUE;
}

/* Copies [OFFSET, END) through memory; stops early at the end of the file. */
static gboolean copy_range_by_hand(Copy *copy, int source, int target, off_t offset, off_t end) {
    while (offset < end) {
        ssize_t n = pread(source, copy->buffer, MIN(BUFFER_SIZE, end - offset), offset);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 || !write_range(target, copy->buffer, n, offset))
            return FALSE;
        if (n == 0)
            return TRUE;
        offset += n;
    }
    return TRUE;
}

static gboolean copy_range(Copy *copy, int source, int target, off_t offset, off_t end) {
    while (offset < end && !copy->no_copy_range) {
        off_t source_offset = offset, target_offset = offset;
        ssize_t n = copy_file_range(source, &source_offset, target, &target_offset, end - offset, 0);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno != EXDEV && errno != EINVAL && errno != ENOSYS && errno != EOPNOTSUPP)
            return FALSE;
        if (n < 0)
            copy->no_copy_range = TRUE;
        if (n <= 0)
            break;
        offset += n;
    }
    return copy_range_by_hand(copy, source, target, offset, end);
}

/* Copies data and leaves holes where there are holes. */
static gboolean copy_sparse(Copy *copy, int source, int target, off_t size) {
    for (off_t offset = 0; offset < size;) {
        off_t data = lseek(source, offset, SEEK_DATA);
        if (data < 0 && errno == ENXIO)
            break;
        if (data < 0)
            return copy_range(copy, source, target, offset, size);
        off_t hole = lseek(source, data, SEEK_HOLE);
        if (hole < 0)
            hole = size;
        if (!copy_range(copy, source, target, data, hole))
            return FALSE;
        offset = hole;
    }
    return ftruncate(target, size) == 0;
}

static gboolean copy_content(Copy *copy, int source, int target, const struct stat *st) {
    if (st->st_size <= SMALL_FILE)
        return copy_range_by_hand(copy, source, target, 0, MAX(st->st_size, BUFFER_SIZE));
    if (!copy->no_clone) {
        if (ioctl(target, FICLONE, source) == 0)
            return TRUE;
        copy->no_clone = TRUE;
    }
    if ((guint64) st->st_blocks * 512 < (guint64) st->st_size)
        return copy_sparse(copy, source, target, st->st_size);
    return copy_range(copy, source, target, 0, st->st_size);
}

typedef struct {
    int dir_fd;
    const char *name;
    int fd;
} XattrTarget;

static gboolean copy_xattr(
        const char *attribute, const void *value, gsize length, gpointer data, GError **error) {
    const XattrTarget *target = data;
    return tree_set_xattr(target->dir_fd, target->name, target->fd, attribute, value, length, error);
}

/* Owner first, because a change of owner clears set-user-ID bits and capabilities; times last. */
static gboolean copy_attributes(const Copy *copy, int source_fd, int source_dir, const char *source_name,
        int target_fd, int target_dir, const char *target_name, const struct stat *st, GError **error) {
    gboolean keep = copy->flags & TREE_COPY_KEEP_OWNER;
    uid_t uid = keep ? st->st_uid : 0;
    gid_t gid = keep ? st->st_gid : 0;
    struct timespec times[2] = {st->st_atim, st->st_mtim};
    XattrTarget target = {target_dir, target_name, target_fd};
    int r;

    if (target_fd >= 0)
        r = fchown(target_fd, uid, gid);
    else
        r = fchownat(target_dir, target_name, uid, gid, AT_SYMLINK_NOFOLLOW);
    if (r < 0)
        return tree_set_error(error, "cannot set the owner of %s to %u:%u", target_name, uid, gid);
    if (!tree_each_xattr(source_dir, source_name, source_fd, copy_xattr, &target, error))
        return FALSE;
    if (target_fd >= 0)
        r = fchmod(target_fd, st->st_mode & 07777);
    else if (!S_ISLNK(st->st_mode))
        r = fchmodat(target_dir, target_name, st->st_mode & 07777, 0);
    if (r < 0)
        return tree_set_error(error, "cannot set the mode of %s", target_name);
    r = target_fd >= 0 ? futimens(target_fd, times)
                       : utimensat(target_dir, target_name, times, AT_SYMLINK_NOFOLLOW);
    if (r < 0)
        return tree_set_error(error, "cannot set the time of %s", target_name);
    return TRUE;
}

/* Makes a hard link to the file that was copied to PATH before. */
static gboolean link_to(
        const Copy *copy, const char *path, int target_dir, const char *name, GError **error) {
    AUTO_FD fd = tree_open(copy->tree_fd, path, O_PATH | O_NOFOLLOW, 0, error);
    if (fd < 0 || !tree_make_room(target_dir, name, error))
        return FALSE;
    g_autofree char *by_number = g_strdup_printf("/proc/self/fd/%d", fd);
    if (linkat(AT_FDCWD, by_number, target_dir, name, AT_SYMLINK_FOLLOW) < 0)
        return tree_set_error(error, "cannot link %s to %s", name, path);
    return TRUE;
}

/* Shares the file itself with the source. FALSE when that is impossible here. */
static gboolean share_file(int source_dir, const char *source, int target_dir, const char *name) {
    if (linkat(source_dir, source, target_dir, name, 0) == 0)
        return TRUE;
    if (errno != EEXIST || unlinkat(target_dir, name, 0) < 0)
        return FALSE;
    return linkat(source_dir, source, target_dir, name, 0) == 0;
}

/* Makes NAME anew; what is there goes away. */
static int create_file(int target_dir, const char *name, GError **error) {
    int flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
    int fd = openat(target_dir, name, flags, 0600);
    if (fd < 0 && errno == EEXIST && tree_make_room(target_dir, name, error))
        fd = openat(target_dir, name, flags, 0600);
    else if (fd < 0 && errno == EEXIST)
        return -1;
    if (fd < 0 && (!error || !*error))
        tree_set_error(error, "cannot make %s", name);
    return fd;
}

static gboolean copy_file(Copy *copy, int source_dir, const char *source, int target_dir, const char *name,
        const struct stat *st, GError **error) {
    if ((copy->flags & TREE_COPY_HARDLINK) && share_file(source_dir, source, target_dir, name))
        return TRUE;
    AUTO_FD source_fd = openat(source_dir, source, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (source_fd < 0)
        return tree_set_error(error, "cannot open %s", source);
    g_autoptr(GError) inner = NULL;
    AUTO_FD target_fd = create_file(target_dir, name, &inner);
    if (target_fd < 0) {
        g_propagate_error(error, g_steal_pointer(&inner));
        return FALSE;
    }
    if (!copy_content(copy, source_fd, target_fd, st))
        return tree_set_error(error, "cannot copy the content of %s", source);
    return copy_attributes(copy, source_fd, source_dir, source, target_fd, target_dir, name, st, error);
}

static gboolean copy_link(Copy *copy, int source_dir, const char *source, int target_dir, const char *name,
        const struct stat *st, GError **error) {
    char text[PATH_MAX];
    ssize_t length = readlinkat(source_dir, source, text, sizeof text - 1);
    if (length < 0)
        return tree_set_error(error, "cannot read the link %s", source);
    text[length] = '\0';
    if (!tree_make_room(target_dir, name, error))
        return FALSE;
    if (symlinkat(text, target_dir, name) < 0)
        return tree_set_error(error, "cannot make the link %s", name);
    return copy_attributes(copy, -1, source_dir, source, -1, target_dir, name, st, error);
}

static gboolean copy_node(Copy *copy, int source_dir, const char *source, int target_dir, const char *name,
        const struct stat *st, GError **error) {
    if (!tree_make_room(target_dir, name, error))
        return FALSE;
    if (mknodat(target_dir, name, (st->st_mode & S_IFMT) | 0600, st->st_rdev) < 0)
        return tree_set_error(error, "cannot make the special file %s", name);
    return copy_attributes(copy, -1, source_dir, source, -1, target_dir, name, st, error);
}

/* The directory NAME of TARGET_DIR (PATH in the tree): a new one, the existing one, or the one that an
 * existing link leads to inside of the tree. */
static int open_target_directory(
        const Copy *copy, int target_dir, const char *name, const char *path, GError **error) {
    const int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
    if (mkdirat(target_dir, name, 0700) < 0 && errno != EEXIST) {
        tree_set_error(error, "cannot make the directory %s", path);
        return -1;
    }
    int fd = openat(target_dir, name, flags);
    if (fd >= 0 || (errno != ELOOP && errno != ENOTDIR)) {
        if (fd < 0)
            tree_set_error(error, "cannot open the directory %s", path);
        return fd;
    }
    struct stat st;
    if (fstatat(target_dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISLNK(st.st_mode))
        return tree_open_directory(copy->tree_fd, path, 0755, error);
    if (!tree_make_room(target_dir, name, error))
        return -1;
    if (mkdirat(target_dir, name, 0700) < 0 || (fd = openat(target_dir, name, flags)) < 0)
        tree_set_error(error, "cannot make the directory %s", path);
    return fd;
}

static gboolean copy_entry(Copy *copy, int source_dir, const char *source, int target_dir, const char *name,
        const char *path, GError **error);

/* Copies the entries of a directory. PATH is the target's. */
static gboolean copy_entries(Copy *copy, int source_fd, int target_fd, const char *path, GError **error) {
    int list_fd = openat(source_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (list_fd < 0)
        return tree_set_error(error, "cannot open a directory");
    AUTO_DIR directory = fdopendir(list_fd);
    if (!directory) {
        close(list_fd);
        return tree_set_error(error, "cannot open a directory");
    }
    for (;;) {
        errno = 0;
        const struct dirent *entry = readdir(directory);
        if (!entry)
            return errno == 0 ? TRUE : tree_set_error(error, "cannot read a directory");
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        g_autofree char *below = g_strdup_printf("%s/%s", path, entry->d_name);
        if (!copy_entry(copy, source_fd, entry->d_name, target_fd, entry->d_name, below, error))
            return FALSE;
    }
}

static gboolean copy_directory(Copy *copy, int source_dir, const char *source, int target_fd,
        const char *path, gboolean with_attributes, const struct stat *st, GError **error) {
    AUTO_FD source_fd = openat(source_dir, source, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    struct stat before;
    if (source_fd < 0)
        return tree_set_error(error, "cannot open the directory %s", source);
    if (fstat(target_fd, &before) < 0)
        return tree_set_error(error, "cannot read the directory %s", path);
    if (!copy_entries(copy, source_fd, target_fd, path, error)) {
        if (strcmp(source, ".") != 0)
            g_prefix_error(error, "%s/: ", source);
        return FALSE;
    }
    if (with_attributes)
        return copy_attributes(copy, source_fd, source_dir, source, target_fd, -1, path, st, error);
    if (futimens(target_fd, (struct timespec[]){before.st_atim, before.st_mtim}) < 0)
        return tree_set_error(error, "cannot set the time of %s", path);
    return TRUE;
}

/* Regular files that have several names, one of them copied already. */
static const char *find_linked(const Copy *copy, const struct stat *st) {
    if (st->st_nlink < 2 || S_ISDIR(st->st_mode))
        return NULL;
    InodeKey key = {st->st_dev, st->st_ino};
    return g_hash_table_lookup(copy->linked, &key);
}

static void remember_linked(const Copy *copy, const struct stat *st, const char *path) {
    if (st->st_nlink < 2 || S_ISDIR(st->st_mode))
        return;
    InodeKey key = {st->st_dev, st->st_ino};
    g_hash_table_insert(copy->linked, g_memdup2(&key, sizeof key), g_strdup(path));
}

/* TRUE for a directory, and for a link, which leads to one or is not followed. */
static gboolean is_directory(int dir_fd, const char *name) {
    struct stat st;
    return fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
           (S_ISDIR(st.st_mode) || S_ISLNK(st.st_mode));
}

/* Where trees merge, a directory and anything else of one name are a mistake, as with cp(1): a file that
 * becomes another one can be meant, a file that becomes a directory cannot. Links to directories are followed. */
static gboolean check_same_kind(
        const Copy *copy, const struct stat *st, int target_dir, const char *name, const char *path, GError **error) {
    struct stat there;
    if (!(copy->flags & TREE_COPY_MERGE) || fstatat(target_dir, name, &there, AT_SYMLINK_NOFOLLOW) < 0 ||
            !S_ISDIR(st->st_mode) == !S_ISDIR(there.st_mode) ||
            (S_ISDIR(st->st_mode) && S_ISLNK(there.st_mode)))
        return TRUE;
    g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_EXIST,
            "%s is %s here, but %s is there already, from another tree or a package; remove one of them",
            path + strspn(path, "/"),
            S_ISDIR(st->st_mode) ? "a directory" : "no directory",
            S_ISDIR(there.st_mode) ? "a directory" : "something that is none");
    return FALSE;
}

static gboolean copy_entry(Copy *copy, int source_dir, const char *source, int target_dir, const char *name,
        const char *path, GError **error) {
    struct stat st;
    if (fstatat(source_dir, source, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return tree_set_error(error, "cannot read %s", source);
    if (!check_same_kind(copy, &st, target_dir, name, path, error))
        return FALSE;
    const char *linked = find_linked(copy, &st);
    if (linked)
        return link_to(copy, linked, target_dir, name, error);
    remember_linked(copy, &st, path);

    if (S_ISREG(st.st_mode))
        return copy_file(copy, source_dir, source, target_dir, name, &st, error);
    if (S_ISLNK(st.st_mode))
        return copy_link(copy, source_dir, source, target_dir, name, &st, error);
    if (!S_ISDIR(st.st_mode))
        return copy_node(copy, source_dir, source, target_dir, name, &st, error);
    gboolean keeps = (copy->flags & TREE_COPY_MERGE) && is_directory(target_dir, name);
    AUTO_FD target_fd = open_target_directory(copy, target_dir, name, path, error);
    return target_fd >= 0 && copy_directory(copy, source_dir, source, target_fd, path, !keeps, &st, error);
}

/* Prepares the top of the copy: a directory merges into what TARGET resolves to. */
static gboolean copy_top(
        Copy *copy, int source_dir, const char *source, const char *target, GError **error) {
    struct stat st;
    if (fstatat(source_dir, source, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return tree_set_error(error, "cannot read it");
    if (S_ISDIR(st.st_mode)) {
        gboolean keeps = (copy->flags & TREE_COPY_CONTENTS_ONLY) ||
                         ((copy->flags & TREE_COPY_MERGE) && tree_exists(copy->tree_fd, target));
        AUTO_FD target_fd = tree_open_directory(copy->tree_fd, target, 0755, error);
        return target_fd >= 0 &&
               copy_directory(copy, source_dir, source, target_fd, target, !keeps, &st, error);
    }
    g_autofree char *directory = NULL, *name = NULL;
    tree_split_path(target, &directory, &name);
    AUTO_FD target_dir = tree_open_directory(copy->tree_fd, directory, 0755, error);
    return target_dir >= 0 && copy_entry(copy, source_dir, source, target_dir, name, target, error);
}

gboolean tree_copy(int source_fd, const char *source, int target_fd, const char *target, TreeCopyFlags flags,
        GError **error) {
    g_autoptr(GHashTable) linked = g_hash_table_new_full(inode_hash, inode_equal, g_free, g_free);
    g_autofree char *buffer = g_malloc(BUFFER_SIZE);
    Copy copy = {.tree_fd = target_fd, .flags = flags, .buffer = buffer, .linked = linked};
    g_autoptr(GError) inner = NULL;
    if (copy_top(&copy, source_fd, source, target, &inner))
        return TRUE;
    g_propagate_prefixed_error(error, g_steal_pointer(&inner), "cannot copy %s to %s: ", source, target);
    return FALSE;
}
