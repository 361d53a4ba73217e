/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "tree/tree-private.h"

#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "base/hex.h"
#include "base/sha256.h"

typedef struct {
    gint64 epoch; /* -1: times do not matter */
    TreeSkip skip;
    gpointer skip_data;
    TreeFactVisit visit;
    gpointer data;
    const char *top;
    GString *path; /* below the top */
} Walk;

typedef struct {
    Sha256 *sha;
    gboolean any;
} Attributes;

/* Fields are preceded by their length, so that no two sets of attributes give the same bytes. */
static void add_field(Sha256 *sha, const void *bytes, gsize length) {
    guint64 size = GUINT64_TO_LE((guint64) length);

    sha256_update(sha, &size, sizeof size);
    sha256_update(sha, bytes, length);
}

static gboolean add_xattr(
        const char *attribute, const void *value, gsize length, gpointer data, GError **error) {
    Attributes *attributes = data;

    add_field(attributes->sha, attribute, strlen(attribute));
    add_field(attributes->sha, value, length);
    attributes->any = TRUE;
    return TRUE;
}

static gboolean digest_attributes(int dir_fd, const char *name, int fd, char **ret_hex, GError **error) {
    g_autoptr(Sha256) sha = sha256_new();
    Attributes attributes = {.sha = sha};
    guint8 digest[SHA256_SIZE];

    if (!tree_each_xattr(dir_fd, name, fd, add_xattr, &attributes, error))
        return FALSE;
    sha256_finish(sha, digest);
    if (attributes.any)
        *ret_hex = hex_encode(digest, sizeof digest);
    return TRUE;
}

static gboolean describe_content(
        int dir_fd, const char *name, int fd, const struct stat *info, char **ret_text, GError **error) {
    guint8 digest[SHA256_SIZE];
    char link[PATH_MAX];
    ssize_t length;

    if (S_ISREG(info->st_mode)) {
        if (!sha256_fd(fd, digest, error))
            return FALSE;
        *ret_text = hex_encode(digest, sizeof digest);
    } else if (S_ISLNK(info->st_mode)) {
        if ((length = readlinkat(dir_fd, name, link, sizeof link)) < 0)
            return tree_set_error(error, "cannot read the link");
        *ret_text = g_strndup(link, length);
    } else if (S_ISCHR(info->st_mode) || S_ISBLK(info->st_mode))
        *ret_text = g_strdup_printf("%u:%u", major(info->st_rdev), minor(info->st_rdev));
    return TRUE;
}

/* Times newer than the epoch become the epoch: they say nothing. */
static void add_time(const Walk *walk, const struct stat *info, TreeFact *fact) {
    gboolean older = walk->epoch >= 0 && info->st_mtim.tv_sec < walk->epoch;

    fact->seconds = older ? info->st_mtim.tv_sec : -1;
    fact->nanoseconds = older ? info->st_mtim.tv_nsec : 0;
}

static gboolean walk_entry(Walk *walk, int dir_fd, const char *name, GError **error);

static gboolean is_skipped(const Walk *walk) {
    g_autofree char *path = walk->skip ? g_strconcat(walk->top, "/", walk->path->str, NULL) : NULL;
    return path && walk->skip(path, walk->skip_data);
}

static gboolean walk_directory(Walk *walk, int fd, GError **error) {
    gsize length = walk->path->len;
    int list_fd = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (list_fd < 0)
        return tree_set_error(error, "cannot open a directory");
    g_autoptr(GPtrArray) names = tree_list(list_fd, error);
    for (guint i = 0; names && i < names->len; i++) {
        g_string_append_printf(walk->path, "%s%s", length > 0 ? "/" : "", (char *) names->pdata[i]);
        gboolean good = is_skipped(walk) || walk_entry(walk, fd, names->pdata[i], error);
        g_string_truncate(walk->path, length);
        if (!good)
            return FALSE;
    }
    return names != NULL;
}

static gboolean walk_entry(Walk *walk, int dir_fd, const char *name, GError **error) {
    g_autofree char *content = NULL, *attributes = NULL;
    struct stat info;
    AUTO_FD fd = -1;

    if (fstatat(dir_fd, name, &info, AT_SYMLINK_NOFOLLOW) < 0)
        return tree_set_error(error, "cannot read %s", name);
    if (S_ISREG(info.st_mode) || S_ISDIR(info.st_mode)) {
        fd = openat(dir_fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
        if (fd < 0)
            return tree_set_error(error, "cannot open %s", name);
    }
    if (!digest_attributes(dir_fd, name, fd, &attributes, error) ||
            !describe_content(dir_fd, name, fd, &info, &content, error)) {
        g_prefix_error(error, "%s: ", name);
        return FALSE;
    }
    TreeFact fact = {.path = walk->path->str,
            .mode = S_ISLNK(info.st_mode) ? S_IFLNK : info.st_mode,
            .content = content,
            .attributes = attributes};
    add_time(walk, &info, &fact);
    return walk->visit(&fact, walk->data, error) &&
           (!S_ISDIR(info.st_mode) || walk_directory(walk, fd, error));
}

gboolean tree_each_fact(int dir_fd, const char *name, gint64 epoch, TreeSkip skip, gpointer skip_data,
        TreeFactVisit visit, gpointer data, GError **error) {
    g_autoptr(GString) path = g_string_new(NULL);
    Walk walk = {.epoch = epoch,
            .skip = skip,
            .skip_data = skip_data,
            .visit = visit,
            .data = data,
            .top = name,
            .path = path};

    return walk_entry(&walk, dir_fd, name, error);
}
