/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The socket that the service is reached at. */

#include <gio/gio.h>

/* Listens at ADDRESS ("127.0.0.1:8090", port 0: any), which has to be one of loopback, or at the socket that systemd
 * hands in. RET_URL receives its address, owned by the caller. */
GSocketListener *listen_at(const char *address, char **ret_url, GError **error);
