/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What pages work with. */

#include "kitchen/model/database/database.h"
#include "kitchen/model/database/secret.h"
#include "kitchen/site/login-limit.h"

/* What the pages ask the coordinator to do. Functions return FALSE with ERROR set; its message is shown to who
 * asked. USER_ID 0: nobody. */
typedef struct {
    gpointer user;
    /* The time in milliseconds since 1970. */
    gint64 (*now)(gpointer user);
    /* Look at the branch of the project now, and build when something is new; with FORCE, in any case. CAUSE:
     * "push" or "manual"; BY: who or what, for people. */
    gboolean (*look)(gpointer user, gint64 project_id, const char *cause, const char *by, gint64 user_id,
            gboolean force, GError **error);
    /* Build the same commit again; the number of the new build. */
    gint64 (*retry)(gpointer user, gint64 build_id, gint64 user_id, const char *user_name, GError **error);
    gboolean (*cancel)(gpointer user, gint64 build_id, gint64 user_id, GError **error);
    /* Makes a project in the namespace (by its identifier), or a fork of the project FORKED_FROM (0: none), with a
     * target and a channel. */
    gboolean (*create)(gpointer user, gint64 namespace_id, const char *name, const char *url, const char *branch,
            const char *directory, const char *profiles, gboolean is_public, gint64 forked_from, gint64 user_id,
            GError **error);
    /* Changes what a project says of itself; nothing else of it. TITLE may be "". PACKAGES: "at-once", "daily", "never". */
    gboolean (*edit)(gpointer user, gint64 project_id, const char *title, const char *url, const char *branch,
            const char *directory, const char *packages, gboolean is_public, GError **error);
    /* What the project is built from besides its recipe (kitchen/model/builds/sources.h): an array of Source. */
    GPtrArray *(*sources)(gpointer user, gint64 project_id, GError **error);
    gboolean (*add_source)(gpointer user, gint64 project_id, const char *name, const char *kind, const char *url,
            const char *branch, GError **error);
    gboolean (*remove_source)(gpointer user, gint64 project_id, const char *name, GError **error);
    /* BOOT: 1, 0 or -1 (as it is); DISK_LIMIT: bytes, 0 for none, -1 (as it is). */
    gboolean (*set_limits)(gpointer user, gint64 project_id, int boot, gint64 disk_limit, GError **error);
    /* Makes a channel of the project, or changes the one of that NAME. SCHEDULE NULL: all devices at once. */
    gboolean (*set_channel)(gpointer user, gint64 project_id, const char *name, gboolean follows, const char *schedule,
            GError **error);
    /* Releases the build to the channel, or what all devices of the channel FROM get if BUILD_ID is 0. PERCENT -1 and
     * SCHEDULE NULL: as the channel says. */
    gboolean (*release)(gpointer user, gint64 channel_id, gint64 build_id, gint64 from, int percent, const char *schedule,
            gint64 user_id, GError **error);
    gboolean (*halt)(gpointer user, gint64 release_id, gint64 user_id, GError **error);
    /* What somebody signed for TARGET of the release; FINGERPRINT says by which key. */
    gboolean (*approve)(gpointer user, gint64 release_id, gint64 target_id, const char *fingerprint, const char *statement,
            const char *signature, gint64 user_id, GError **error);
    /* No channel of the project offers VERSION any more, for ever. */
    gboolean (*withdraw)(gpointer user, gint64 project_id, const char *version, gint64 user_id, GError **error);
    /* The file with the log of the job; owned by the caller. */
    char *(*log_path)(gpointer user, gint64 job_id);
    /* The file of the object DIGEST; owned by the caller. */
    char *(*object_path)(gpointer user, const char *digest);
} SiteEngine;

typedef struct {
    Database *database;
    SecretBox *box;
    LoginLimit *logins;
    const SiteEngine *engine;
    char *base_url;          /* of the service, without a slash at its end */
    char *publish_url;       /* of published files: "http://10.0.2.2:8090/pub" */
    char *publish_directory; /* NULL: not served here */
    char *style_path, *script_path;
    gboolean secure;      /* reached by https: cookies are for that alone */
    gboolean development; /* keys are not protected: pages say so */
} Site;

gint64 site_now(const Site *site);

/* TRUE when ERROR is a failure of the service, which whoever asked cannot mend and need not see. */
gboolean site_error_is_ours(const GError *error) G_GNUC_WARN_UNUSED_RESULT;
