/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vm/machine/machine-private.h"

#include <glib-unix.h>
#include <signal.h>
#include <string.h>

#include "base/cleanup.h"
#include "events/events.h"
#include "events/printable.h"
#include "events/task.h"
#include "recipe/result/recipe.h"
#include "vm/host/host.h"
#include "vm/host/storage.h"

static void on_event(const char *event, gpointer data) {
    VmMachine *machine = data;
    if (!event)
        g_main_loop_quit(machine->loop);
    else if (strcmp(event, "GUEST_PANICKED") == 0)
        machine->panicked = TRUE;
    else if (strcmp(event, "RESET") == 0)
        machine->resets++;
}

static void on_quit(gpointer data) {
    vm_machine_quit(data);
}

static gboolean connect_console(VmMachine *machine, GError **error) {
    const VmMachineOptions *options = machine->options;
    ConsoleMode mode = machine->config->console;
    int ours = -1;
    gboolean proxied =
            options->on_console || mode == CONSOLE_MODE_INTERACTIVE || mode == CONSOLE_MODE_READ_ONLY;
    if (proxied) {
        if (!vm_socket_pair(&ours, &machine->console_fd, error))
            return FALSE;
        gboolean interactive = !options->on_console && mode == CONSOLE_MODE_INTERACTIVE;
        if (interactive)
            events_info("Console of the machine: press Ctrl-] three times within a second to end it");
        machine->console = vm_console_new(ours, interactive, options->on_console, on_quit,
                options->on_console ? options->data : (gpointer) machine);
    } else if (mode == CONSOLE_MODE_NATIVE) {
        events_info("Console of the machine: press Ctrl-a x to end it, Ctrl-a c for QEMU's monitor");
        machine->terminal = vm_terminal_save();
    }
    if (!options->on_report)
        return TRUE;
    if (!vm_socket_pair(&ours, &machine->report_fd, error))
        return FALSE;
    machine->report = vm_console_new(ours, FALSE, options->on_report, NULL, options->data);
    return TRUE;
}

/* What QEMU may see and touch besides programs. */
static Sandbox *make_sandbox(const VmMachine *machine) {
    const ImageConfig *config = machine->config;
    /* Arguments of the user's own may name anything. */
    if (machine->extra[0]) {
        Sandbox *host = sandbox_new_for_host();
        if (machine->description.console == CONSOLE_MODE_NATIVE)
            sandbox_interactive(host);
        return host;
    }
    Sandbox *sandbox = vm_sandbox_new(workspace_path(machine->workspace));
    const char *outputs = image_config_output_directory(config);
    sandbox_bind(sandbox, outputs, outputs, machine->options->ephemeral ? SANDBOX_READ_ONLY : 0);
    for (RecipeDrive **drive = config->drives; *drive; drive++)
        if ((*drive)->directory)
            sandbox_bind(sandbox, (*drive)->directory, (*drive)->directory, 0);
    if (machine->boot->kernel)
        sandbox_bind(sandbox, machine->boot->kernel, machine->boot->kernel, SANDBOX_READ_ONLY);
    static const char *const devices[] = {
            "/dev/kvm", "/dev/vhost-vsock", "/dev/vhost-net", "/dev/dri", "/dev/net/tun"};
    for (gsize i = 0; i < G_N_ELEMENTS(devices); i++)
        sandbox_bind(sandbox, devices[i], devices[i], SANDBOX_OPTIONAL);
    sandbox_bind(sandbox, "/sys", "/sys", SANDBOX_READ_ONLY | SANDBOX_OPTIONAL);
    sandbox_network(sandbox, config->runtime_network != NETWORK_NONE);
    /* An interface of the host is made by root of the host. */
    if (config->runtime_network == NETWORK_INTERFACE)
        sandbox_privileges(sandbox, SANDBOX_PRIVILEGES_HOST);
    if (machine->description.console == CONSOLE_MODE_NATIVE)
        sandbox_interactive(sandbox);
    return sandbox;
}

