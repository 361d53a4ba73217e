/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* virtiofsd, which shows directories of the host to a machine. */

#include <glib.h>

#include "sandbox/sandbox.h"

/* Starts one for DIRECTORY; the machine reaches it through a socket in SCRATCH, whose path RET_SOCKET gets.
 * With SHIFT the owner of the directory is root in the machine. The error names what is not installed. */
SandboxProcess *vm_virtiofs_start(
        const char *directory, gboolean shift, const char *scratch, char **ret_socket, GError **error);
