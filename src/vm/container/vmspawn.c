/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vm/container/vmspawn.h"

#include <string.h>

#include "vm/container/container.h"
#include "vm/host/host.h"

static gboolean unsupported(GError **error, const char *what) {
    g_set_error(error, VM_ERROR, VM_ERROR_UNSUPPORTED, "%s; use VirtualMachineMonitor=qemu", what);
    return FALSE;
}

gboolean vm_vmspawn_check(const ImageConfig *config, GError **error) {
    const char *variables = config->firmware_variables;
    if (config->format != OUTPUT_FORMAT_DISK && config->format != OUTPUT_FORMAT_ESP &&
            config->format != OUTPUT_FORMAT_DIRECTORY && config->format != OUTPUT_FORMAT_UKI)
        return unsupported(
                error, "systemd-vmspawn boots images with Format=disk, esp, directory and uki only");
    if (config->drives[0])
        return unsupported(error, "systemd-vmspawn gets no Drives= from particleos");
    if (g_strcmp0(variables, "custom") == 0 || g_strcmp0(variables, "microsoft-mok") == 0)
        return unsupported(error, "systemd-vmspawn gets no FirmwareVariables=custom and microsoft-mok from "
                                  "particleos");
    return TRUE;
}

static void add(GPtrArray *arguments, const char *word) {
    g_ptr_array_add(arguments, g_strdup(word));
}

static void addf(GPtrArray *arguments, const char *format, ...) G_GNUC_PRINTF(2, 3);
static void addf(GPtrArray *arguments, const char *format, ...) {
    va_list list;
    va_start(list, format);
    g_ptr_array_add(arguments, g_strdup_vprintf(format, list));
    va_end(list);
}

static const char *tristate(Feature feature) {
    return feature == FEATURE_ENABLED ? "yes" : feature == FEATURE_DISABLED ? "no" : "auto";
}

static void add_firmware(GPtrArray *arguments, const ImageConfig *config, const VmSpawn *spawn) {
    const char *variables = config->firmware_variables;
    gboolean microsoft = g_strcmp0(variables, "microsoft") == 0;
    if (spawn->boot->firmware == FIRMWARE_UEFI_SECURE_BOOT || spawn->boot->firmware == FIRMWARE_UEFI)
        addf(arguments, "--firmware-features=%ssecure-boot%s",
                spawn->boot->firmware == FIRMWARE_UEFI ? "~" : "", microsoft ? ",enrolled-keys" : "");
    if (variables && !microsoft)
        addf(arguments, "--efi-nvram-template=%s", variables);
    if (!spawn->boot->kernel)
        return;
    addf(arguments, "--linux=%s", spawn->boot->kernel);
    if (spawn->boot->initrd)
        addf(arguments, "--initrd=%s", spawn->boot->initrd);
}

static void add_image(GPtrArray *arguments, const ImageConfig *config, const VmSpawn *spawn) {
    if (config->runtime_size > 0)
        addf(arguments, "--grow-image=%" G_GUINT64_FORMAT, config->runtime_size);
    if (spawn->ephemeral)
        add(arguments, "--ephemeral");
    if (config->format == OUTPUT_FORMAT_DIRECTORY)
        addf(arguments, "--directory=%s", spawn->path);
    else if (config->format != OUTPUT_FORMAT_UKI)
        addf(arguments, "--image=%s", spawn->path);
    if (config->disk_type != QEMU_DISK_TYPE_VIRTIO_BLK)
        addf(arguments, "--image-disk-type=%s", qemu_disk_type_to_string(config->disk_type));
}

static void add_guest_data(GPtrArray *arguments, const ImageConfig *config, const VmSpawn *spawn) {
    g_autoptr(GPtrArray) trees = vm_runtime_trees(config);
    for (guint i = 0; i < spawn->credentials->len; i++) {
        const VmCredential *credential = spawn->credentials->pdata[i];
        addf(arguments, "--load-credential=%s:%s/%s", credential->name, spawn->credential_directory,
                credential->name);
    }
    for (guint i = 0; i < trees->len; i++) {
        const RecipeTree *tree = trees->pdata[i];
        addf(arguments, "--bind=%s:%s", tree->source, tree->target);
    }
    if (config->bind_user) {
        addf(arguments, "--bind-user=%s", spawn->user);
        add(arguments, "--bind-user-group=wheel");
    }
    if (!config->forward_journal)
        return;
    addf(arguments, "--forward-journal=%s", config->forward_journal);
    add(arguments, "--forward-journal-max-use=1T");
    add(arguments, "--forward-journal-keep-free=1G");
    add(arguments, "--forward-journal-max-file-size=4G");
    addf(arguments, "--forward-journal-max-files=%d",
            g_str_has_suffix(config->forward_journal, ".journal") ? 1 : 100);
}

static void add_words(GPtrArray *arguments, char *const *words) {
    for (; words && *words; words++)
        add(arguments, *words);
}

char **vm_vmspawn_arguments(const ImageConfig *config, const VmSpawn *spawn) {
    GPtrArray *arguments = g_ptr_array_new();
    g_autofree char *name = vm_machine_name(config);
    g_auto(GStrv) extra = vm_machine_kernel_arguments(config);
    add(arguments, spawn->program);
    addf(arguments, "--machine=%s", name);
    addf(arguments, "--cpus=%u", spawn->cpus);
    addf(arguments, "--ram=%" G_GUINT64_FORMAT, config->ram);
    addf(arguments, "--kvm=%s", tristate(config->kvm));
    addf(arguments, "--vsock=%s", tristate(config->vsock));
    if (config->vsock_cid >= 3)
        addf(arguments, "--vsock-cid=%" G_GINT64_FORMAT, config->vsock_cid);
    addf(arguments, "--tpm=%s", tristate(config->tpm));
    add(arguments, "--tpm-state=off");
    addf(arguments, "--console=%s", console_mode_to_string(config->console));
    addf(arguments, "--register=%s", config->register_machine == FEATURE_DISABLED ? "no" : "yes");
    if (config->runtime_network == NETWORK_USER)
        add(arguments, "--network-user-mode");
    else if (config->runtime_network == NETWORK_INTERFACE)
        add(arguments, "--network-tap");
    add_firmware(arguments, config, spawn);
    add_image(arguments, config, spawn);
    add_guest_data(arguments, config, spawn);
    /* systemd-vmspawn takes no options of its own after the first kernel argument. */
    add_words(arguments, spawn->arguments);
    add_words(arguments, config->kernel_command_line);
    add_words(arguments, extra);
    g_ptr_array_add(arguments, NULL);
    return (char **) g_ptr_array_free(arguments, FALSE);
}

char *vm_vmspawn_extra(const ImageConfig *config) {
    g_autoptr(GString) text = g_string_new(NULL);
    for (char **word = config->qemu_args; *word; word++) {
        g_autofree char *quoted = g_shell_quote(*word);
        g_string_append_printf(text, "%s%s", text->len > 0 ? " " : "", quoted);
    }
    return text->len > 0 ? g_string_free(g_steal_pointer(&text), FALSE) : NULL;
}