/* The window of Console=gui. */
static void add_display(Sandbox *sandbox) {
    static const char *const variables[] = {
            "DISPLAY", "WAYLAND_DISPLAY", "XAUTHORITY", "XDG_RUNTIME_DIR", "XDG_SESSION_TYPE"};
    for (gsize i = 0; i < G_N_ELEMENTS(variables); i++)
        if (g_getenv(variables[i]))
            sandbox_setenv(sandbox, variables[i], g_getenv(variables[i]));
    sandbox_bind(sandbox, "/tmp/.X11-unix", "/tmp/.X11-unix", SANDBOX_OPTIONAL);
    const char *const paths[] = {g_getenv("XDG_RUNTIME_DIR"), g_getenv("XAUTHORITY")};
    for (gsize i = 0; i < G_N_ELEMENTS(paths); i++)
        if (paths[i])
            sandbox_bind(sandbox, paths[i], paths[i], SANDBOX_OPTIONAL);
}

static gboolean start_qemu(VmMachine *machine, GError **error) {
    const ImageConfig *config = machine->config;
    VmDescription *vm = &machine->description;
    int ours = -1;
    if (!connect_console(machine, error) || !vm_socket_pair(&ours, &machine->monitor_fd, error))
        return FALSE;
    machine->monitor = vm_monitor_new(ours, on_event, machine);

    vm->program = machine->program;
    vm->firmware = machine->firmware;
    vm->variables = machine->variables;
    vm->disk = machine->disk;
    vm->kernel = machine->boot->kernel;
    vm->initrd = machine->boot->initrd;
    vm->kernel_command_line = machine->command_line;
    vm->tpm_fd = machine->tpm_fd;
    vm->console_fd = machine->console_fd;
    vm->report_fd = machine->report_fd;
    vm->monitor_fd = machine->monitor_fd;
    vm->vsock_fd = machine->vsock_fd;
    g_auto(GStrv) arguments = vm_qemu_arguments(vm);

    g_autoptr(Sandbox) sandbox = make_sandbox(machine);
    if (vm->console == CONSOLE_MODE_GUI)
        add_display(sandbox);
    int *const fds[] = {&machine->tpm_fd, &machine->console_fd, &machine->report_fd, &machine->monitor_fd,
            &machine->vsock_fd};
    for (gsize i = 0; i < G_N_ELEMENTS(fds); i++)
        if (*fds[i] >= 0)
            sandbox_pass_fd(sandbox, *fds[i]);
    machine->qemu = sandbox_spawn(sandbox, (const char *const *) arguments, error);
    /* Only QEMU holds these now, so that their end is its end. */
    for (gsize i = 0; i < G_N_ELEMENTS(fds); i++)
        cleanup_fd(fds[i]);
    if (!machine->qemu || !machine->registers)
        return machine->qemu != NULL;
    g_autofree char *image = vm_image_path(config);
    return vm_register(config, sandbox_process_pid(machine->qemu), image, vm->vsock_cid, error);
}

VmMachine *vm_machine_start(const ImageConfig *config, const VmMachineOptions *options, GError **error) {
    g_autoptr(VmMachine) machine = g_new0(VmMachine, 1);
    machine->config = config;
    machine->options = options;
    machine->tpm_fd = machine->console_fd = machine->report_fd = machine->monitor_fd = machine->vsock_fd =
            -1;
    machine->loop = g_main_loop_new(NULL, FALSE);
    if (!vm_machine_prepare(machine, error) || !start_qemu(machine, error)) {
        g_prefix_error(error, "Cannot start the virtual machine: ");
        return NULL;
    }
    return g_steal_pointer(&machine);
}

static gboolean on_signal(gpointer data) {
    VmMachine *machine = data;
    /* Somebody who insists does not wait for QEMU. */
    if (machine->interrupted)
        task_cancel(task_current());
    machine->interrupted = TRUE;
    vm_machine_quit(machine);
    return G_SOURCE_CONTINUE;
}

/* So that the terminal is put back and the workspace removed before we go. */
static void run_loop(VmMachine *machine) {
    static const int signals[] = {SIGINT, SIGTERM, SIGHUP};
    guint sources[G_N_ELEMENTS(signals)];
    for (gsize i = 0; i < G_N_ELEMENTS(signals); i++)
        sources[i] = g_unix_signal_add(signals[i], on_signal, machine);
    g_main_loop_run(machine->loop);
    for (gsize i = 0; i < G_N_ELEMENTS(signals); i++)
        g_source_remove(sources[i]);
}

/* A helper that ended before QEMU did is the likely cause. */
static void add_helper(GString *text, const char *name, SandboxProcess *helper) {
    int status = 0;

    if (!helper || sandbox_process_running(helper) || !sandbox_process_wait(helper, &status, NULL) ||
            status == 0)
        return;
    g_autofree char *log = sandbox_process_log(helper);
    g_autofree char *tail = printable_tail(log, strlen(log));
    g_string_append_printf(text, "\n%s ended with %s %d%s%s", name, status > 128 ? "signal" : "status",
            status > 128 ? status - 128 : status, *tail ? ":" : "", tail);
}

