/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Builds: versions of a project. */

#include "kitchen/model/builds/states.h"
#include "kitchen/model/database/model.h"

typedef struct {
    gint64 id;
    gint64 project_id;
    gint64 number;   /* from 1 in the project */
    char *version;   /* 14 digits, the time in UTC, growing */
    char *commit;    /* may be NULL */
    char *source;    /* object with the recipe's tree; may be NULL */
    char *cause;     /* see requests.h */
    char *caused_by; /* may be NULL */
    BuildState state;
    FailureKind failure;
    char *detail;      /* of a failure, a skip …; may be NULL */
    char *wait_reason; /* why it does not go on; may be NULL */
    gint64 priority;
    gint64 same_as;                    /* the build that had the same inputs, 0: none */
    gint64 created, started, finished; /* 0: not yet */
} Build;

void build_free(Build *build);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Build, build_free)

typedef struct {
    char *kind; /* "commit", "file", "setting", "package", "repository", "base", "program", "certificate", …
                 */
    char *text;
    gint64 target_id; /* 0: of all */
} BuildReason;

BuildReason *build_reason_new(const char *kind, const char *text, gint64 target_id);
void build_reason_free(BuildReason *reason);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(BuildReason, build_reason_free)

/* What a transition changes besides the state; NULL and 0 leave as it is. */
typedef struct {
    FailureKind failure;
    const char *detail;
    gint64 same_as;
    gint64 user_id; /* who did it; 0: nobody */
} BuildChange;

/* Takes build ID to state TO, with an event, in one transaction; MODEL_ERROR_STATE where the table does not
 * allow that. When it ends its jobs end: queued ones are cancelled, active ones are asked to stop. CHANGE
 * may be NULL. Every change of a build's state goes through here. */
gboolean build_transition(
        Model *model, gint64 id, BuildState to, const BuildChange *change, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Cancels a build that is not final yet nor publishing. */
gboolean build_cancel(Model *model, gint64 id, gint64 user, GError **error) G_GNUC_WARN_UNUSED_RESULT;

Build *build_get(Model *model, gint64 id, GError **error);
Build *build_find(Model *model, gint64 project, gint64 number, GError **error);
/* The newest build of PROJECT in STATE; NULL without ERROR set when there is none. */
Build *build_newest(Model *model, gint64 project, BuildState state, GError **error);
/* An array of Build, newest first: at most LIMIT with a number below BEFORE (0: from the newest on). */
GPtrArray *build_list(Model *model, gint64 project, gint64 before, guint limit, GError **error);
/* All builds in STATE, oldest first. */
/* Those of PROJECT that wait, oldest first. */
GPtrArray *build_list_waiting(Model *model, gint64 project, GError **error);
GPtrArray *build_list_in_state(Model *model, BuildState state, GError **error);

/* An array of BuildReason, in order. Setting replaces those of TARGET_ID. */
GPtrArray *build_reasons(Model *model, gint64 id, GError **error);
gboolean build_set_reasons(
        Model *model, gint64 id, gint64 target_id, GPtrArray *reasons, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Says why it waits; no event. NULL: it does not. */
gboolean build_set_wait_reason(Model *model, gint64 id, const char *reason, GError **error) G_GNUC_WARN_UNUSED_RESULT;
