/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The socket, and a thread for each that is connected to it. */

#include "signer/answer/signer.h"

typedef struct Server Server;

/* Takes the socket of systemd ($LISTEN_FDS), or makes PATH (mode 0660); PATH may be NULL for the former.
 * Blocks SIGTERM and SIGINT, which server_run() waits for. */
Server *server_new(const char *path, GError **error);
void server_free(Server *server);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Server, server_free)

/* Serves SIGNER until SIGTERM or SIGINT: then requests that have begun are answered, and new ones not taken.
 */
gboolean server_run(Server *server, Signer *signer, GError **error) G_GNUC_WARN_UNUSED_RESULT;
