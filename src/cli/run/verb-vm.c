/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdio.h>

#include "cli/run/vmspawn.h"
#include "cli/verbs.h"
#include "pipeline/scripts/script-configure.h"
#include "sandbox/sandbox.h"
#include "ui/terminal.h"
#include "vm/machine/machine.h"
#include "vm/machine/watch.h"

/* The language's default of Ephemeral= is no, but a machine that writes to the image must be asked for. */
static gboolean is_ephemeral(const ImageConfig *config) {
    return config->ephemeral || (!called_as_mkosi() && !recipe_setting_origin(config, "Ephemeral"));
}

static gboolean boot_until_login(const ImageConfig *config, int *ret_exit_status, GError **error) {
    VmWatchOptions options = {.ephemeral = is_ephemeral(config)};
    g_autoptr(VmReport) report = vm_boot_until_login(config, &options, error);
    if (!report)
        return FALSE;
    g_autofree char *text = vm_report_format(report, ui_out_style());
    fputs(text, stdout);
    *ret_exit_status = vm_report_is_good(report) ? 0 : 1;
    return TRUE;
}

gboolean verb_vm(const VerbCall *call, int *ret_exit_status, GError **error) {
    const Arguments *arguments = call->arguments;
    Recipe *recipe = call->recipe;
    gboolean vmspawn = recipe->main->virtual_machine_monitor == VMM_VMSPAWN && !arguments->until_login;
    /* systemd-vmspawn runs as who called us, unless a script has a say before. */
    if (vmspawn && !recipe->main->configure_scripts[0])
        return vmspawn_run(recipe->main, arguments->words, is_ephemeral(recipe->main), ret_exit_status, error);
    if (!sandbox_become_root(error) || !build_configure(recipe, error))
        return FALSE;
    const ImageConfig *config = recipe->main;
    if (vmspawn)
        return vmspawn_run(config, arguments->words, is_ephemeral(config), ret_exit_status, error);
    if (arguments->until_login)
        return boot_until_login(config, ret_exit_status, error);
    VmMachineOptions options = {.ephemeral = is_ephemeral(config), .arguments = arguments->words};
    g_autoptr(VmMachine) machine = vm_machine_start(config, &options, error);
    return machine && vm_machine_wait(machine, ret_exit_status, error);
}
