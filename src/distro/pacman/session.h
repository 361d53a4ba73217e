/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What a session of this family knows beside what all know. */

#include "distro/driver/driver.h"

typedef struct {
    char **base; /* what an empty tree starts with, by name; NULL: not asked yet */
    char *taken; /* what the record said of the databases when they were taken from the cache; NULL: they were not */
    gboolean has_keyring;
} PacmanState;

static inline PacmanState *pacman_state(DistroSession *session) {
    return session->state;
}
