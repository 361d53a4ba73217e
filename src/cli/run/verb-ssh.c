/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/verbs.h"

#include "cli/run/host-program.h"
#include "vm/host/state.h"

#define SYSTEMD_PROXY "/usr/lib/systemd/systemd-ssh-proxy"

/* What connects ssh with a port of the machine: systemd's own program hands the connection on, socat copies.
 * RET_PASSES_FD is for the former. */
static char *find_proxy(const ImageConfig *config, guint32 cid, gboolean *ret_passes_fd, GError **error) {
    *ret_passes_fd = g_file_test(SYSTEMD_PROXY, G_FILE_TEST_IS_EXECUTABLE);
    if (*ret_passes_fd)
        return g_strdup_printf("ProxyCommand=" SYSTEMD_PROXY " vsock/%u %%p", cid);
    g_autofree char *socat = host_program_find(config, "socat", error);
    if (!socat) {
        g_prefix_error(error, "Neither " SYSTEMD_PROXY " nor socat can connect to the machine: ");
        return NULL;
    }
    return g_strdup_printf("ProxyCommand=%s - VSOCK-CONNECT:%u:%%p", socat, cid);
}

gboolean verb_ssh(const VerbCall *call, int *ret_exit_status, GError **error) {
    const ImageConfig *config = call->recipe->main;
    gboolean passes_fd;
    g_autofree char *ssh = host_program_find(config, "ssh", error);
    g_autoptr(VmAddress) address = ssh ? vm_state_find(config, error) : NULL;
    if (!address)
        return FALSE;
    if (!address->ssh_key) {
        g_set_error_literal(error, RECIPE_ERROR, RECIPE_ERROR_MISSING,
                "The machine was started without a key to log in with: make one with 'genkey', or name it "
                "with SshKey=, and start the machine again");
        return FALSE;
    }
    g_autofree char *proxy = find_proxy(config, address->vsock_cid, &passes_fd, error);
    g_autoptr(Sandbox) sandbox = proxy ? host_program_sandbox(config, error) : NULL;
    if (!sandbox)
        return FALSE;
    /* A machine has new host keys whenever it starts afresh, and nobody stands between it and us. */
    const char *const command[] = {ssh, "-i", address->ssh_key, "-F", "none", "-o", "UserKnownHostsFile=/dev/null",
            "-o", "StrictHostKeyChecking=no", "-o", "LogLevel=ERROR", "-o",
            passes_fd ? "ProxyUseFdpass=yes" : "ProxyUseFdpass=no", "-o", proxy, "root@mkosi"};
    g_autoptr(GPtrArray) words = g_ptr_array_new();
    for (gsize i = 0; i < G_N_ELEMENTS(command); i++)
        g_ptr_array_add(words, (gpointer) command[i]);
    for (char **word = call->arguments->words; *word; word++)
        g_ptr_array_add(words, *word);
    g_ptr_array_add(words, NULL);
    sandbox_setenv(sandbox, "SHELL", "/bin/sh");
    return host_program_run(sandbox, (const char *const *) words->pdata, ret_exit_status, error);
}
