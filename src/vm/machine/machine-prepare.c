/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "events/events.h"
#include "vm/container/container.h"
#include "vm/host/host.h"
#include "vm/host/storage.h"
#include "vm/host/tpm.h"
#include "vm/host/virtiofs.h"
#include "vm/machine/machine-private.h"
#include "vm/qemu/boot-data.h"
#include "vm/qemu/kvm.h"

/* The image as the build names it: OUTPUT_DIRECTORY/OUTPUT plus these. */
#define SUFFIX_VARIABLES ".efinvramstate"
#define SUFFIX_TPM ".tpmstate"

static gboolean unsupported(GError **error, const char *format, ...) G_GNUC_PRINTF(2, 3);
static gboolean unsupported(GError **error, const char *format, ...) {
    va_list list;
    va_start(list, format);
    if (error)
        *error = g_error_new_valist(VM_ERROR, VM_ERROR_UNSUPPORTED, format, list);
    va_end(list);
    return FALSE;
}

/* A setting that we do not act on is an error, never ignored. */
static gboolean check_supported(const ImageConfig *config, GError **error) {
    switch (config->format) {
    case OUTPUT_FORMAT_DISK:
    case OUTPUT_FORMAT_ESP:
    case OUTPUT_FORMAT_UKI:
    case OUTPUT_FORMAT_CPIO:
    case OUTPUT_FORMAT_DIRECTORY:
        break;
    default:
        return unsupported(error,
                "Format=%s cannot be booted; Format=disk, esp, uki, cpio and directory can",
                output_format_to_string(config->format));
    }
    if (config->compress_output != COMPRESSION_NONE && config->format == OUTPUT_FORMAT_DISK)
        return unsupported(error, "A compressed disk cannot be booted: build it with CompressOutput=no");
    if (config->virtual_machine_monitor != VMM_QEMU)
        return unsupported(error, "--until-login needs VirtualMachineMonitor=qemu");
    if (config->bind_user)
        return unsupported(error, "BindUser=yes works for the verbs shell and boot, and for "
                                  "VirtualMachineMonitor=vmspawn, not for QEMU");
    if (config->runtime_network == NETWORK_INTERFACE && !sandbox_is_real_root())
        return unsupported(error,
                "RuntimeNetwork=interface needs root: run particleos with sudo or run0, or "
                "use RuntimeNetwork=user");
    return TRUE;
}

static gboolean is_mok(const char *variables) {
    return g_strcmp0(variables, "microsoft-mok") == 0;
}

static gboolean is_custom(const char *variables) {
    return g_strcmp0(variables, "custom") == 0;
}

static gboolean wants_microsoft_keys(const char *variables) {
    return g_strcmp0(variables, "microsoft") == 0 || is_mok(variables);
}

static gboolean find_firmware(VmMachine *machine, GError **error) {
    const ImageConfig *config = machine->config;
    Firmware kind = machine->boot->firmware;
    if (kind == FIRMWARE_LINUX || kind == FIRMWARE_LINUX_NOINITRD)
        return TRUE;
    const char *variables = config->firmware_variables;
    if ((is_custom(variables) || is_mok(variables)) && !config->secure_boot_certificate)
        return unsupported(error,
                "FirmwareVariables=%s needs the certificate that it enrols: SecureBootCertificate=",
                variables);
    VmFirmwareWish wish = {
            .architecture = machine->description.architecture,
            .secure_boot = kind != FIRMWARE_UEFI,
            .enrolled_keys = wants_microsoft_keys(variables),
    };
    g_autoptr(GError) failure = NULL;
    machine->firmware = vm_firmware_find(&wish, NULL, &failure);
    if (!machine->firmware && config->firmware == FIRMWARE_AUTO && !wish.enrolled_keys) {
        wish.secure_boot = FALSE;
        machine->firmware = vm_firmware_find(&wish, NULL, NULL);
        if (machine->firmware)
            events_warning("%s; booting without Secure Boot", failure->message);
    }
    if (!machine->firmware)
        g_propagate_error(error, g_steal_pointer(&failure));
    return machine->firmware != NULL;
}

