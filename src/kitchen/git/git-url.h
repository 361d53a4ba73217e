/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* From where recipes may be fetched. */

#include "kitchen/net/address.h"

typedef enum {
    GIT_LOCAL, /* a repository of this machine */
    GIT_HTTPS,
    GIT_SSH,
} GitTransport;

/* What an operator allows beside public addresses. */
typedef struct {
    const char *const *roots;       /* repositories of this machine may lie below; NULL-terminated, may be NULL */
    const AddressPolicy *addresses; /* of hosts */
} GitRules;

typedef struct {
    GitTransport transport;
    char *url;     /* for git: "https://…", "ssh://…", or the path of a repository of this machine */
    char *path;    /* of a repository of this machine; NULL: it is elsewhere */
    char *host;    /* "HOST", or "HOST:PORT" for another port than usual: how credentials call it; NULL for paths */
    char *user;    /* of ssh; NULL */
    char *address; /* of HOST, the one that was judged; NULL for paths */
    char *pin;     /* "HOST:PORT:ADDRESS", the same for https */
} GitUrl;

void git_url_clear(GitUrl *url);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(GitUrl, git_url_clear)

/* Takes TEXT apart, and looks up its host: https without user or password, ssh with a user ("ssh://USER@HOST/PATH", or
 * "USER@HOST:PATH", which means the same here), both at addresses that RULES allow; or a path (also as file://) below one of
 * the roots. */
gboolean git_url_check(
        const char *text, const GitRules *rules, GitUrl *ret_url, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The address of a submodule that .gitmodules of the repository at BASE calls TEXT, to be checked as any other; owned by the
 * caller. "./" and "../" are followed from BASE. Places of this machine are named in that way only. */
char *git_url_resolve(const GitUrl *base, const char *text, GError **error);

/* Whether NAME is a branch that can be given to git: no options, no patterns. */
gboolean git_branch_is_valid(const char *name) G_GNUC_WARN_UNUSED_RESULT;
