/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "tree/tree-private.h"
#include "events/events.h"
#include "tree/workspace.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <linux/close_range.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#define PREFIX "particleos-"

struct Workspace {
    char *path;
    int parent_fd;
    char *name;
    int lock_fd; /* the directory itself, with a lock that says that somebody cares for it */
    pid_t watcher;
    int watcher_fd; /* closed: remove; a byte before: do not */
    gboolean keep;
};

/* Undoes the escapes of mountinfo (proc(5)): \040 and so on. In place. */
static void unescape(char *text) {
    char *out = text;
    for (const char *in = text; *in; out++) {
        if (in[0] == '\\' && g_ascii_isdigit(in[1]) && g_ascii_isdigit(in[2]) && g_ascii_isdigit(in[3])) {
            *out = (in[1] - '0') * 64 + (in[2] - '0') * 8 + (in[3] - '0');
            in += 4;
        } else {
            *out = *in++;
        }
    }
    *out = '\0';
}

/* Unmounts everything at and below PATH (absolute, without links), the newest mount first. */
static void unmount_below(const char *path) {
    g_autofree char *text = NULL;
    if (!g_file_get_contents("/proc/self/mountinfo", &text, NULL, NULL))
        return;
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    gsize length = strlen(path);
    for (guint i = g_strv_length(lines); i-- > 0;) {
        g_auto(GStrv) fields = g_strsplit(lines[i], " ", 6);
        if (g_strv_length(fields) < 6)
            continue;
        unescape(fields[4]);
        if (strncmp(fields[4], path, length) == 0 && (fields[4][length] == '/' || fields[4][length] == '\0'))
            umount2(fields[4], MNT_DETACH | UMOUNT_NOFOLLOW);
    }
}

/* Children that die at the same time as we do may still be writing. */
static gboolean remove_directory(int parent_fd, const char *name, const char *path, GError **error) {
    for (int attempt = 0;; attempt++) {
        g_autoptr(GError) inner = NULL;
        unmount_below(path);
        if (tree_remove(parent_fd, name, &inner))
            return TRUE;
        if (attempt == 30) {
            g_propagate_prefixed_error(error, g_steal_pointer(&inner), "cannot remove %s: ", path);
            return FALSE;
        }
        g_usleep(100 * 1000);
    }
}

/* The process that outlives this one, if only to remove the workspace. Keeps nothing of it but the lock. */
static _Noreturn void watch(int fd, int parent_fd, int lock_fd, const char *name, const char *path) {
    sigset_t all;
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, NULL);
    setsid();
    if (chdir("/") < 0)
        _exit(1);
    /* Pipe, parent, lock get the numbers 3 to 5; then everything else goes, most of all the pipes of other
     * watchers.
     */
    int kept[3] = {fcntl(fd, F_DUPFD, 10), fcntl(parent_fd, F_DUPFD, 10), fcntl(lock_fd, F_DUPFD, 10)};
    int null = open("/dev/null", O_RDWR);
    for (int i = 0; i < 3; i++)
        dup2(null, i);
    for (int i = 0; i < 3; i++)
        if (kept[i] < 0 || dup2(kept[i], 3 + i) < 0)
            _exit(1);
    syscall(SYS_close_range, 6U, ~0U, 0);

    char byte;
    ssize_t n;
    while ((n = read(3, &byte, 1)) < 0 && errno == EINTR)
        ;
    if (n == 0)
        remove_directory(4, name, path, NULL);
    _exit(0);
}

static gboolean start_watcher(Workspace *workspace, GError **error) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) < 0)
        return tree_set_error(error, "cannot make a pipe");
    AUTO_FD read_end = ends[0], write_end = ends[1];
    workspace->watcher = fork();
    if (workspace->watcher < 0)
        return tree_set_error(error, "cannot fork");
    if (workspace->watcher == 0)
        watch(read_end, workspace->parent_fd, workspace->lock_fd, workspace->name, workspace->path);
    workspace->watcher_fd = steal_fd(&write_end);
    return TRUE;
}

/* Tells the watcher that nothing is left to do. */
static void dismiss_watcher(Workspace *workspace) {
    if (workspace->watcher <= 0)
        return;
    if (write(workspace->watcher_fd, "d", 1) < 0)
        events_debug("the watcher of %s has gone already", workspace->path);
    cleanup_fd(&workspace->watcher_fd);
    while (waitpid(workspace->watcher, NULL, 0) < 0 && errno == EINTR)
        ;
}

static gboolean looks_like_ours(const char *name) {
    return g_str_has_prefix(name, PREFIX) && strlen(name) == strlen(PREFIX) + 6;
}

/* Locks the directory NAME if nobody else has; -1 if somebody has. */
static int lock_directory(int parent_fd, const char *name) {
    AUTO_FD fd = openat(parent_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) < 0)
        return -1;
    return steal_fd(&fd);
}

static void close_fd(gpointer fd) {
    close(GPOINTER_TO_INT(fd));
}