static gboolean prepare_variables(VmMachine *machine, GError **error) {
    if (!machine->firmware)
        return TRUE;
    const char *setting = machine->config->firmware_variables;
    gboolean own_keys = is_custom(setting) || is_mok(setting);
    const char *template =
            setting && !own_keys && !wants_microsoft_keys(setting) ? setting : machine->firmware->variables;
    machine->variables = machine->options->ephemeral
                                 ? g_build_filename(workspace_path(machine->workspace), "variables", NULL)
                                 : vm_output_path(machine->config, SUFFIX_VARIABLES);
    if (!machine->options->ephemeral && g_file_test(machine->variables, G_FILE_TEST_EXISTS))
        return TRUE;
    return own_keys ? vm_enrol_keys(template, machine->variables, machine->config->secure_boot_certificate,
                              is_mok(setting), error)
                    : vm_copy_file(template, machine->variables, error);
}

static gboolean prepare_disk(VmMachine *machine, GError **error) {
    const ImageConfig *config = machine->config;
    VmDescription *vm = &machine->description;
    g_autofree char *image = vm_image_path(config);
    gboolean disk = config->format == OUTPUT_FORMAT_DISK;
    if (!g_file_test(image, G_FILE_TEST_EXISTS)) {
        g_set_error(error, VM_ERROR, VM_ERROR_MISSING,
                "There is no image %s: build it first with '%s build'", image, "particleos");
        return FALSE;
    }
    if (!disk && config->format != OUTPUT_FORMAT_ESP)
        return TRUE;
    if (machine->options->ephemeral) {
        machine->disk = g_build_filename(workspace_path(machine->workspace), "disk.qcow2", NULL);
        vm->disk_format = "qcow2";
        return vm_make_overlay(image, machine->disk, disk ? config->runtime_size : 0, error);
    }
    machine->disk = g_steal_pointer(&image);
    vm->disk_format = "raw";
    return !disk || config->runtime_size == 0 || vm_grow_image(machine->disk, config->runtime_size, error);
}

static gboolean prepare_drives(VmMachine *machine, GError **error) {
    machine->drives_made = TRUE;
    for (RecipeDrive **drive = machine->config->drives; *drive; drive++) {
        RecipeDrive **first = machine->config->drives;
        while (first < drive && g_strcmp0((*first)->file_id, (*drive)->file_id) != 0)
            first++;
        g_autofree char *path =
                vm_make_drive(*first, first < drive, workspace_path(machine->workspace), error);
        if (!path)
            return FALSE;
        g_ptr_array_add(machine->description.drives, vm_drive_new((*drive)->id, path, (*drive)->options));
    }
    return TRUE;
}

static gboolean prepare_tpm(VmMachine *machine, GError **error) {
    if (machine->config->tpm == FEATURE_DISABLED)
        return TRUE;
    g_autofree char *state = machine->options->ephemeral
                                     ? g_build_filename(workspace_path(machine->workspace), "tpm", NULL)
                                     : vm_output_path(machine->config, SUFFIX_TPM);
    g_autoptr(GError) failure = NULL;
    machine->tpm = vm_tpm_start(state, &machine->tpm_fd, &failure);
    if (machine->tpm)
        return TRUE;
    if (machine->config->tpm == FEATURE_AUTO && g_error_matches(failure, VM_ERROR, VM_ERROR_MISSING)) {
        events_warning("%s; the machine has no TPM", failure->message);
        return TRUE;
    }
    g_propagate_error(error, g_steal_pointer(&failure));
    return FALSE;
}

static gboolean set_credential(VmMachine *machine, const char *name, const char *value, GError **error) {
    return vm_credentials_set(machine->credentials, name, value, strlen(value), error);
}

static gboolean prepare_vsock(VmMachine *machine, GError **error) {
    const ImageConfig *config = machine->config;
    VmDescription *vm = &machine->description;
    if (config->vsock == FEATURE_DISABLED ||
            (config->vsock == FEATURE_AUTO && access("/dev/vhost-vsock", R_OK | W_OK) < 0))
        return TRUE;
    g_autofree char *name = vm_output_path(config, "");
    machine->vsock_fd = vm_vsock_open(config->vsock_cid, name, &vm->vsock_cid, error);
    machine->notify = machine->vsock_fd < 0 ? NULL : vm_notify_new(error);
    if (!machine->notify)
        return FALSE;
    g_autofree char *address = vm_notify_address(machine->notify);
    machine->state = vm_state_new(config, vm->vsock_cid, error);
    return machine->state && set_credential(machine, "vmm.notify_socket", address, error);
}

