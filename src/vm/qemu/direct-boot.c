/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vm/qemu/direct-boot.h"

#include <fcntl.h>
#include <string.h>

#include "base/cleanup.h"
#include "events/events.h"
#include "recipe/result/recipe.h"
#include "vm/host/host.h"

void vm_direct_boot_free(VmDirectBoot *boot) {
    if (!boot)
        return;
    g_free(boot->kernel);
    g_free(boot->initrd);
    g_free(boot);
}

char *vm_output_path(const ImageConfig *config, const char *suffix) {
    return image_config_output_path(config, suffix);
}

char *vm_image_path(const ImageConfig *config) {
    /* The name without extension leads to the main output, or is the directory itself. */
    return vm_output_path(config, "");
}

/* A delayed specifier: the build subdirectory. */
static char *expand_linux(const ImageConfig *config) {
    g_autoptr(GString) path = g_string_new(NULL);
    for (const char *p = config->linux_image; *p; p++) {
        if (*p == '&' && p[1] == 'b') {
            g_string_append(path, config->build_subdirectory ? config->build_subdirectory : "");
            p++;
        } else {
            g_string_append_c(path, *p);
            p += *p == '&' && p[1] == '&';
        }
    }
    return g_string_free(g_steal_pointer(&path), FALSE);
}

static char *find_named_kernel(const ImageConfig *config, char *const *arguments) {
    if (config->linux_image)
        return expand_linux(config);
    for (; arguments && *arguments; arguments++)
        if (strcmp(*arguments, "-kernel") == 0 && arguments[1])
            return g_strdup(arguments[1]);
    return NULL;
}

/* A PE binary with a section .linux (UAPI.5). The names of sections are near the start of the file. */
static gboolean is_uki(const char *path) {
    char head[16384];
    AUTO_FD fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : pread(fd, head, sizeof(head), 0);
    return n > 64 && memcmp(head, "MZ", 2) == 0 && memmem(head, n, ".linux\0\0", 8) != NULL;
}

static gboolean is_uefi(Firmware firmware) {
    return firmware == FIRMWARE_UEFI || firmware == FIRMWARE_UEFI_SECURE_BOOT;
}

static Firmware choose_firmware(const ImageConfig *config, const VmDirectBoot *boot) {
    if (config->firmware != FIRMWARE_AUTO)
        return config->firmware;
    if (boot->kernel)
        return boot->uki ? FIRMWARE_UEFI_SECURE_BOOT : FIRMWARE_LINUX;
    if (config->format == OUTPUT_FORMAT_CPIO || config->format == OUTPUT_FORMAT_DIRECTORY)
        return FIRMWARE_LINUX;
    return FIRMWARE_UEFI_SECURE_BOOT;
}

static gboolean check_exists(const char *path, const char *hint, GError **error) {
    if (g_file_test(path, G_FILE_TEST_EXISTS))
        return TRUE;
    g_set_error(error, VM_ERROR, VM_ERROR_MISSING, "There is no kernel %s: %s", path, hint);
    return FALSE;
}

static gboolean choose_kernel(
        VmDirectBoot *boot, const ImageConfig *config, char *const *arguments, GError **error) {
    OutputFormat format = config->format;
    boot->kernel = find_named_kernel(config, arguments);
    if (boot->kernel && (format == OUTPUT_FORMAT_UKI || format == OUTPUT_FORMAT_ESP)) {
        events_warning("Format=%s brings its own kernel: %s is not used", output_format_to_string(format),
                boot->kernel);
        g_clear_pointer(&boot->kernel, g_free);
    }
    if (boot->kernel && !check_exists(boot->kernel, "look at Linux= or -kernel", error))
        return FALSE;
    boot->uki = boot->kernel && is_uki(boot->kernel);
    boot->firmware = choose_firmware(config, boot);
    if (boot->kernel || (is_uefi(boot->firmware) && format != OUTPUT_FORMAT_CPIO &&
                                format != OUTPUT_FORMAT_DIRECTORY && format != OUTPUT_FORMAT_UKI))
        return TRUE;
    if (!is_uefi(boot->firmware))
        boot->kernel = vm_output_path(config, ".vmlinuz");
    else if (format == OUTPUT_FORMAT_UKI)
        boot->kernel = vm_image_path(config);
    else
        boot->kernel = vm_output_path(config, ".efi");
    if (!check_exists(boot->kernel,
                "install one in the image and build with SplitArtifacts=uki,kernel,initrd, or name one with "
                "Linux=",
                error))
        return FALSE;
    boot->uki = is_uki(boot->kernel);
    return TRUE;
}

/* One archive behind the other, each at a multiple of four bytes. */
static gboolean join_initrds(char *const *paths, const char *target, GError **error) {
    g_autoptr(GByteArray) joined = g_byte_array_new();
    for (; *paths; paths++) {
        g_autofree char *content = NULL;
        gsize length;
        if (!g_file_get_contents(*paths, &content, &length, error))
            return FALSE;
        g_byte_array_append(joined, (const guint8 *) content, length);
        g_byte_array_append(joined, (const guint8 *) "\0\0\0", -length & 3);
    }
    return g_file_set_contents_full(
            target, (const char *) joined->data, joined->len, G_FILE_SET_CONTENTS_NONE, 0600, error);
}

/* The default initrd is an image of this build, whose output is the split artifact. */
static gboolean has_files(char *const *initrds) {
    for (char *const *path = initrds; *path; path++)
        if (!g_path_is_absolute(*path))
            return FALSE;
    return *initrds != NULL;
}

static gboolean choose_initrd(
        VmDirectBoot *boot, const ImageConfig *config, const char *scratch, GError **error) {
    if (config->format == OUTPUT_FORMAT_CPIO) {
        boot->initrd = vm_image_path(config);
        return TRUE;
    }
    if (!boot->kernel || boot->uki || boot->firmware == FIRMWARE_LINUX_NOINITRD)
        return TRUE;
    boot->initrd = vm_output_path(config, ".initrd");
    if (g_file_test(boot->initrd, G_FILE_TEST_EXISTS))
        return TRUE;
    g_clear_pointer(&boot->initrd, g_free);
    if (!has_files(config->initrds))
        return TRUE;
    boot->initrd = g_build_filename(scratch, "initrd", NULL);
    return join_initrds(config->initrds, boot->initrd, error);
}

VmDirectBoot *vm_direct_boot_new(
        const ImageConfig *config, char *const *qemu_arguments, const char *scratch, GError **error) {
    g_autoptr(VmDirectBoot) boot = g_new0(VmDirectBoot, 1);
    if (!choose_kernel(boot, config, qemu_arguments, error) || !choose_initrd(boot, config, scratch, error))
        return NULL;
    return g_steal_pointer(&boot);
}
