/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vm/machine.h"

#include <errno.h>
#include <glib-unix.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sandbox/sandbox.h"
#include "tree/workspace.h"
#include "ui/cleanup.h"
#include "ui/log.h"
#include "vm/boot-data.h"
#include "vm/host.h"
#include "vm/monitor.h"
#include "vm/notify.h"
#include "vm/qemu-arguments.h"
#include "vm/storage.h"
#include "vm/tpm.h"

/* The image as the build names it: OUTPUT_DIRECTORY/OUTPUT plus these. */
#define SUFFIX_DISK ".raw"
#define SUFFIX_KERNEL ".vmlinuz"
#define SUFFIX_INITRD ".initrd"
#define SUFFIX_VARIABLES ".efinvramstate"
#define SUFFIX_TPM ".tpmstate"

struct VmMachine {
    const ImageConfig *config;
    const VmMachineOptions *options;
    VmDescription description;
    Workspace *workspace;
    VmFirmware *firmware;
    char *program, *disk, *variables, *kernel, *initrd, *command_line;
    /* Ends of sockets that QEMU gets. */
    int tpm_fd, console_fd, report_fd, monitor_fd, vsock_fd;
    SandboxProcess *tpm, *qemu;
    VmMonitor *monitor;
    VmConsole *console, *report;
    VmNotify *notify;
    VmTerminalState *terminal;
    GMainLoop *loop;
    gboolean panicked;
    gboolean interrupted;
    guint resets;
};

static gboolean unsupported(GError **error, const char *what) {
    g_set_error(
            error, VM_ERROR, VM_ERROR_UNSUPPORTED, "%s is not implemented yet for virtual machines", what);
    return FALSE;
}

/* A setting that we do not act on is an error, never ignored. */
static gboolean check_supported(const ImageConfig *config, GError **error) {
    if (config->format != OUTPUT_FORMAT_DISK)
        return unsupported(error, "Booting an output that is not a disk (Format=)");
    if (config->virtual_machine_monitor != VMM_QEMU)
        return unsupported(error, "VirtualMachineMonitor=vmspawn");
    if (config->runtime_network == NETWORK_INTERFACE)
        return unsupported(error, "RuntimeNetwork=interface");
    if (config->forward_journal)
        return unsupported(error, "ForwardJournal=");
    if (config->runtime_trees[0] || config->runtime_build_sources)
        return unsupported(error, "RuntimeTrees= or RuntimeBuildSources=");
    if (config->bind_user)
        return unsupported(error, "BindUser=");
    if (config->register_machine == FEATURE_ENABLED)
        return unsupported(error, "Register=yes");
    return TRUE;
}

static char *output_path(const ImageConfig *config, const char *suffix) {
    g_autofree char *name = g_strconcat(config->output, suffix, NULL);
    return g_build_filename(config->output_directory, name, NULL);
}

/* "custom" would enrol the recipe's keys ahead of time; our images enrol them themselves. */
static gboolean wants_microsoft_keys(const char *variables) {
    return g_strcmp0(variables, "microsoft") == 0;
}

static gboolean find_firmware(VmMachine *machine, GError **error) {
    const ImageConfig *config = machine->config;
    if (config->firmware == FIRMWARE_LINUX || config->firmware == FIRMWARE_LINUX_NOINITRD)
        return TRUE;
    const char *variables = config->firmware_variables;
    if (g_strcmp0(variables, "custom") == 0 || g_strcmp0(variables, "microsoft-mok") == 0)
        return unsupported(error, "FirmwareVariables=custom or microsoft-mok");
    VmFirmwareWish wish = {
            .architecture = machine->description.architecture,
            .secure_boot = config->firmware != FIRMWARE_UEFI,
            .enrolled_keys = wants_microsoft_keys(variables),
    };
    g_autoptr(GError) failure = NULL;
    machine->firmware = vm_firmware_find(&wish, NULL, &failure);
    if (!machine->firmware && config->firmware == FIRMWARE_AUTO && !wish.enrolled_keys) {
        wish.secure_boot = FALSE;
        machine->firmware = vm_firmware_find(&wish, NULL, NULL);
        if (machine->firmware)
            ui_warning("%s; booting without Secure Boot", failure->message);
    }
    if (!machine->firmware)
        g_propagate_error(error, g_steal_pointer(&failure));
    return machine->firmware != NULL;
}

static gboolean prepare_variables(VmMachine *machine, GError **error) {
    if (!machine->firmware)
        return TRUE;
    const char *setting = machine->config->firmware_variables;
    const char *template =
            setting && !wants_microsoft_keys(setting) ? setting : machine->firmware->variables;
    machine->variables = machine->options->ephemeral
                                 ? g_build_filename(workspace_path(machine->workspace), "variables", NULL)
                                 : output_path(machine->config, SUFFIX_VARIABLES);
    if (!machine->options->ephemeral && g_file_test(machine->variables, G_FILE_TEST_EXISTS))
        return TRUE;
    return vm_copy_file(template, machine->variables, error);
}

