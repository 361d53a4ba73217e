/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Files over HTTP: GET and HEAD, ranges, lists of directories. For downloads by systemd-sysupdate,
 * importctl, curl; nothing can be changed through it. */

#include <glib.h>

typedef struct FileServer FileServer;

/* What was asked and answered: for instance "192.0.2.1 GET /file: 200". */
typedef void (*FileServerSaw)(const char *line);

/* In a module, because it brings libsoup. */
typedef struct {
    /* Serves what is below DIRECTORY in the default main context, and tells SAW of each request. Symbolic links are followed as
     * long as they do not lead out of DIRECTORY. LISTEN says where: "localhost" (both loopback addresses), "all" (every address
     * of this machine) or one address, followed by ":PORT" unless it is DEFAULT_PORT; an IPv6 address with a port stands in
     * brackets. NULL with ERROR set when LISTEN is none of these or cannot be had. */
    FileServer *(*start)(
            const char *directory, const char *listen, guint16 default_port, FileServerSaw saw, GError **error);

    /* The addresses under which the files are, for a message; owned by the caller. */
    char *(*addresses)(const FileServer *server);

    void (*free)(FileServer *server);
} FileServerFunctions;

/* NULL with ERROR set when the module cannot be loaded. */
const FileServerFunctions *file_server_functions(GError **error);
