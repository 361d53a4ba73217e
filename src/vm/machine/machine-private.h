/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the two halves of a machine share: machine-prepare.c, before QEMU starts, and machine.c. */

#include "sandbox/sandbox.h"
#include "tree/workspace.h"
#include "vm/console/console.h"
#include "vm/console/journal.h"
#include "vm/console/monitor.h"
#include "vm/console/notify.h"
#include "vm/host/credentials.h"
#include "vm/host/state.h"
#include "vm/machine/machine.h"
#include "vm/qemu/direct-boot.h"
#include "vm/qemu/qemu-arguments.h"

struct VmMachine {
    const ImageConfig *config;
    const VmMachineOptions *options;
    VmDescription description;
    Workspace *workspace;
    VmFirmware *firmware;
    VmDirectBoot *boot;
    char **extra; /* QemuArgs= and the arguments of the verb */
    char *program, *disk, *variables, *command_line;
    GPtrArray *credentials; /* of VmCredential */
    /* Ends of sockets that QEMU gets. */
    int tpm_fd, console_fd, report_fd, monitor_fd, vsock_fd;
    SandboxProcess *tpm, *qemu;
    VmMonitor *monitor;
    VmConsole *console, *report;
    GPtrArray *shares; /* of SandboxProcess: virtiofsd */
    VmJournal *journal;
    VmState *state;
    VmNotify *notify;
    VmTerminalState *terminal;
    GMainLoop *loop;
    gboolean drives_made;
    gboolean registers; /* with systemd-machined */
    gboolean panicked;
    gboolean interrupted;
    guint resets;
};

/* Everything up to the command line of QEMU: looks at recipe and host, starts helpers. */
gboolean vm_machine_prepare(VmMachine *machine, GError **error) G_GNUC_WARN_UNUSED_RESULT;