static gboolean prepare_disk(VmMachine *machine, GError **error) {
    const ImageConfig *config = machine->config;
    VmDescription *vm = &machine->description;
    g_autofree char *image = output_path(config, SUFFIX_DISK);
    if (!g_file_test(image, G_FILE_TEST_EXISTS)) {
        g_set_error(error, VM_ERROR, VM_ERROR_MISSING,
                "There is no image %s: build it first with '%s build'", image, "particleos");
        return FALSE;
    }
    if (machine->options->ephemeral) {
        machine->disk = g_build_filename(workspace_path(machine->workspace), "disk.qcow2", NULL);
        vm->disk_format = "qcow2";
        return vm_make_overlay(image, machine->disk, config->runtime_size, error);
    }
    machine->disk = g_steal_pointer(&image);
    vm->disk_format = "raw";
    return config->runtime_size == 0 || vm_grow_image(machine->disk, config->runtime_size, error);
}

static gboolean prepare_drives(VmMachine *machine, GError **error) {
    for (RecipeDrive **drive = machine->config->drives; *drive; drive++) {
        g_autofree char *path = vm_make_drive(*drive, workspace_path(machine->workspace), error);
        if (!path)
            return FALSE;
        g_ptr_array_add(machine->description.drives,
                vm_drive_new((*drive)->id, path, (*drive)->options, (*drive)->file_id));
    }
    return TRUE;
}

static gboolean prepare_tpm(VmMachine *machine, GError **error) {
    if (machine->config->tpm == FEATURE_DISABLED)
        return TRUE;
    g_autofree char *state = machine->options->ephemeral
                                     ? g_build_filename(workspace_path(machine->workspace), "tpm", NULL)
                                     : output_path(machine->config, SUFFIX_TPM);
    g_autoptr(GError) failure = NULL;
    machine->tpm = vm_tpm_start(state, &machine->tpm_fd, &failure);
    if (machine->tpm)
        return TRUE;
    if (machine->config->tpm == FEATURE_AUTO && g_error_matches(failure, VM_ERROR, VM_ERROR_MISSING)) {
        ui_warning("%s; the machine has no TPM", failure->message);
        return TRUE;
    }
    g_propagate_error(error, g_steal_pointer(&failure));
    return FALSE;
}

static gboolean prepare_vsock(VmMachine *machine, GError **error) {
    const ImageConfig *config = machine->config;
    if (config->vsock == FEATURE_DISABLED ||
            (config->vsock == FEATURE_AUTO && access("/dev/vhost-vsock", R_OK | W_OK) < 0))
        return TRUE;
    VmDescription *vm = &machine->description;
    machine->vsock_fd = vm_vsock_open(config->vsock_cid, machine->disk, &vm->vsock_cid, error);
    machine->notify = machine->vsock_fd < 0 ? NULL : vm_notify_new(error);
    if (!machine->notify)
        return FALSE;
    g_autofree char *address = vm_notify_address(machine->notify);
    return vm_add_credential(vm->oem_strings, "vmm.notify_socket", address, strlen(address),
            workspace_path(machine->workspace), error);
}

static void append_words(GString *line, char *const *words) {
    for (; words && *words; words++)
        g_string_append_printf(line, "%s%s", line->len > 0 ? " " : "", *words);
}

/* Tells the guest what kind of terminal its serial console is. */
static void append_terminal(GString *line, const char *console) {
    struct winsize size;
    const char *term = g_getenv("TERM");
    if (!isatty(STDOUT_FILENO) || ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) < 0)
        return;
    if (term && *term)
        g_string_append_printf(line, " systemd.tty.term.%s=%s", console, term);
    if (size.ws_row > 0 && size.ws_col > 0)
        g_string_append_printf(line, " systemd.tty.rows.%s=%u systemd.tty.columns.%s=%u", console,
                size.ws_row, console, size.ws_col);
}

static gboolean has_serial_console(const VmMachine *machine) {
    ConsoleMode mode = machine->config->console;
    return machine->options->on_console || mode == CONSOLE_MODE_NATIVE || mode == CONSOLE_MODE_INTERACTIVE ||
           mode == CONSOLE_MODE_READ_ONLY;
}

static void prepare_command_line(VmMachine *machine) {
    const ImageConfig *config = machine->config;
    const char *console = vm_serial_console(machine->description.architecture);
    g_autoptr(GString) extra = g_string_new(NULL);
    if (has_serial_console(machine)) {
        g_string_append_printf(extra, "console=%s", console);
        append_terminal(extra, console);
    }
    append_words(extra, config->kernel_command_line_extra);
    append_words(extra, machine->options->kernel_command_line);
    if (machine->firmware) {
        vm_add_command_line(machine->description.oem_strings, extra->str);
        return;
    }
    g_autoptr(GString) line = g_string_new(NULL);
    append_words(line, config->kernel_command_line);
    g_string_append_printf(line, " %s", extra->str);
    machine->command_line = g_string_free(g_steal_pointer(&line), FALSE);
}

