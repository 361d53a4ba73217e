/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vm/host/tpm.h"

#include <errno.h>
#include <gio/gio.h>

#include "base/cleanup.h"
#include "base/errors.h"
#include "vm/host/host.h"

SandboxProcess *vm_tpm_start(const char *directory, int *ret_control_fd, GError **error) {
    g_autofree char *swtpm = vm_find_program("swtpm", error);
    if (!swtpm)
        return NULL;
    if (g_mkdir_with_parents(directory, 0700) < 0) {
        set_errno_error(error, errno, "Cannot make %s", directory);
        return NULL;
    }
    AUTO_FD ours = -1, theirs = -1;
    if (!vm_socket_pair(&ours, &theirs, error))
        return NULL;
    g_autofree char *state = g_strdup_printf("dir=%s", directory);
    g_autofree char *control = g_strdup_printf("type=unixio,clientfd=%d", theirs);
    g_autoptr(Sandbox) sandbox = vm_sandbox_new(directory);
    sandbox_pass_fd(sandbox, theirs);
    const char *const command[] = {
            swtpm, "socket", "--tpm2", "--tpmstate", state, "--ctrl", control, "--terminate", NULL};
    SandboxProcess *process = sandbox_spawn(sandbox, command, error);
    if (process)
        *ret_control_fd = steal_fd(&ours);
    return process;
}