/* Names of workspaces whose process and watcher have gone; locked, the locks are added to LOCKS. */
static GPtrArray *find_stale(int parent_fd, GPtrArray *locks) {
    g_autoptr(GPtrArray) stale = g_ptr_array_new_with_free_func(g_free);
    int fd = openat(parent_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    g_autoptr(GPtrArray) names = fd >= 0 ? tree_list(fd, NULL) : NULL;
    for (guint i = 0; names && i < names->len; i++) {
        struct stat st;
        if (!looks_like_ours(names->pdata[i]) ||
                fstatat(parent_fd, names->pdata[i], &st, AT_SYMLINK_NOFOLLOW) < 0 || st.st_uid != geteuid())
            continue;
        int lock = lock_directory(parent_fd, names->pdata[i]);
        if (lock < 0)
            continue;
        g_ptr_array_add(locks, GINT_TO_POINTER(lock));
        g_ptr_array_add(stale, g_strdup(names->pdata[i]));
    }
    return g_steal_pointer(&stale);
}

/* Makes the directory under a lock of its parent, so that nobody takes it for a stale one in between. */
static gboolean make_directory(Workspace *workspace, const char *parent, GError **error) {
    AUTO_FD parent_lock = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (parent_lock < 0 || flock(parent_lock, LOCK_EX) < 0)
        return tree_set_error(error, "cannot lock %s", parent);
    g_autoptr(GPtrArray) locks = g_ptr_array_new_with_free_func(close_fd);
    g_autoptr(GPtrArray) stale = find_stale(workspace->parent_fd, locks);

    workspace->path = g_build_filename(parent, PREFIX "XXXXXX", NULL);
    if (!mkdtemp(workspace->path))
        return tree_set_error(error, "cannot make a directory in %s", parent);
    workspace->name = g_path_get_basename(workspace->path);
    workspace->lock_fd = lock_directory(workspace->parent_fd, workspace->name);
    if (workspace->lock_fd < 0)
        return tree_set_error(error, "cannot lock %s", workspace->path);
    cleanup_fd(&parent_lock);

    for (guint i = 0; i < stale->len; i++) {
        g_autofree char *path = g_build_filename(parent, stale->pdata[i], NULL);
        g_autoptr(GError) inner = NULL;
        unmount_below(path);
        if (!tree_remove(workspace->parent_fd, stale->pdata[i], &inner))
            events_warning("cannot remove the stale workspace %s: %s", path, inner->message);
    }
    return TRUE;
}

char *workspace_parent(const char *configured, const char *fallback, GError **error) {
    const char *variable = g_getenv("TMPDIR");

    if (configured || !variable || !*variable)
        return g_strdup(configured ? configured : fallback);
    g_autofree char *path = g_canonicalize_filename(variable, NULL);
    if (!g_file_test(path, G_FILE_TEST_IS_DIR))
        errno = g_file_test(path, G_FILE_TEST_EXISTS) ? ENOTDIR : ENOENT;
    else if (access(path, W_OK | X_OK) == 0)
        return g_steal_pointer(&path);
    tree_set_error(error, "TMPDIR: cannot make temporary trees in %s", path);
    return NULL;
}

Workspace *workspace_new(const char *parent, GError **error) {
    g_autoptr(Workspace) workspace = g_new0(Workspace, 1);
    workspace->parent_fd = workspace->lock_fd = workspace->watcher_fd = -1;
    if (g_mkdir_with_parents(parent, 0755) < 0) {
        tree_set_error(error, "cannot make the directory %s", parent);
        return NULL;
    }
    g_autofree char *absolute = realpath(parent, NULL);
    if (absolute)
        workspace->parent_fd = open(absolute, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (workspace->parent_fd < 0) {
        tree_set_error(error, "cannot open %s", parent);
        return NULL;
    }
    if (!make_directory(workspace, absolute, error) || !start_watcher(workspace, error)) {
        g_prefix_error(error, "cannot make a workspace: ");
        return NULL;
    }
    return g_steal_pointer(&workspace);
}

const char *workspace_path(Workspace *workspace) {
    return workspace->path;
}

char *workspace_mkdir(Workspace *workspace, const char *name, GError **error) {
    if (mkdirat(workspace->lock_fd, name, 0755) < 0 || fchmodat(workspace->lock_fd, name, 0755, 0) < 0) {
        tree_set_error(error, "cannot make %s/%s", workspace->path, name);
        return NULL;
    }
    return g_build_filename(workspace->path, name, NULL);
}

void workspace_keep(Workspace *workspace) {
    workspace->keep = TRUE;
}

void workspace_free(Workspace *workspace) {
    if (!workspace)
        return;
    g_autoptr(GError) error = NULL;
    if (workspace->name && !workspace->keep &&
            !remove_directory(workspace->parent_fd, workspace->name, workspace->path, &error))
        events_warning("%s", error->message);
    dismiss_watcher(workspace);
    cleanup_fd(&workspace->lock_fd);
    cleanup_fd(&workspace->parent_fd);
    g_free(workspace->path);
    g_free(workspace->name);
    g_free(workspace);
}