static gboolean prepare_credentials(VmMachine *machine, GError **error) {
    GPtrArray *strings = machine->description.oem_strings;
    const char *scratch = workspace_path(machine->workspace);
    if (!vm_add_credentials(strings, machine->config->credentials, scratch, error))
        return FALSE;
    for (char *const *pair = machine->options->credentials; pair && *pair; pair += 2)
        if (!vm_add_credential(strings, pair[0], pair[1], strlen(pair[1]), scratch, error))
            return FALSE;
    return TRUE;
}

static gboolean prepare_kernel(VmMachine *machine, GError **error) {
    const ImageConfig *config = machine->config;
    if (machine->firmware)
        return TRUE;
    machine->kernel =
            config->linux_image ? g_strdup(config->linux_image) : output_path(config, SUFFIX_KERNEL);
    if (config->firmware == FIRMWARE_LINUX)
        machine->initrd = output_path(config, SUFFIX_INITRD);
    const char *const files[] = {machine->kernel, machine->initrd};
    for (gsize i = 0; i < G_N_ELEMENTS(files); i++)
        if (files[i] && !g_file_test(files[i], G_FILE_TEST_EXISTS)) {
            g_set_error(error, VM_ERROR, VM_ERROR_MISSING,
                    "There is no %s for Firmware=%s: build with SplitArtifacts=kernel,initrd, or name a "
                    "kernel "
                    "with Linux=",
                    files[i], firmware_to_string(config->firmware));
            return FALSE;
        }
    return TRUE;
}

static gboolean prepare_kvm(VmMachine *machine, GError **error) {
    const ImageConfig *config = machine->config;
    VmDescription *vm = &machine->description;
    if (config->kvm == FEATURE_DISABLED || config->architecture != architecture_native())
        return TRUE;
    if (config->kvm == FEATURE_ENABLED && access("/dev/kvm", R_OK | W_OK) < 0) {
        g_set_error(error, VM_ERROR, VM_ERROR_MISSING,
                "KVM=yes, but /dev/kvm cannot be opened (%s): use KVM=auto, or add yourself to the group "
                "kvm",
                g_strerror(errno));
        return FALSE;
    }
    vm->kvm =
            config->kvm == FEATURE_ENABLED || vm_kvm_works(machine->program, vm->architecture,
                                                      machine->firmware, workspace_path(machine->workspace));
    return TRUE;
}

static gboolean find_qemu(VmMachine *machine, GError **error) {
    const char *architecture = machine->description.architecture;
    g_autofree char *name = g_strdup_printf("qemu-system-%s", architecture);
    machine->program = vm_find_program(
            name, strcmp(architecture, "x86_64") == 0 ? "qemu-system-x86" : "qemu-system-arm", error);
    return machine->program != NULL;
}

static guint count_cpus(const ImageConfig *config) {
    return config->cpus > 0 ? config->cpus : g_get_num_processors();
}

/* The parts of the description that only depend on the recipe. */
static gboolean describe(VmMachine *machine, GError **error) {
    const ImageConfig *config = machine->config;
    VmDescription *vm = &machine->description;
    vm->architecture = architecture_to_qemu(config->architecture);
    if (g_strcmp0(vm->architecture, "x86_64") != 0 && g_strcmp0(vm->architecture, "aarch64") != 0) {
        g_set_error(error, VM_ERROR, VM_ERROR_UNSUPPORTED,
                "Virtual machines of architecture %s are not supported",
                architecture_to_string(config->architecture));
        return FALSE;
    }
    vm->name = config->machine;
    vm->cpus = count_cpus(config);
    vm->ram = config->ram;
    vm->max_mem = config->max_mem;
    vm->cxl = config->cxl;
    vm->disk_type = config->disk_type;
    vm->removable = config->removable;
    vm->network = config->runtime_network;
    vm->console = machine->options->on_console ? CONSOLE_MODE_HEADLESS : config->console;
    vm->extra = config->qemu_args;
    vm->oem_strings = g_ptr_array_new_with_free_func((GDestroyNotify) vm_oem_string_free);
    vm->drives = g_ptr_array_new_with_free_func((GDestroyNotify) vm_drive_free);
    return TRUE;
}

