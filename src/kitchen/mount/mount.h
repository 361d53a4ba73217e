/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The worker API on libsoup's server. Both are called for requests below PREFIX, early when the head of one is there; the user
 * of both is a Mount. Bodies go to the API piece by piece. */

#include <libsoup/soup.h>

#include "kitchen/api/worker-api.h"

typedef struct {
    WorkerApi *api;
    const char *prefix; /* "/worker/" */
} Mount;

void mount_early(SoupServer *server, SoupServerMessage *message, const char *path, GHashTable *query, gpointer mount);
void mount_answer(SoupServer *server, SoupServerMessage *message, const char *path, GHashTable *query, gpointer mount);
