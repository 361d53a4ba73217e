/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What this host offers to virtual machines. */

#include <glib.h>

#include "sandbox/sandbox.h"
#include "vm/host/firmware.h"

#define VM_ERROR vm_error_quark()
GQuark vm_error_quark(void);

typedef enum {
    VM_ERROR_MISSING,     /* a program, a device or a file is not there */
    VM_ERROR_UNSUPPORTED, /* the recipe asks for something that we cannot do */
    VM_ERROR_MACHINE,     /* the machine failed */
    VM_ERROR_INTERRUPTED, /* a signal told us to stop */
} VmError;

/* Path of PROGRAM; owned by the caller. The error names the package to install. */
char *vm_find_program(const char *program, GError **error);

/* A sandbox for QEMU and its helpers: the host's programs, and DIRECTORY (writable). */
Sandbox *vm_sandbox_new(const char *directory);

/* A connected pair of sockets; both descriptors are closed on exec. */
gboolean vm_socket_pair(int *ret_ours, int *ret_theirs, GError **error) G_GNUC_WARN_UNUSED_RESULT;
