/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What people and the clock do with releases: to whom they go, when they stop. Every change is a transaction with an event,
 * and makes the published links follow (channel_list_switch()). */

#include "kitchen/model/results/releases.h"

/* What a release is to be like. */
typedef struct {
    int percent;          /* 1 to 100; -1: as the channel says */
    const char *schedule; /* NULL: as the channel says, unless PERCENT is given */
    gint64 user_id;
} ReleaseWish;

/* Releases BUILD, which is published, to CHANNEL. Again: what failed is tried once more, what was halted goes on, and
 * PERCENT may be raised. MODEL_ERROR_STATE: the build is not published, its files are gone, the percentage would go down,
 * or what release_begin() refuses. The release; 0 with ERROR set. */
gint64 release_wish(Model *model, gint64 channel, gint64 build, const ReleaseWish *wish, GError **error);

/* Releases what all devices of channel FROM get, in its newest version, to the channel TO. */
gint64 release_promote(Model *model, gint64 from, gint64 to, const ReleaseWish *wish, GError **error);

/* No device is offered RELEASE until it is released again; what has it keeps it. MODEL_ERROR_STATE: it is not published. */
gboolean release_halt(Model *model, gint64 release, gint64 user, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* What BUILD made, as it is called in CHANNEL: an array of ReleaseFile. MODEL_ERROR_STATE: none is called by image ID and
 * version. */
GPtrArray *release_collect_files(Model *model, gint64 channel, gint64 build, GError **error);

/* No device is offered VERSION of PROJECT any more, in any channel, ever. Repeating is harmless. */
gboolean version_withdraw(Model *model, gint64 project, const char *version, gint64 user, GError **error)
        G_GNUC_WARN_UNUSED_RESULT;

/* A withdrawal that the signer does not know of. */
typedef struct {
    gint64 project_id;
    char *space, *project, *version;
    gboolean is_private; /* the log shows a digest alone */
} Withdrawal;

void withdrawal_free(Withdrawal *withdrawal);
/* An array of Withdrawal, oldest first. */
GPtrArray *withdrawal_list_untold(Model *model, GError **error);
gboolean withdrawal_note_told(
        Model *model, gint64 project, const char *version, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Raises percentages to what the schedules say now. */
gboolean releases_advance(Model *model, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* A channel whose links do not follow yet. */
typedef struct {
    gint64 channel_id, project_id, wanted;
} ChannelSwitch;

/* An array of ChannelSwitch. */
GPtrArray *channel_list_switch(Model *model, GError **error);
/* The links of CHANNEL follow WANTED. */
gboolean channel_note_switched(Model *model, gint64 channel, gint64 wanted, GError **error) G_GNUC_WARN_UNUSED_RESULT;
