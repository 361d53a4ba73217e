/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A TPM 2.0 for a machine: swtpm, which ends with the machine. */

#include <glib.h>

#include "sandbox/sandbox.h"

/* Starts swtpm with its state in DIRECTORY (made if missing). RET_CONTROL_FD (owned by the caller) is for
 * QEMU. */
SandboxProcess *vm_tpm_start(const char *directory, int *ret_control_fd, GError **error);
