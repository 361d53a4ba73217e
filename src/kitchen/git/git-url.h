/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* From where recipes may be fetched. */

#include <glib.h>

typedef struct {
    char *url;  /* for git: "https://…", or the path of a repository of this machine */
    char *path; /* of a repository of this machine; NULL: it is elsewhere */
    char *pin;  /* "HOST:PORT:ADDRESS", the address that was checked; NULL for paths */
} GitUrl;

void git_url_clear(GitUrl *url);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(GitUrl, git_url_clear)

/* Takes TEXT apart, and looks up its host: https to a public address, without user or password, or a path (also as
 * file://) below one of ROOTS (NULL-terminated; may be NULL). */
gboolean git_url_check(
        const char *text, const char *const *roots, GitUrl *ret_url, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Whether NAME is a branch that can be given to git: no options, no patterns. */
gboolean git_branch_is_valid(const char *name) G_GNUC_WARN_UNUSED_RESULT;