static gboolean prepare_journal(VmMachine *machine, GError **error) {
    const ImageConfig *config = machine->config;
    if (!config->forward_journal)
        return TRUE;
    if (machine->vsock_fd < 0) {
        g_set_error_literal(error, VM_ERROR, VM_ERROR_MISSING,
                "ForwardJournal= needs vsock, which VSock=no switches off or this host does not have: load "
                "the kernel module vhost_vsock, and see that /dev/vhost-vsock may be opened");
        return FALSE;
    }
    machine->journal =
            vm_journal_new_vsock(config->forward_journal, workspace_path(machine->workspace), error);
    return machine->journal &&
           set_credential(machine, "journal.forward_to_socket", vm_journal_address(machine->journal), error);
}

static gboolean add_share(
        VmMachine *machine, const char *directory, const char *tag, gboolean shift, GError **error) {
    g_autofree char *path = NULL;
    SandboxProcess *process =
            vm_virtiofs_start(directory, shift, workspace_path(machine->workspace), &path, error);
    if (!process)
        return FALSE;
    g_ptr_array_add(machine->shares, process);
    g_ptr_array_add(machine->description.shares, vm_share_new(tag, path));
    return TRUE;
}

/* The guest mounts what its fstab says, of which this is a part (systemd-fstab-generator(8)). */
static gboolean prepare_shares(VmMachine *machine, GError **error) {
    g_autoptr(GPtrArray) trees = vm_runtime_trees(machine->config);
    const VmCredential *given = vm_credentials_find(machine->credentials, "fstab.extra");
    g_autoptr(GString) fstab = g_string_new(NULL);
    if (machine->config->format == OUTPUT_FORMAT_DIRECTORY) {
        g_autofree char *image = vm_image_path(machine->config);
        if (!add_share(machine, image, "root", FALSE, error))
            return FALSE;
    }
    if (trees->len == 0)
        return TRUE;
    if (given)
        g_string_append_len(fstab, g_bytes_get_data(given->value, NULL), g_bytes_get_size(given->value));
    if (fstab->len > 0 && fstab->str[fstab->len - 1] != '\n')
        g_string_append_c(fstab, '\n');
    for (guint i = 0; i < trees->len; i++) {
        const RecipeTree *tree = trees->pdata[i];
        g_autofree char *tag = g_strdup_printf("tree%u", i);
        g_autofree char *target = vm_fstab_escape(tree->target);
        if (!add_share(machine, tree->source, tag, TRUE, error))
            return FALSE;
        g_string_append_printf(fstab, "%s %s virtiofs x-initrd.mount\n", tag, target);
    }
    return set_credential(machine, "fstab.extra", fstab->str, error);
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

static gboolean has_prefix(char *const *words, const char *prefix) {
    for (; *words; words++)
        if (g_str_has_prefix(*words, prefix))
            return TRUE;
    return FALSE;
}

/* Where the root directory is; nobody looks for it when there is no boot loader. */
static gboolean append_root(GString *line, const VmMachine *machine, GError **error) {
    const ImageConfig *config = machine->config;
    if (!machine->boot->kernel || has_prefix(config->kernel_command_line_extra, "root="))
        return TRUE;
    if (config->format == OUTPUT_FORMAT_DIRECTORY) {
        g_string_append(line, " root=root rootfstype=virtiofs");
        return TRUE;
    }
    if (config->format != OUTPUT_FORMAT_DISK)
        return TRUE;
    g_autofree char *image = vm_image_path(config);
    g_autofree char *root = vm_root_argument(image, error);
    if (root)
        g_string_append_printf(line, " %s", root);
    return root != NULL;
}

static gboolean prepare_command_line(VmMachine *machine, GError **error) {
    const ImageConfig *config = machine->config;
    const char *console = vm_serial_console(machine->description.architecture);
    g_autoptr(GString) extra = g_string_new(NULL);
    g_auto(GStrv) defaults = vm_machine_kernel_arguments(config);
    if (has_serial_console(machine)) {
        g_string_append_printf(extra, "console=%s", console);
        append_terminal(extra, console);
    }
    if (!append_root(extra, machine, error))
        return FALSE;
    /* An unattended boot is of the image as it is. */
    if (machine->options->on_report)
        append_words(extra, config->kernel_command_line_extra);
    else
        append_words(extra, defaults);
    append_words(extra, machine->options->kernel_command_line);
    /* A unified kernel image has its own command line, and its stub reads what is added. */
    if (machine->firmware && (!machine->boot->kernel || machine->boot->uki)) {
        g_autoptr(GString) own = g_string_new(NULL);
        if (config->bootloader == BOOTLOADER_UKI_SIGNED)
            append_words(own, config->kernel_command_line);
        g_string_append_printf(own, "%s%s", own->len > 0 ? " " : "", extra->str);
        vm_add_command_line(machine->description.oem_strings, own->str);
        return TRUE;
    }
    g_autoptr(GString) line = g_string_new(NULL);
    append_words(line, config->kernel_command_line);
    g_string_append_printf(line, " %s", extra->str);
    machine->command_line = g_string_free(g_steal_pointer(&line), FALSE);
    return TRUE;
}

static gboolean collect_credentials(VmMachine *machine, GError **error) {
    machine->credentials = vm_credentials_collect(machine->config, error);
    if (!machine->credentials)
        return FALSE;
    for (char *const *pair = machine->options->credentials; pair && *pair; pair += 2)
        if (!set_credential(machine, pair[0], pair[1], error))
            return FALSE;
    return TRUE;
}

static gboolean pass_credentials(VmMachine *machine, GError **error) {
    if (!machine->firmware && strcmp(machine->description.architecture, "x86_64") != 0)
        events_warning("Without UEFI firmware, a machine of this architecture gets no credentials");
    for (guint i = 0; i < machine->credentials->len; i++) {
        const VmCredential *credential = machine->credentials->pdata[i];
        gsize length;
        const char *value = g_bytes_get_data(credential->value, &length);
        if (!vm_add_credential(machine->description.oem_strings, credential->name, value ? value : "",
                    length, workspace_path(machine->workspace), error))
            return FALSE;
    }
    return TRUE;
}

static char **join_arguments(char *const *first, char *const *second) {
    g_autoptr(GStrvBuilder) builder = g_strv_builder_new();
    g_strv_builder_addv(builder, (const char **) first);
    if (second)
        g_strv_builder_addv(builder, (const char **) second);
    return g_strv_builder_end(builder);
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
    machine->program = vm_find_program(name, error);
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
    machine->extra = join_arguments(config->qemu_args, machine->options->arguments);
    vm->extra = machine->extra;
    vm->oem_strings = g_ptr_array_new_with_free_func((GDestroyNotify) vm_oem_string_free);
    vm->drives = g_ptr_array_new_with_free_func((GDestroyNotify) vm_drive_free);
    vm->shares = g_ptr_array_new_with_free_func((GDestroyNotify) vm_share_free);
    machine->shares = g_ptr_array_new_with_free_func((GDestroyNotify) sandbox_process_free);
    return TRUE;
}

gboolean vm_machine_prepare(VmMachine *machine, GError **error) {
    const ImageConfig *config = machine->config;
    if (!check_supported(config, error) || !vm_register_wanted(config, &machine->registers, error) ||
            !describe(machine, error) || !find_qemu(machine, error))
        return FALSE;
    g_autofree char *parent = workspace_parent(config->workspace_directory, WORKSPACE_FALLBACK, error);
    if (!parent || !(machine->workspace = workspace_new(parent, error)))
        return FALSE;
    machine->boot = vm_direct_boot_new(config, machine->extra, workspace_path(machine->workspace), error);
    return machine->boot && find_firmware(machine, error) && prepare_disk(machine, error) &&
           prepare_command_line(machine, error) && prepare_variables(machine, error) &&
           prepare_drives(machine, error) && collect_credentials(machine, error) &&
           prepare_vsock(machine, error) && prepare_journal(machine, error) &&
           prepare_shares(machine, error) && pass_credentials(machine, error) &&
           prepare_kvm(machine, error) && prepare_tpm(machine, error);
}
