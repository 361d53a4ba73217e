/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/run/vmspawn.h"

#include "base/cleanup.h"
#include "cli/make/built-image.h"
#include "cli/run/host-program.h"
#include "tree/workspace.h"
#include "vm/container/vmspawn.h"

gboolean vmspawn_run(
        const ImageConfig *config, char *const *arguments, gboolean ephemeral, int *ret_exit_status, GError **error) {
    g_autofree char *program = NULL;
    if (!vm_vmspawn_check(config, error) || !(program = host_program_find(config, "systemd-vmspawn", error)))
        return FALSE;
    g_autofree char *parent = workspace_parent(config->workspace_directory, WORKSPACE_FALLBACK, error);
    g_autoptr(Workspace) workspace = parent ? workspace_new(parent, error) : NULL;
    g_autofree char *directory = workspace ? workspace_mkdir(workspace, "credentials", error) : NULL;
    g_autoptr(VmDirectBoot) boot =
            directory ? vm_direct_boot_new(config, NULL, workspace_path(workspace), error) : NULL;
    g_autoptr(GPtrArray) credentials = boot ? vm_credentials_collect(config, error) : NULL;
    g_autoptr(Sandbox) sandbox = credentials ? host_program_sandbox(config, error) : NULL;
    if (!sandbox || !vm_credentials_write(credentials, directory, error))
        return FALSE;
    g_autofree char *image = vm_image_path(config);
    AUTO_FD lock = ephemeral ? -1 : built_image_lock(image, error);
    if (!ephemeral && lock < 0)
        return FALSE;
    VmSpawn spawn = {
            .program = program,
            .path = image,
            .ephemeral = ephemeral,
            .cpus = config->cpus > 0 ? config->cpus : g_get_num_processors(),
            .boot = boot,
            .credentials = credentials,
            .credential_directory = directory,
            .user = g_get_user_name(),
            .arguments = arguments,
    };
    g_auto(GStrv) command = vm_vmspawn_arguments(config, &spawn);
    g_autofree char *extra = vm_vmspawn_extra(config);
    if (extra)
        sandbox_setenv(sandbox, "SYSTEMD_VMSPAWN_QEMU_EXTRA", extra);
    return host_program_run(sandbox, (const char *const *) command, ret_exit_status, error);
}
