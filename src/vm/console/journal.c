/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vm/console/journal.h"

#include <errno.h>
#include <gio/gio.h>
#include <linux/vm_sockets.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/errors.h"
#include "sandbox/program-packages.h"
#include "sandbox/sandbox.h"
#include "vm/host/host.h"

struct VmJournal {
    SandboxProcess *process;
    char *address;
};

static gboolean socket_error(GError **error) {
    int saved = errno;
    return set_errno_error(error, saved, "ForwardJournal=: Cannot listen for the journal");
}

/* The limits of a journal that keeps everything; a file with compact entries cannot grow beyond 4G. */
static char *make_configuration(gboolean single) {
    return g_strdup_printf(
            "[Remote]\nMaxUse=1T\nKeepFree=1G\nMaxFileSize=4G\nMaxFiles=%d\n", single ? 1 : 100);
}

static gboolean start(VmJournal *journal, const char *output, int listen_fd, GError **error) {
    gboolean single = g_str_has_suffix(output, ".journal");
    g_autofree char *directory = single ? g_path_get_dirname(output) : g_strdup(output);
    g_autofree char *configuration = make_configuration(single);
    g_autofree char *program = g_find_program_in_path("systemd-journal-remote");
    if (!program)
        program = g_strdup("/usr/lib/systemd/systemd-journal-remote");
    if (!g_file_test(program, G_FILE_TEST_IS_EXECUTABLE)) {
        g_autofree char *advice = program_packages_advice("systemd-journal-remote");
        g_set_error(error, VM_ERROR, VM_ERROR_MISSING,
                "ForwardJournal=: systemd-journal-remote is not installed: %s", advice);
        return FALSE;
    }
    if (g_mkdir_with_parents(directory, 0755) < 0)
        return set_errno_error(error, errno, "ForwardJournal=: Cannot make %s", directory);
    g_autofree char *output_option = g_strconcat("--output=", output, NULL);
    const char *const command[] = {
            program, output_option, single ? "--split-mode=none" : "--split-mode=host", NULL};
    g_autoptr(Sandbox) sandbox = vm_sandbox_new(directory);
    sandbox_file(sandbox, "/etc/systemd/journal-remote.conf", configuration, FALSE);
    sandbox_listen_fd(sandbox, listen_fd);
    journal->process = sandbox_spawn(sandbox, command, error);
    return journal->process != NULL;
}

VmJournal *vm_journal_new_unix(const char *output, const char *scratch, GError **error) {
    g_autoptr(VmJournal) journal = g_new0(VmJournal, 1);
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    journal->address = g_build_filename(scratch, "journal", NULL);
    if (g_strlcpy(address.sun_path, journal->address, sizeof(address.sun_path)) >=
            sizeof(address.sun_path)) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_FILENAME_TOO_LONG,
                "ForwardJournal=: %s is too long a path for a socket: use a shorter WorkspaceDirectory=",
                journal->address);
        return NULL;
    }
    AUTO_FD fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *) &address, sizeof(address)) < 0 || listen(fd, 8) < 0 ||
            chmod(journal->address, 0666) < 0) {
        socket_error(error);
        return NULL;
    }
    return start(journal, output, fd, error) ? g_steal_pointer(&journal) : NULL;
}

VmJournal *vm_journal_new_vsock(const char *output, const char *scratch, GError **error) {
    g_autoptr(VmJournal) journal = g_new0(VmJournal, 1);
    struct sockaddr_vm address = {
            .svm_family = AF_VSOCK, .svm_port = VMADDR_PORT_ANY, .svm_cid = VMADDR_CID_ANY};
    socklen_t length = sizeof(address);
    AUTO_FD fd = socket(AF_VSOCK, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *) &address, sizeof(address)) < 0 || listen(fd, 8) < 0 ||
            getsockname(fd, (struct sockaddr *) &address, &length) < 0) {
        socket_error(error);
        return NULL;
    }
    journal->address = g_strdup_printf("vsock-stream:%u:%u", VMADDR_CID_HOST, address.svm_port);
    return start(journal, output, fd, error) ? g_steal_pointer(&journal) : NULL;
}

const char *vm_journal_address(const VmJournal *journal) {
    return journal->address;
}

void vm_journal_free(VmJournal *journal) {
    if (!journal)
        return;
    g_clear_pointer(&journal->process, sandbox_process_free);
    g_free(journal->address);
    g_free(journal);
}
