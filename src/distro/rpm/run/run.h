/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* How the package manager is run: in which sandbox, and what becomes of its complaints. */

#include "distro/driver/driver.h"
#include "distro/rpm/run/output.h"
#include "sandbox/sandbox.h"

#define BUILDROOT "/buildroot"
/* Metadata and packages, as a sandbox sees them. The package manager puts some of its own files below the tree's
 * directory of the same name, which is a file system of the sandbox. */
#define RPM_CACHE "/run/packages"
#define RPM_ARCHIVES RPM_CACHE "/archives"
/* A directory of the session, for a package manager that wants packages in folders of its own. */
#define RPM_OWN_PACKAGES "/run/own-packages"

#define RPM_NAMES_ADVICE "Check the names in Packages=, and Release= and Repositories= for where they should come from."
#define RPM_OFFLINE_ADVICE "CacheOnly=always lets packages come from the cache only, and these are not there."
#define RPM_MOVED_ADVICE                                                                                               \
    "Check the network and Mirror=; if the repository has moved on, fetch its metadata again with -ff."

/* What drivers with rpm keep in a session. */
typedef struct {
    const struct RpmManager *manager;
    const char *repositories; /* where files of repositories lie, below WORKSPACE/rpm */
    GPtrArray *missing_keys;  /* RpmKey, to be fetched with the metadata */
    char **base;              /* what an empty tree starts with, exactly; NULL: not asked yet */
    GHashTable *changelogs;   /* name → text; NULL: not asked yet */
    gboolean five;            /* dnf 5 is there */
} RpmState;
RpmState *rpm_state(const DistroSession *session);
void rpm_state_free(gpointer state);

typedef enum {
    RPM_NETWORK = 1 << 0,          /* reaches the network */
    RPM_FETCHES_METADATA = 1 << 1, /* changes the metadata in the cache; otherwise changes go away with the session */
    RPM_DOWNLOADS = 1 << 2,        /* changes the packages in the cache */
    RPM_FIRST = 1 << 3,            /* the tree is empty: packages bring the directories that API file systems cover */
} RpmRunFlags;

/* A sandbox with the package manager's programs, its configuration and caches, and the tree ROOT (NULL: an empty one) at
 * BUILDROOT. */
Sandbox *rpm_sandbox(DistroSession *session, const char *root, RpmRunFlags flags);

/* The configuration, keys and caches alone: for scripts, too. */
void rpm_sandbox_configuration(DistroSession *session, Sandbox *sandbox);

/* Forgets what runs of this session wrote over the metadata in the cache. */
gboolean rpm_forget_changes(DistroSession *session, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Runs ARGV (terminated here); statuses with which zypper tells news count as success. An error says what was complained about and what to do, which is ADVICE where the complaint
 * does not tell. Scripts of packages that failed without ending the work become warnings. PROGRESS may be NULL. */
gboolean rpm_run(DistroSession *session, Sandbox *sandbox, GPtrArray *argv, DistroProgress progress, gpointer data,
        DistroError code, const char *advice, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The error for COMMAND that ended with FAILURE, by what it said. */
void rpm_set_reason(const RpmOutput *output, const char *command, DistroError code, const char *advice, GError **error);
