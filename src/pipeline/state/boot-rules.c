/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pipeline/state/boot-rules.h"

gboolean boot_tree_is_partial(const ImageConfig *config) {
    return config->overlay || config->format == OUTPUT_FORMAT_SYSEXT ||
           config->format == OUTPUT_FORMAT_CONFEXT || config->format == OUTPUT_FORMAT_ADDON;
}

gboolean boot_format_is_attached(OutputFormat format) {
    return format == OUTPUT_FORMAT_SYSEXT || format == OUTPUT_FORMAT_CONFEXT ||
           format == OUTPUT_FORMAT_ADDON || format == OUTPUT_FORMAT_PORTABLE;
}

gboolean boot_format_is_tree_uki(OutputFormat format) {
    return format == OUTPUT_FORMAT_UKI || format == OUTPUT_FORMAT_ESP || format == OUTPUT_FORMAT_ADDON;
}

gboolean boot_loader_is_systemd_boot(Bootloader loader) {
    return loader == BOOTLOADER_SYSTEMD_BOOT || loader == BOOTLOADER_SYSTEMD_BOOT_SIGNED;
}

gboolean boot_loader_is_uki(Bootloader loader) {
    return loader == BOOTLOADER_UKI || loader == BOOTLOADER_UKI_SIGNED;
}

gboolean boot_loader_is_grub(Bootloader loader) {
    return loader == BOOTLOADER_GRUB || loader == BOOTLOADER_GRUB_SIGNED;
}

gboolean boot_loader_is_signed(Bootloader loader) {
    return loader == BOOTLOADER_SYSTEMD_BOOT_SIGNED || loader == BOOTLOADER_UKI_SIGNED ||
           loader == BOOTLOADER_GRUB_SIGNED;
}

/* Formats that are only made bootable when the recipe asks for it. */
static gboolean is_not_bootable_by_itself(const ImageConfig *config) {
    return config->format == OUTPUT_FORMAT_CPIO || config->overlay ||
           boot_format_is_attached(config->format);
}

gboolean boot_wants_efi(const ImageConfig *config) {
    if (!architecture_to_efi(config->architecture))
        return FALSE;
    if (config->format == OUTPUT_FORMAT_ESP)
        return TRUE;
    if (config->bootable == FEATURE_DISABLED || config->bootloader == BOOTLOADER_NONE)
        return FALSE;
    return config->bootable == FEATURE_ENABLED ||
           !(is_not_bootable_by_itself(config) || config->format == OUTPUT_FORMAT_NONE ||
                   config->format == OUTPUT_FORMAT_OCI || config->format == OUTPUT_FORMAT_UKI);
}

gboolean boot_wants_kernels(const ImageConfig *config) {
    if (config->format == OUTPUT_FORMAT_UKI || config->format == OUTPUT_FORMAT_ESP ||
            config->format == OUTPUT_FORMAT_NONE || config->bootable == FEATURE_DISABLED)
        return FALSE;
    return config->bootable == FEATURE_ENABLED || !is_not_bootable_by_itself(config);
}

gboolean boot_wants_prebuilt_ukis(const ImageConfig *config) {
    return config->unified_kernel_images == UNIFIED_KERNEL_IMAGE_SIGNED ||
           (config->unified_kernel_images == UNIFIED_KERNEL_IMAGE_AUTO &&
                   boot_loader_is_signed(config->bootloader));
}

gboolean boot_wants_loader(const ImageBuild *image) {
    const ImageConfig *config = image->config;

    return boot_wants_efi(config) && (image->boot.kernels->len > 0 || config->bootable != FEATURE_AUTO);
}

gboolean boot_wants_ukis(const ImageBuild *image) {
    const ImageConfig *config = image->config;

    if (!boot_wants_efi(config))
        return FALSE;
    return boot_loader_is_uki(config->bootloader) || boot_wants_prebuilt_ukis(config) ||
           config->unified_kernel_images == UNIFIED_KERNEL_IMAGE_UNSIGNED ||
           (config->unified_kernel_images == UNIFIED_KERNEL_IMAGE_AUTO && image->boot.stub);
}

gboolean boot_wants_esp(const ImageBuild *image) {
    const ImageConfig *config = image->config;

    if (config->bootable != FEATURE_AUTO)
        return config->bootable == FEATURE_ENABLED;
    if (!boot_wants_loader(image))
        return FALSE;
    if (image->boot.shim->len > 0)
        return TRUE;
    return boot_loader_is_uki(config->bootloader)
                   ? image->boot.kernels->len > 0 && (image->boot.stub || boot_wants_prebuilt_ukis(config))
                   : image->boot.boot_loaders->len > 0;
}
