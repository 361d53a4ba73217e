/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Whether KVM works, not just whether it is there. */

#include "vm/host/firmware.h"

/* Whether guests run with KVM here. /dev/kvm may open and guests may still crash, so the answer comes from
 * starting QEMU with FIRMWARE (NULL: its own BIOS) in SCRATCH (a directory) and waiting for a sign of life.
 * It is remembered until the next boot of the host. */
gboolean vm_kvm_works(
        const char *qemu, const char *architecture, const VmFirmware *firmware, const char *scratch);
