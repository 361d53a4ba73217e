/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The step that installs what the firmware starts first: shim, systemd-boot, enrolment variables. */

#include "pipeline/boot/boot-loader.h"

#include <string.h>

#include "crypto/certificates/certificate.h"
#include "events/step.h"
#include "format/efi/variables/efi-authenticated-variable.h"
#include "pipeline/boot/boot-parts.h"
#include "pipeline/boot/boot.h"
#include "pipeline/state/boot-rules.h"
#include "tree/tree.h"

GPtrArray *boot_enrolled_certificates(ImageBuild *image, const char *variable, GError **error) {
    g_autofree char *name = g_strconcat("mkosi.uefi.", variable, NULL);
    const char *recipe = image->build->recipe->config_directory;
    g_autofree char *directory = recipe ? g_build_filename(recipe, name, NULL) : NULL;
    g_autoptr(GPtrArray) certificates = g_ptr_array_new_with_free_func((GDestroyNotify) certificate_unref);
    g_autoptr(GPtrArray) more = NULL;

    g_ptr_array_add(certificates, certificate_ref(image->build->secure_boot_certificate));
    if (!directory || g_str_equal(variable, "PK"))
        return g_steal_pointer(&certificates);
    if (!(more = certificate_load_directory(directory, error)))
        return NULL;
    for (guint i = 0; i < more->len; i++)
        g_ptr_array_add(certificates, certificate_ref(more->pdata[i]));
    return g_steal_pointer(&certificates);
}

static gboolean write_enrolment(ImageBuild *image, const char *variable, GError **error) {
    gint64 time =
            image->config->source_date_epoch > 0 ? image->config->source_date_epoch : BOOT_DEFAULT_UPDATE_TIME;
    g_autofree char *path = g_strdup_printf("efi/loader/keys/auto/%s.auth", variable);
    g_autoptr(GPtrArray) certificates = boot_enrolled_certificates(image, variable, error);
    g_autoptr(GBytes) content = NULL;

    if (!certificates)
        return FALSE;
    content = efi_enrolment_variable_build(variable, time, certificates, image->build->secure_boot_key,
            image->build->secure_boot_certificate, error);
    return content && boot_write(image, path, content, error);
}

static gboolean write_enrolments(ImageBuild *image, GError **error) {
    if (!image->config->secure_boot || !image->config->secure_boot_auto_enroll)
        return TRUE;
    return write_enrolment(image, "PK", error) && write_enrolment(image, "KEK", error) &&
           write_enrolment(image, "db", error);
}

/* "x64" of "systemd-bootx64.efi", in capitals as in the names of the removable media path. */
static char *fallback_path(const BootFile *file) {
    const char *start = file->name + strlen("systemd-boot");
    g_autofree char *efi = g_strndup(start, strcspn(start, "."));
    g_autofree char *upper = g_ascii_strup(efi, -1);

    return g_strdup_printf("efi/EFI/BOOT/BOOT%s.EFI", upper);
}

char *boot_second_stage_path(const ImageBuild *image) {
    if (image->config->distribution == DISTRIBUTION_OPENSUSE)
        return g_strdup("efi/EFI/BOOT/grub.EFI");
    return g_strdup_printf("efi/EFI/BOOT/grub%s.efi", architecture_to_efi(image->config->architecture));
}

char *boot_first_stage_path(const ImageBuild *image) {
    g_autofree char *efi = g_ascii_strup(architecture_to_efi(image->config->architecture), -1);
    return g_strdup_printf("efi/EFI/BOOT/BOOT%s.EFI", efi);
}

static gboolean install_loader_file(ImageBuild *image, const BootFile *file, GError **error) {
    g_autofree char *named = g_build_filename("efi/EFI/systemd", file->name, NULL);
    g_autofree char *fallback = fallback_path(file);
    g_autofree char *first = boot_first_stage_path(image);
    g_autoptr(GBytes) binary = file->is_signed
                                       ? g_bytes_ref(file->content)
                                       : boot_sign(image, file->content, AUTHENTICODE_REPLACE, error);

    if (!binary || !boot_write(image, named, binary, error) || !boot_write(image, fallback, binary, error))
        return FALSE;
    /* shim starts what has the name of the boot loader that it was made for. */
    if (image->config->shim_bootloader == SHIM_BOOTLOADER_NONE || !g_str_equal(fallback, first))
        return TRUE;
    g_autofree char *second = boot_second_stage_path(image);
    return boot_write(image, second, binary, error);
}

static gboolean missing(ImageBuild *image, const char *what, const char *package, GError **error) {
    if (image->config->bootable != FEATURE_ENABLED)
        return TRUE;
    g_set_error(error, BUILD_ERROR, BUILD_ERROR_INPUT,
            "Bootable=yes, but the image has no %s; add the package %s to Packages=", what, package);
    return FALSE;
}

static gboolean install_systemd_boot(ImageBuild *image, GError **error) {
    if (image->boot.boot_loaders->len == 0)
        return boot_loader_is_signed(image->config->bootloader)
                       ? missing(image, "signed systemd-boot (/usr/lib/systemd/boot/efi/*.efi.signed)",
                                 "systemd-boot-efi-amd64-signed (or that of another architecture)", error)
                       : missing(image, "systemd-boot (/usr/lib/systemd/boot/efi/*.efi)",
                                 "systemd-boot-efi (Debian 12: systemd-boot)", error);
    for (guint i = 0; i < image->boot.boot_loaders->len; i++)
        if (!install_loader_file(image, image->boot.boot_loaders->pdata[i], error))
            return FALSE;
    return tree_mkdir_p(image->root_fd, "boot/EFI/Linux", 0755, error) &&
           tree_mkdir_p(image->root_fd, "efi/loader/entries", 0755, error) &&
           tree_mkdir_p(image->root_fd, "efi/loader/keys", 0755, error) &&
           tree_write_file(image->root_fd, "efi/loader/entries.srel", "type1\n", -1, 0644, error) &&
           write_enrolments(image, error);
}

static gboolean install_shim(ImageBuild *image, GError **error) {
    if (image->config->shim_bootloader == SHIM_BOOTLOADER_NONE)
        return TRUE;
    if (image->boot.shim->len < 2)
        return image->config->shim_bootloader == SHIM_BOOTLOADER_SIGNED
                       ? missing(image, "signed shim with its MokManager", "shim-signed", error)
                       : missing(image, "shim with its MokManager", "shim-unsigned", error);
    for (guint i = 0; i < image->boot.shim->len; i++) {
        const BootFile *file = image->boot.shim->pdata[i];
        g_autofree char *path = g_build_filename("efi/EFI/BOOT", file->name, NULL);
        g_autoptr(GBytes) binary = file->is_signed
                                           ? g_bytes_ref(file->content)
                                           : boot_sign(image, file->content, AUTHENTICODE_REPLACE, error);
        if (!binary || !boot_write(image, path, binary, error))
            return FALSE;
    }
    return TRUE;
}

gboolean step_boot_loader(ImageBuild *image, GError **error) {
    Bootloader loader = image->config->bootloader;

    if (!boot_wants_loader(image))
        return TRUE;
    if (!boot_loader_is_systemd_boot(loader) && image->config->shim_bootloader == SHIM_BOOTLOADER_NONE)
        return TRUE;
    g_autoptr(EventsStep) step = events_step_begin(image->name, "Installing the boot loader");
    if ((boot_loader_is_systemd_boot(loader) && !install_systemd_boot(image, error)) ||
            !install_shim(image, error))
        return FALSE;
    events_step_done(g_steal_pointer(&step), NULL);
    return TRUE;
}
