/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the parser of transfer files and the meaning of its settings share. */

#include "update/transfer/transfer.h"

/* Settings that have to be there. */
typedef struct {
    gboolean source, target, type;
} TransferSeen;

/* Where a value stands. */
typedef struct {
    Transfer *transfer;
    TransferSeen *seen;
    const char *path;
    guint line;
    const char *setting; /* NULL: the line itself is meant */
    const TransferSpecifiers *specifiers;
} TransferPlace;

/* Sets ERROR to "PATH:LINE: SETTING=: ..." and returns FALSE. */
gboolean transfer_place_fail(const TransferPlace *place, GError **error, const char *format, ...) G_GNUC_PRINTF(3, 4);

/* Applies NAME=VALUE of SECTION ("[Source]"; NULL: none yet). */
gboolean transfer_assign(TransferPlace *place, const char *section, const char *name, const char *value,
        GError **error) G_GNUC_WARN_UNUSED_RESULT;
