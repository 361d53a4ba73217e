/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vm/qemu/kvm.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "events/events.h"
#include "events/task.h"
#include "vm/host/host.h"
#include "vm/host/storage.h"
#include "vm/qemu/qemu-arguments.h"

/* A firmware shows itself within two or three seconds even on a busy host, if KVM works. */
#define SIGN_OF_LIFE_MS 15000

/* TRUE when something arrives on FD before QEMU ends or the time is over. */
static gboolean wait_for_sign_of_life(int fd) {
    struct pollfd waiting = {.fd = fd, .events = POLLIN};
    char byte;
    int n;
    do
        n = poll(&waiting, 1, SIGN_OF_LIFE_MS);
    while (n < 0 && errno == EINTR && !task_is_cancelled(task_current()));
    return n > 0 && recv(fd, &byte, 1, MSG_DONTWAIT) == 1;
}

static gboolean try_kvm(const char *qemu, const char *architecture, const VmFirmware *firmware,
        const char *scratch, GError **error) {
    AUTO_FD ours = -1, theirs = -1;
    g_autofree char *variables = g_build_filename(scratch, "kvm-variables", NULL);
    if (!vm_socket_pair(&ours, &theirs, error))
        return FALSE;
    if (firmware && !vm_copy_file(firmware->variables, variables, error))
        return FALSE;

    /* QEMU's own BIOS is silent on serial ports, but talks to this debug port. */
    g_autofree char *chardev = g_strdup_printf("socket,id=bios,fd=%d", theirs);
    const char *const bios[] = {
            "-chardev", chardev, "-device", "isa-debugcon,iobase=0x402,chardev=bios", NULL};
    VmDescription vm = {
            .program = qemu,
            .architecture = architecture,
            .firmware = firmware,
            .variables = variables,
            .kvm = TRUE,
            .cpus = 1,
            .ram = 256 << 20,
            .network = NETWORK_NONE,
            .tpm_fd = -1,
            .console = CONSOLE_MODE_HEADLESS,
            .console_fd = firmware ? theirs : -1,
            .report_fd = -1,
            .monitor_fd = -1,
            .extra = firmware ? NULL : (char *const *) bios,
    };
    g_auto(GStrv) arguments = vm_qemu_arguments(&vm);
    g_autoptr(Sandbox) sandbox = vm_sandbox_new(scratch);
    sandbox_bind(sandbox, "/dev/kvm", "/dev/kvm", 0);
    sandbox_pass_fd(sandbox, theirs);
    g_autoptr(SandboxProcess) process = sandbox_spawn(sandbox, (const char *const *) arguments, error);
    if (!process)
        return FALSE;
    cleanup_fd(&theirs);
    return wait_for_sign_of_life(ours);
}

/* What the verdict depends on: the running kernel, the program and the firmware. */
static char *verdict_key(const char *qemu, const VmFirmware *firmware) {
    g_autofree char *boot_id = NULL;
    if (!g_file_get_contents("/proc/sys/kernel/random/boot_id", &boot_id, NULL, NULL))
        return NULL;
    return g_strdup_printf("%s %s %s", g_strstrip(boot_id), qemu, firmware ? firmware->code : "bios");
}

gboolean vm_kvm_works(
        const char *qemu, const char *architecture, const VmFirmware *firmware, const char *scratch) {
    if (access("/dev/kvm", R_OK | W_OK) < 0) {
        events_debug("KVM: /dev/kvm: %s", g_strerror(errno));
        return FALSE;
    }
    g_autofree char *directory = g_build_filename(g_get_user_cache_dir(), "particleos", NULL);
    g_autofree char *path = g_build_filename(directory, "kvm", NULL);
    g_autofree char *key = verdict_key(qemu, firmware);
    g_autofree char *works = g_strdup_printf("%s works\n", key ? key : "");
    g_autofree char *crashes = g_strdup_printf("%s crashes\n", key ? key : "");
    g_autofree char *remembered = NULL;
    if (key && g_file_get_contents(path, &remembered, NULL, NULL)) {
        if (strcmp(remembered, works) == 0)
            return TRUE;
        if (strcmp(remembered, crashes) == 0)
            return FALSE;
    }
    g_autoptr(GError) error = NULL;
    gboolean verdict = try_kvm(qemu, architecture, firmware, scratch, &error);
    events_debug("KVM: %s%s%s", verdict ? "works" : "a guest does not start", error ? ": " : "",
            error ? error->message : "");
    /* Without a cache the next run tries again. */
    if (key && !task_is_cancelled(task_current()) && g_mkdir_with_parents(directory, 0700) == 0)
        g_file_set_contents(path, verdict ? works : crashes, -1, NULL);
    return verdict;
}
