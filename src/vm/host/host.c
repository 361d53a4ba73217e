/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vm/host/host.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/errors.h"
#include "sandbox/program-packages.h"

G_DEFINE_QUARK(vm - error - quark, vm_error)

char *vm_find_program(const char *program, GError **error) {
    char *path = g_find_program_in_path(program);
    /* Ordinary users often have no sbin in their path. */
    for (const char *const *directory = (const char *const[]){"/usr/sbin", "/sbin", NULL};
            !path && *directory; directory++) {
        path = g_build_filename(*directory, program, NULL);
        if (!g_file_test(path, G_FILE_TEST_IS_EXECUTABLE))
            g_clear_pointer(&path, g_free);
    }
    if (!path) {
        g_autofree char *advice = program_packages_advice(program);
        g_set_error(error, VM_ERROR, VM_ERROR_MISSING, "%s is not installed: %s", program, advice);
    }
    return path;
}

Sandbox *vm_sandbox_new(const char *directory) {
    Sandbox *sandbox = sandbox_new_for_tools(NULL);
    sandbox_bind(sandbox, directory, directory, 0);
    return sandbox;
}

gboolean vm_socket_pair(int *ret_ours, int *ret_theirs, GError **error) {
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
        return set_errno_error(error, errno, "Cannot make a pair of sockets");
    *ret_ours = pair[0];
    *ret_theirs = pair[1];
    return TRUE;
}