static void set_failure(const VmMachine *machine, int status, GError **error) {
    g_autofree char *log = sandbox_process_log(machine->qemu);
    g_autofree char *tail = printable_tail(log, strlen(log));
    g_autofree char *advice = sandbox_process_advice(machine->qemu);
    g_autoptr(GString) helpers = g_string_new(NULL);

    add_helper(helpers, "swtpm", machine->tpm);
    for (guint i = 0; machine->shares && i < machine->shares->len; i++)
        add_helper(helpers, "virtiofsd", machine->shares->pdata[i]);
    g_set_error(error, VM_ERROR, VM_ERROR_MACHINE, "QEMU (%s) ended with %s %d%s%s%s%s%s", machine->program,
            status > 128 ? "signal" : "status", status > 128 ? status - 128 : status, *tail ? ":" : "", tail,
            helpers->str, advice ? "\n" : "", advice ? advice : "");
}

gboolean vm_machine_wait(VmMachine *machine, int *ret_status, GError **error) {
    int status;
    run_loop(machine);
    if (!sandbox_process_wait(machine->qemu, &status, error))
        return FALSE;
    if (machine->console)
        vm_console_drain(machine->console);
    if (machine->report)
        vm_console_drain(machine->report);
    g_clear_pointer(&machine->terminal, vm_terminal_restore);
    if (machine->interrupted) {
        g_set_error_literal(error, VM_ERROR, VM_ERROR_INTERRUPTED, "The machine was interrupted");
        return FALSE;
    }
    if (machine->panicked) {
        events_warning("The kernel of the machine panicked");
        *ret_status = 1;
        return TRUE;
    }
    if (status != 0) {
        set_failure(machine, status, error);
        return FALSE;
    }
    int announced = machine->notify ? vm_notify_exit_status(machine->notify) : -1;
    *ret_status = MAX(announced, 0);
    return TRUE;
}

void vm_machine_answer(VmMachine *machine, const char *text) {
    vm_console_send(machine->report, text);
}

void vm_machine_power_button(VmMachine *machine) {
    vm_monitor_power_button(machine->monitor);
}

void vm_machine_quit(VmMachine *machine) {
    vm_monitor_quit(machine->monitor);
}

gboolean vm_machine_uses_kvm(const VmMachine *machine) {
    return machine->description.kvm;
}

guint vm_machine_resets(const VmMachine *machine) {
    return machine->resets;
}

void vm_machine_free(VmMachine *machine) {
    if (!machine)
        return;
    g_clear_pointer(&machine->qemu, sandbox_process_free);
    g_clear_pointer(&machine->tpm, sandbox_process_free);
    g_clear_pointer(&machine->shares, g_ptr_array_unref);
    vm_journal_free(machine->journal);
    vm_state_free(machine->state);
    vm_monitor_free(machine->monitor);
    vm_console_free(machine->console);
    vm_console_free(machine->report);
    vm_notify_free(machine->notify);
    vm_terminal_restore(machine->terminal);
    int *const fds[] = {&machine->tpm_fd, &machine->console_fd, &machine->report_fd, &machine->monitor_fd,
            &machine->vsock_fd};
    for (gsize i = 0; i < G_N_ELEMENTS(fds); i++)
        cleanup_fd(fds[i]);
    for (RecipeDrive **drive = machine->config->drives; machine->drives_made && *drive; drive++)
        vm_remove_drive(*drive);
    g_clear_pointer(&machine->description.oem_strings, g_ptr_array_unref);
    g_clear_pointer(&machine->description.drives, g_ptr_array_unref);
    g_clear_pointer(&machine->description.shares, g_ptr_array_unref);
    vm_firmware_free(machine->firmware);
    g_free(machine->program);
    g_free(machine->disk);
    g_free(machine->variables);
    vm_direct_boot_free(machine->boot);
    g_strfreev(machine->extra);
    g_clear_pointer(&machine->credentials, g_ptr_array_unref);
    g_free(machine->command_line);
    if (machine->loop)
        g_main_loop_unref(machine->loop);
    workspace_free(machine->workspace);
    g_free(machine);
}
