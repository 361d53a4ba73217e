/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Files over HTTP: GET and HEAD, ranges, lists of directories. For downloads by systemd-sysupdate,
 * importctl, curl; nothing can be changed through it. */

#include <glib.h>

typedef struct FileServer FileServer;

/* Serves what is below DIRECTORY in the default main context. Symbolic links are followed as long as they do
 * not lead out of DIRECTORY. LISTEN says where: "localhost" (both loopback addresses), "all" (every address
 * of this machine) or one address, followed by ":PORT" unless it is DEFAULT_PORT; an IPv6 address with a port
 * stands in brackets. NULL with ERROR set when LISTEN is none of these or cannot be had. */
FileServer *file_server_new(const char *directory, const char *listen, guint16 default_port, GError **error);

/* The addresses under which the files are, for a message; owned by the caller. */
char *file_server_addresses(const FileServer *server);

void file_server_free(FileServer *server);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FileServer, file_server_free)
