/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* How apt is run: in which sandbox, and what becomes of its complaints. */

#include "distro/apt/output.h"
#include "distro/driver/driver.h"
#include "sandbox/sandbox.h"

typedef enum {
    APT_NETWORK = 1 << 0, /* reaches the network */
    APT_PACKAGES =
            1 << 1, /* runs programs of packages, so it can only read what other builds will read, too */
} AptRunFlags;

/* A sandbox with apt's programs, its configuration and caches, and the tree ROOT (NULL: an empty one) at
 * BUILDROOT. */
Sandbox *apt_sandbox(DistroSession *session, const char *root, AptRunFlags flags);

/* Makes what apt needs in ROOT (NULL: in the empty tree). */
gboolean apt_prepare_root(DistroSession *session, const char *root, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Runs ARGV (terminated here). An error says what apt complained about and what to do, which is ADVICE where
 * the complaint does not tell. OUTPUT may be NULL; RET_STDOUT, too: then that is taken for messages. */
gboolean apt_run(DistroSession *session, Sandbox *sandbox, GPtrArray *argv, AptOutput *output,
        DistroError code, const char *advice, char **ret_stdout, GError **error) G_GNUC_WARN_UNUSED_RESULT;
