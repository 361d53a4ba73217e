/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "selinux/labels.h"

#include <errno.h>
#include <fcntl.h>
#include <selinux/label.h>
#include <selinux/selinux.h>
#include <stdarg.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/errors.h"
#include "events/events.h"
#include "text/os-release.h"
#include "tree/tree.h"

#define CONFIGURATION "/etc/selinux/config"
#define COPIES "file-contexts"

G_DEFINE_QUARK(selinux - error - quark, selinux_error)

struct SelinuxLabels {
    struct selabel_handle *handle;
};

/* libselinux would write to the standard error. */
__attribute__((format(printf, 2, 3))) static int say(int type G_GNUC_UNUSED, const char *format, ...) {
    va_list arguments;

    va_start(arguments, format);
    g_autofree char *text = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    events_warning("SELinux policy: %s", g_strchomp(text));
    return 0;
}

/* Path of the file contexts in the tree, owned by the caller. */
static char *contexts_path(int tree_fd, GError **error) {
    g_autofree char *text = tree_read_file(tree_fd, CONFIGURATION, NULL, error);
    g_autofree char *type = text ? os_release_get(text, "SELINUXTYPE") : NULL;

    if (type && *type && !strchr(type, '/') && *type != '.')
        return g_build_filename("/etc/selinux", type, "contexts/files/file_contexts", NULL);
    if (text)
        g_set_error(error, SELINUX_ERROR, SELINUX_ERROR_POLICY, "%s names no policy with SELINUXTYPE=", CONFIGURATION);
    return NULL;
}

gboolean selinux_has_policy(int tree_fd) {
    g_autofree char *path = contexts_path(tree_fd, NULL);
    return path && tree_exists(tree_fd, path);
}

/* Copies what libselinux reads beside PATH into the directory WORK_FD/COPIES: links of the tree could lead out of it, and a
 * compiled form may be of another version. */
static gboolean copy_contexts(int tree_fd, const char *path, int work_fd, GError **error) {
    static const char *const kinds[] = {"", ".homedirs", ".local", ".subs", ".subs_dist"};

    for (gsize i = 0; i < G_N_ELEMENTS(kinds); i++) {
        g_autofree char *source = g_strconcat(path, kinds[i], NULL);
        g_autofree char *target = g_strconcat(COPIES "/file_contexts", kinds[i], NULL);
        gsize length;
        if (*kinds[i] && !tree_exists(tree_fd, source))
            continue;
        g_autofree char *text = tree_read_file(tree_fd, source, &length, error);
        if (!text || !tree_write_file(work_fd, target, text, length, 0644, error))
            return FALSE;
    }
    return TRUE;
}

static struct selabel_handle *open_contexts(const char *path, GError **error) {
    struct selinux_opt options[] = {{SELABEL_OPT_PATH, path}};

    selinux_set_callback(SELINUX_CB_LOG, (union selinux_callback){.func_log = say});
    struct selabel_handle *handle = selabel_open(SELABEL_CTX_FILE, options, G_N_ELEMENTS(options));
    if (!handle)
        set_errno_error(error, errno, "its file contexts cannot be used");
    return handle;
}

static SelinuxLabels *load(int tree_fd, const char *work, GError **error) {
    g_autofree char *path = contexts_path(tree_fd, error);
    g_autofree char *copy = g_build_filename(work, COPIES, "file_contexts", NULL);
    AUTO_FD work_fd = open(work, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (!path)
        return NULL;
    if (work_fd < 0) {
        set_errno_error(error, errno, "%s", work);
        return NULL;
    }
    g_autoptr(SelinuxLabels) labels = g_new0(SelinuxLabels, 1);
    gboolean ok = copy_contexts(tree_fd, path, work_fd, error) && (labels->handle = open_contexts(copy, error));
    if (!tree_remove(work_fd, COPIES, ok ? error : NULL))
        ok = FALSE;
    return ok ? g_steal_pointer(&labels) : NULL;
}

SelinuxLabels *selinux_labels_new(int tree_fd, const char *work, GError **error) {
    SelinuxLabels *labels = load(tree_fd, work, error);

    if (!labels)
        g_prefix_error(error, "The image has no SELinux policy to label files with: ");
    return labels;
}

void selinux_labels_free(SelinuxLabels *labels) {
    if (!labels)
        return;
    if (labels->handle)
        selabel_close(labels->handle);
    g_free(labels);
}

gboolean selinux_label_of(SelinuxLabels *labels, const char *path, mode_t mode, GBytes **ret, GError **error) {
    char *context = NULL;

    *ret = NULL;
    if (selabel_lookup_raw(labels->handle, &context, path, mode) < 0) {
        int saved = errno;
        return saved == ENOENT || set_errno_error(error, saved, "Cannot find the SELinux label of %s", path);
    }
    *ret = g_bytes_new(context, strlen(context) + 1);
    freecon(context);
    return TRUE;
}
