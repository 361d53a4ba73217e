/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Labels of files by the SELinux policy of a tree (selabel_file(5)), whatever policy this machine has: what setfiles(8)
 * would set there. */

#include <gio/gio.h>
#include <sys/types.h>

typedef enum {
    SELINUX_ERROR_POLICY, /* none, or one that cannot be read */
} SelinuxError;

#define SELINUX_ERROR (selinux_error_quark())
GQuark selinux_error_quark(void);

typedef struct SelinuxLabels SelinuxLabels;

/* Whether the tree TREE_FD names a policy in /etc/selinux/config and has its file contexts. */
gboolean selinux_has_policy(int tree_fd);

/* The labels of the policy that the tree TREE_FD names in /etc/selinux/config. WORK: an existing directory for copies of the
 * file contexts, which are removed again. NULL with ERROR set when there is no policy. */
SelinuxLabels *selinux_labels_new(int tree_fd, const char *work, GError **error);
void selinux_labels_free(SelinuxLabels *labels);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SelinuxLabels, selinux_labels_free)

/* The value of security.selinux, with the NUL at its end, of PATH (absolute in the tree) with MODE (its type counts). RET is
 * NULL when the policy says that such a file has none; else owned by the caller. */
gboolean selinux_label_of(
        SelinuxLabels *labels, const char *path, mode_t mode, GBytes **ret, GError **error) G_GNUC_WARN_UNUSED_RESULT;
