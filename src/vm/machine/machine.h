/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A virtual machine that runs an image. */

#include <glib.h>

#include "recipe/result/image-config.h"
#include "vm/console/console.h"

typedef struct VmMachine VmMachine;

typedef struct {
    /* TRUE: disk, firmware variables and TPM start fresh and are thrown away. FALSE: the image itself is
     * written to, and variables and TPM are kept beside it (OUTPUT.efinvramstate, OUTPUT.tpmstate). */
    gboolean ephemeral;
    /* Added to the recipe's: kernel arguments, and credentials as NAME, VALUE, NAME, VALUE, ..., NULL. */
    char *const *kernel_command_line;
    char *const *credentials;
    /* For QEMU, after those of the recipe; NULL: none. */
    char *const *arguments;
    /* When set, the console goes here instead of the terminal. */
    VmConsoleOutput on_console;
    /* When set, the guest has a second serial port, which goes here. */
    VmConsoleOutput on_report;
    gpointer data;
} VmMachineOptions;

/* Starts the machine that CONFIG describes. Expects sandbox_become_root(). Errors name what is missing on
 * this host. */
VmMachine *vm_machine_start(const ImageConfig *config, const VmMachineOptions *options, GError **error);

/* Runs the default main context until the machine has ended. RET_STATUS is what the guest announced, else 0,
 * and 1 after a kernel panic. SIGINT, SIGTERM and SIGHUP end the machine; that is the error
 * VM_ERROR_INTERRUPTED. */
gboolean vm_machine_wait(VmMachine *machine, int *ret_status, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Sends TEXT to the guest's second serial port. */
void vm_machine_answer(VmMachine *machine, const char *text);

/* Ask the guest to power off; end it at once. Both return immediately. */
void vm_machine_power_button(VmMachine *machine);
void vm_machine_quit(VmMachine *machine);

gboolean vm_machine_uses_kvm(const VmMachine *machine);
/* How often the guest was reset. */
guint vm_machine_resets(const VmMachine *machine);

/* Ends the machine if it still runs, and removes what was temporary. */
void vm_machine_free(VmMachine *machine);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VmMachine, vm_machine_free)
