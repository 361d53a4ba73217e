/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "tree/tree-private.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>

#include "base/hex.h"
#include "base/sha256.h"

#define BUFFER_SIZE (256 * 1024)

/* What is hashed: for each entry a tag, then fields, every one of them either of fixed size (little endian)
 * or preceded by its length, so that no two trees give the same bytes. Directories list their entries in the
 * order of their names and end with a tag of their own. */
typedef struct {
    Sha256 *sha;
    gboolean owners;
    gint64 epoch; /* -1: times do not matter */
    char *buffer;
    TreeSkip skip; /* NULL: nothing */
    gpointer skip_data;
    GString *path; /* of the entry, only kept for SKIP */
} Digest;

static void add_number(Digest *digest, guint64 number) {
    number = GUINT64_TO_LE(number);
    sha256_update(digest->sha, &number, sizeof number);
}

static void add_bytes(Digest *digest, const void *bytes, gsize length) {
    add_number(digest, length);
    sha256_update(digest->sha, bytes, length);
}

static gboolean add_xattr(
        const char *attribute, const void *value, gsize length, gpointer data, GError **error) {
    Digest *digest = data;
    add_bytes(digest, attribute, strlen(attribute));
    add_bytes(digest, value, length);
    return TRUE;
}

/* The length follows the content, because files can grow while they are read. */
static gboolean add_content(Digest *digest, int fd, const char *name, GError **error) {
    guint64 length = 0;
    for (;;) {
        ssize_t n = read(fd, digest->buffer, BUFFER_SIZE);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return tree_set_error(error, "cannot read %s", name);
        if (n == 0)
            break;
        sha256_update(digest->sha, digest->buffer, n);
        length += n;
    }
    add_number(digest, length);
    return TRUE;
}

static gboolean add_entry(Digest *digest, int dir_fd, const char *name, GError **error);

/* Forgets the names in the current directory that do not count. */
static void drop_skipped(Digest *digest, GPtrArray *names) {
    gsize length = digest->path ? digest->path->len : 0;
    for (guint i = 0; digest->skip && i < names->len;) {
        g_string_append_printf(digest->path, "/%s", (char *) names->pdata[i]);
        if (digest->skip(digest->path->str, digest->skip_data))
            g_ptr_array_remove_index(names, i);
        else
            i++;
        g_string_truncate(digest->path, length);
    }
}

static gboolean add_below(Digest *digest, int fd, const char *name, GError **error) {
    if (!digest->path)
        return add_entry(digest, fd, name, error);
    gsize length = digest->path->len;
    g_string_append_printf(digest->path, "/%s", name);
    gboolean good = add_entry(digest, fd, name, error);
    g_string_truncate(digest->path, length);
    return good;
}

static gboolean add_directory(Digest *digest, int fd, GError **error) {
    int list_fd = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (list_fd < 0)
        return tree_set_error(error, "cannot open a directory");
    g_autoptr(GPtrArray) names = tree_list(list_fd, error);
    if (!names)
        return FALSE;
    drop_skipped(digest, names);
    add_number(digest, names->len);
    for (guint i = 0; i < names->len; i++) {
        add_bytes(digest, names->pdata[i], strlen(names->pdata[i]));
        if (!add_below(digest, fd, names->pdata[i], error)) {
            g_prefix_error(error, "%s: ", (char *) names->pdata[i]);
            return FALSE;
        }
    }
    return TRUE;
}

static gboolean add_link(Digest *digest, int dir_fd, const char *name, GError **error) {
    char text[PATH_MAX];
    ssize_t length = readlinkat(dir_fd, name, text, sizeof text);
    if (length < 0)
        return tree_set_error(error, "cannot read the link");
    add_bytes(digest, text, length);
    return TRUE;
}

/* Times newer than the epoch become the epoch. */
static void add_time(Digest *digest, const struct timespec *time) {
    gboolean older = time->tv_sec < digest->epoch;

    add_number(digest, older ? time->tv_sec : digest->epoch);
    add_number(digest, older ? time->tv_nsec : 0);
}

static gboolean add_entry(Digest *digest, int dir_fd, const char *name, GError **error) {
    struct stat st;
    if (fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return tree_set_error(error, "cannot read it");
    /* Links have no mode of their own. */
    add_number(digest, S_ISLNK(st.st_mode) ? S_IFLNK : st.st_mode);
    if (digest->owners) {
        add_number(digest, st.st_uid);
        add_number(digest, st.st_gid);
    }
    if (digest->epoch >= 0)
        add_time(digest, &st.st_mtim);

    AUTO_FD fd = -1;
    if (S_ISREG(st.st_mode) || S_ISDIR(st.st_mode)) {
        fd = openat(dir_fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
        if (fd < 0)
            return tree_set_error(error, "cannot open it");
    }
    if (!tree_each_xattr(dir_fd, name, fd, add_xattr, digest, error))
        return FALSE;
    add_bytes(digest, "", 0);
    if (S_ISREG(st.st_mode))
        return add_content(digest, fd, name, error);
    if (S_ISDIR(st.st_mode))
        return add_directory(digest, fd, error);
    if (S_ISLNK(st.st_mode))
        return add_link(digest, dir_fd, name, error);
    if (S_ISCHR(st.st_mode) || S_ISBLK(st.st_mode))
        add_number(digest, st.st_rdev);
    return TRUE;
}

static char *digest_tree(Digest *digest, int dir_fd, const char *name, GError **error) {
    g_autoptr(Sha256) sha = sha256_new();
    g_autofree char *buffer = g_malloc(BUFFER_SIZE);
    digest->sha = sha;
    digest->buffer = buffer;
    if (!add_entry(digest, dir_fd, name, error)) {
        g_prefix_error(error, "cannot digest %s: ", name);
        return NULL;
    }
    guint8 hash[SHA256_SIZE];
    sha256_finish(sha, hash);
    return hex_encode(hash, sizeof hash);
}

char *tree_digest(int dir_fd, const char *name, gboolean owners, GError **error) {
    Digest digest = {.owners = owners, .epoch = -1};
    return digest_tree(&digest, dir_fd, name, error);
}

char *tree_digest_with_times(int dir_fd, const char *name, gint64 epoch, GError **error) {
    Digest digest = {.epoch = epoch};
    return digest_tree(&digest, dir_fd, name, error);
}

char *tree_digest_except(
        int dir_fd, const char *name, gint64 epoch, TreeSkip skip, gpointer data, GError **error) {
    g_autoptr(GString) path = g_string_new(name);
    Digest digest = {.epoch = epoch, .skip = skip, .skip_data = data, .path = path};
    return digest_tree(&digest, dir_fd, name, error);
}
