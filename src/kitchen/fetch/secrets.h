/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Credentials of the project, and which of them are for a host. */

#include "kitchen/git/git-url.h"

/* Is called HOST, or USER@HOST. */
typedef struct {
    char *kind; /* "git-password", "git-key", "git-host" */
    char *name;
    char *secret;
} FetchSecret;

/* Reads what credential_git_secrets() wrote, from FD to its end: an array of FetchSecret, which are overwritten when they are
 * freed. Nothing at all is an empty list. */
GPtrArray *fetch_secrets_read(int fd, GError **error);

/* What a helper tells git about FROM (git-credential(1)); NULL: there is nothing to tell. Owned by the caller. */
char *fetch_secrets_password(GPtrArray *secrets, const GitUrl *from);

/* The private key for FROM, as ssh reads it, and lines for its list of known hosts, where the host is called "host". Both are
 * needed: a host that nobody knows gets nothing. Owned by the caller. */
gboolean fetch_secrets_ssh(GPtrArray *secrets, const GitUrl *from, char **ret_key, char **ret_hosts,
        GError **error) G_GNUC_WARN_UNUSED_RESULT;