static gboolean prepare(VmMachine *machine, GError **error) {
    const ImageConfig *config = machine->config;
    if (!check_supported(config, error) || !describe(machine, error) || !find_qemu(machine, error) ||
            !find_firmware(machine, error))
        return FALSE;
    machine->workspace =
            workspace_new(config->workspace_directory ? config->workspace_directory : "/var/tmp", error);
    if (!machine->workspace)
        return FALSE;
    prepare_command_line(machine);
    return prepare_disk(machine, error) && prepare_variables(machine, error) &&
           prepare_drives(machine, error) && prepare_kernel(machine, error) &&
           prepare_credentials(machine, error) && prepare_vsock(machine, error) &&
           prepare_kvm(machine, error) && prepare_tpm(machine, error);
}

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
            ui_info("Console of the machine: press Ctrl-] three times within a second to end it");
        machine->console = vm_console_new(ours, interactive, options->on_console, on_quit,
                options->on_console ? options->data : (gpointer) machine);
    } else if (mode == CONSOLE_MODE_NATIVE) {
        ui_info("Console of the machine: press Ctrl-a x to end it, Ctrl-a c for QEMU's monitor");
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
    Sandbox *sandbox = vm_sandbox_new(workspace_path(machine->workspace));
    sandbox_bind(sandbox, config->output_directory, config->output_directory,
            machine->options->ephemeral ? SANDBOX_READ_ONLY : 0);
    for (RecipeDrive **drive = config->drives; *drive; drive++)
        if ((*drive)->directory)
            sandbox_bind(sandbox, (*drive)->directory, (*drive)->directory, 0);
    if (config->linux_image)
        sandbox_bind(sandbox, config->linux_image, config->linux_image, SANDBOX_READ_ONLY);
    static const char *const devices[] = {"/dev/kvm", "/dev/vhost-vsock", "/dev/vhost-net", "/dev/dri"};
    for (gsize i = 0; i < G_N_ELEMENTS(devices); i++)
        sandbox_bind(sandbox, devices[i], devices[i], SANDBOX_OPTIONAL);
    sandbox_bind(sandbox, "/sys", "/sys", SANDBOX_READ_ONLY | SANDBOX_OPTIONAL);
    sandbox_network(sandbox, config->runtime_network == NETWORK_USER || config->qemu_args[0]);
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
    VmDescription *vm = &machine->description;
    int ours = -1;
    if (!connect_console(machine, error) || !vm_socket_pair(&ours, &machine->monitor_fd, error))
        return FALSE;
    machine->monitor = vm_monitor_new(ours, on_event, machine);

    vm->program = machine->program;
    vm->firmware = machine->firmware;
    vm->variables = machine->variables;
    vm->disk = machine->disk;
    vm->kernel = machine->kernel;
    vm->initrd = machine->initrd;
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
    return machine->qemu != NULL;
}

VmMachine *vm_machine_start(const ImageConfig *config, const VmMachineOptions *options, GError **error) {
    g_autoptr(VmMachine) machine = g_new0(VmMachine, 1);
    machine->config = config;
    machine->options = options;
    machine->tpm_fd = machine->console_fd = machine->report_fd = machine->monitor_fd = machine->vsock_fd =
            -1;
    machine->loop = g_main_loop_new(NULL, FALSE);
    if (!prepare(machine, error) || !start_qemu(machine, error)) {
        g_prefix_error(error, "Cannot start the virtual machine: ");
        return NULL;
    }
    return g_steal_pointer(&machine);
}

static gboolean on_signal(gpointer data) {
    VmMachine *machine = data;
    /* Somebody who insists does not wait for QEMU. */
    if (machine->interrupted)
        sandbox_cancel_all();
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
        ui_warning("The kernel of the machine panicked");
        *ret_status = 1;
        return TRUE;
    }
    if (status != 0) {
        g_autofree char *log = sandbox_process_log(machine->qemu);
        g_set_error(error, VM_ERROR, VM_ERROR_MACHINE, "QEMU ended with status %d%s%s", status,
                *log ? ": " : "", g_strchomp(log));
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
    vm_monitor_free(machine->monitor);
    vm_console_free(machine->console);
    vm_console_free(machine->report);
    vm_notify_free(machine->notify);
    vm_terminal_restore(machine->terminal);
    int *const fds[] = {&machine->tpm_fd, &machine->console_fd, &machine->report_fd, &machine->monitor_fd,
            &machine->vsock_fd};
    for (gsize i = 0; i < G_N_ELEMENTS(fds); i++)
        cleanup_fd(fds[i]);
    g_clear_pointer(&machine->description.oem_strings, g_ptr_array_unref);
    g_clear_pointer(&machine->description.drives, g_ptr_array_unref);
    vm_firmware_free(machine->firmware);
    g_free(machine->program);
    g_free(machine->disk);
    g_free(machine->variables);
    g_free(machine->kernel);
    g_free(machine->initrd);
    g_free(machine->command_line);
    if (machine->loop)
        g_main_loop_unref(machine->loop);
    workspace_free(machine->workspace);
    g_free(machine);
}
