/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Which page answers which address. */

#include "kitchen/http/server.h"

/* The routes of the service; their user is a Site. Ends with a NULL pattern. */
const HttpRoute *routes(void);

/* What answers when none of them fits. */
void route_missing(HttpRequest *request, gpointer site);
