/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Files over HTTP: GET and HEAD, ranges, lists of directories. For downloads by systemd-sysupdate,
 * importctl, curl; nothing can be changed through it. */

#include <glib.h>

typedef struct FileServer FileServer;

/* Serves what is below DIRECTORY on PORT of every address, in the default main context. Symbolic links are
 * followed as long as they do not lead out of DIRECTORY. */
FileServer *file_server_new(const char *directory, guint port, GError **error);
void file_server_free(FileServer *server);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FileServer, file_server_free)
