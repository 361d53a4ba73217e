/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What particleos-update does, and what it says of it on standard output. */

#include "update/job/update.h"

/* Exit statuses beside 0 and those of errors (particleos-update(8)). */
#define STATUS_NOTHING_NEW 10

typedef struct {
    UpdateOptions options;
    gboolean json, debug, help, version;
} Arguments;

typedef struct {
    const char *name;
    gboolean offline;  /* sources are not asked */
    gboolean argument; /* a version may follow */
    /* RET_STATUS is 0 unless it is set. VERSION may be NULL. */
    gboolean (*run)(Update *update, const Arguments *arguments, const char *version, int *ret_status, GError **error);
    const char *help;
} Verb;

/* Ends with an entry without name. */
extern const Verb verbs[];
