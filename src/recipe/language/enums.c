/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "recipe/language/enums.h"

#include "recipe/language/enum-words.h"

#include <string.h>

int word_index(const char *const *words, const char *word) {
    for (int i = 0; words[i]; i++)
        if (strcmp(words[i], word) == 0)
            return i;
    return -1;
}

const char *const distribution_words[] = {
        [DISTRIBUTION_FEDORA] = "fedora",
        [DISTRIBUTION_DEBIAN] = "debian",
        [DISTRIBUTION_KALI] = "kali",
        [DISTRIBUTION_UBUNTU] = "ubuntu",
        [DISTRIBUTION_POSTMARKETOS] = "postmarketos",
        [DISTRIBUTION_ARCH] = "arch",
        [DISTRIBUTION_OPENSUSE] = "opensuse",
        [DISTRIBUTION_MAGEIA] = "mageia",
        [DISTRIBUTION_CENTOS] = "centos",
        [DISTRIBUTION_RHEL] = "rhel",
        [DISTRIBUTION_RHEL_UBI] = "rhel-ubi",
        [DISTRIBUTION_OPENMANDRIVA] = "openmandriva",
        [DISTRIBUTION_ROCKY] = "rocky",
        [DISTRIBUTION_ALMA] = "alma",
        [DISTRIBUTION_AZURE] = "azure",
        [DISTRIBUTION_CUSTOM] = "custom",
        NULL,
};

const char *const architecture_words[] = {
        [ARCHITECTURE_ALPHA] = "alpha",
        [ARCHITECTURE_ARC] = "arc",
        [ARCHITECTURE_ARM] = "arm",
        [ARCHITECTURE_ARM64] = "arm64",
        [ARCHITECTURE_IA64] = "ia64",
        [ARCHITECTURE_LOONGARCH64] = "loongarch64",
        [ARCHITECTURE_MIPS_LE] = "mips-le",
        [ARCHITECTURE_MIPS64_LE] = "mips64-le",
        [ARCHITECTURE_PARISC] = "parisc",
        [ARCHITECTURE_PPC] = "ppc",
        [ARCHITECTURE_PPC64] = "ppc64",
        [ARCHITECTURE_PPC64_LE] = "ppc64-le",
        [ARCHITECTURE_RISCV32] = "riscv32",
        [ARCHITECTURE_RISCV64] = "riscv64",
        [ARCHITECTURE_S390] = "s390",
        [ARCHITECTURE_S390X] = "s390x",
        [ARCHITECTURE_TILEGX] = "tilegx",
        [ARCHITECTURE_X86] = "x86",
        [ARCHITECTURE_X86_64] = "x86-64",
        NULL,
};

const char *const output_format_words[] = {
        [OUTPUT_FORMAT_CONFEXT] = "confext",
        [OUTPUT_FORMAT_CPIO] = "cpio",
        [OUTPUT_FORMAT_DIRECTORY] = "directory",
        [OUTPUT_FORMAT_DISK] = "disk",
        [OUTPUT_FORMAT_ESP] = "esp",
        [OUTPUT_FORMAT_NONE] = "none",
        [OUTPUT_FORMAT_PORTABLE] = "portable",
        [OUTPUT_FORMAT_SYSEXT] = "sysext",
        [OUTPUT_FORMAT_TAR] = "tar",
        [OUTPUT_FORMAT_UKI] = "uki",
        [OUTPUT_FORMAT_OCI] = "oci",
        [OUTPUT_FORMAT_ADDON] = "addon",
        NULL,
};

const char *const compression_words[] = {
        [COMPRESSION_NONE] = "none",
        [COMPRESSION_ZSTD] = "zstd",
        [COMPRESSION_XZ] = "xz",
        [COMPRESSION_BZ2] = "bz2",
        [COMPRESSION_GZ] = "gz",
        [COMPRESSION_LZ4] = "lz4",
        [COMPRESSION_LZMA] = "lzma",
        NULL,
};

const char *const bootloader_words[] = {
        [BOOTLOADER_NONE] = "none",
        [BOOTLOADER_UKI] = "uki",
        [BOOTLOADER_SYSTEMD_BOOT] = "systemd-boot",
        [BOOTLOADER_GRUB] = "grub",
        [BOOTLOADER_UKI_SIGNED] = "uki-signed",
        [BOOTLOADER_SYSTEMD_BOOT_SIGNED] = "systemd-boot-signed",
        [BOOTLOADER_GRUB_SIGNED] = "grub-signed",
        NULL,
};

const char *const bios_bootloader_words[] = {
        [BIOS_BOOTLOADER_NONE] = "none",
        [BIOS_BOOTLOADER_GRUB] = "grub",
        NULL,
};

const char *const shim_bootloader_words[] = {
        [SHIM_BOOTLOADER_NONE] = "none",
        [SHIM_BOOTLOADER_SIGNED] = "signed",
        [SHIM_BOOTLOADER_UNSIGNED] = "unsigned",
        NULL,
};

const char *const unified_kernel_image_words[] = {
        [UNIFIED_KERNEL_IMAGE_NONE] = "none",
        [UNIFIED_KERNEL_IMAGE_AUTO] = "auto",
        [UNIFIED_KERNEL_IMAGE_SIGNED] = "signed",
        [UNIFIED_KERNEL_IMAGE_UNSIGNED] = "unsigned",
        NULL,
};

const char *const ssh_words[] = {
        [SSH_ALWAYS] = "always",
        [SSH_AUTO] = "auto",
        [SSH_RUNTIME] = "runtime",
        [SSH_NEVER] = "never",
        NULL,
};

const char *const secure_boot_sign_tool_words[] = {
        [SECURE_BOOT_SIGN_TOOL_AUTO] = "auto",
        [SECURE_BOOT_SIGN_TOOL_SBSIGN] = "sbsign",
        [SECURE_BOOT_SIGN_TOOL_SYSTEMD_SBSIGN] = "systemd-sbsign",
        NULL,
};

const char *const verity_words[] = {
        [VERITY_DISABLED] = "disabled",
        [VERITY_HASH] = "hash",
        [VERITY_SIGNED] = "signed",
        [VERITY_DEFER] = "defer",
        [VERITY_AUTO] = "auto",
        NULL,
};

const char *const incremental_words[] = {
        [INCREMENTAL_YES] = "yes",
        [INCREMENTAL_NO] = "no",
        [INCREMENTAL_STRICT] = "strict",
        NULL,
};

const char *const cache_only_words[] = {
        [CACHE_ONLY_ALWAYS] = "always",
        [CACHE_ONLY_AUTO] = "auto",
        [CACHE_ONLY_METADATA] = "metadata",
        [CACHE_ONLY_NEVER] = "never",
        NULL,
};

const char *const build_sources_ephemeral_words[] = {
        [BUILD_SOURCES_EPHEMERAL_YES] = "yes",
        [BUILD_SOURCES_EPHEMERAL_NO] = "no",
        [BUILD_SOURCES_EPHEMERAL_BUILDCACHE] = "buildcache",
        NULL,
};

const char *const network_words[] = {
        [NETWORK_INTERFACE] = "interface",
        [NETWORK_USER] = "user",
        [NETWORK_NONE] = "none",
        NULL,
};

const char *const vmm_words[] = {
        [VMM_QEMU] = "qemu",
        [VMM_VMSPAWN] = "vmspawn",
        NULL,
};

const char *const qemu_disk_type_words[] = {
        [QEMU_DISK_TYPE_VIRTIO_BLK] = "virtio-blk",
        [QEMU_DISK_TYPE_VIRTIO_SCSI] = "virtio-scsi",
        [QEMU_DISK_TYPE_NVME] = "nvme",
        [QEMU_DISK_TYPE_SCSI_CD] = "scsi-cd",
        NULL,
};

const char *const firmware_words[] = {
        [FIRMWARE_AUTO] = "auto",
        [FIRMWARE_LINUX] = "linux",
        [FIRMWARE_LINUX_NOINITRD] = "linux-noinitrd",
        [FIRMWARE_UEFI] = "uefi",
        [FIRMWARE_UEFI_SECURE_BOOT] = "uefi-secure-boot",
        NULL,
};

const char *const console_mode_words[] = {
        [CONSOLE_MODE_INTERACTIVE] = "interactive",
        [CONSOLE_MODE_READ_ONLY] = "read-only",
        [CONSOLE_MODE_NATIVE] = "native",
        [CONSOLE_MODE_GUI] = "gui",
        [CONSOLE_MODE_HEADLESS] = "headless",
        NULL,
};

const char *const feature_words[] = {
        [FEATURE_AUTO] = "auto",
        [FEATURE_ENABLED] = "enabled",
        [FEATURE_DISABLED] = "disabled",
        NULL,
};

const char *const key_source_type_words[] = {
        [KEY_SOURCE_FILE] = "file",
        [KEY_SOURCE_ENGINE] = "engine",
        [KEY_SOURCE_PROVIDER] = "provider",
        NULL,
};

const char *const manifest_format_words[] = {"json", "changelog", NULL};

const char *const artifact_words[] = {"uki", "kernel", "initrd", "partitions", "tar", "pcrs", "roothash",
        "os-release", "kernel-modules-initrd", "repart-definitions", NULL};

const char *distribution_to_string(Distribution value) {
    return distribution_words[value];
}

gboolean distribution_from_string(const char *word, Distribution *ret) {
    int i = word_index(distribution_words, word);
    if (i < 0)
        return FALSE;
    *ret = i;
    return TRUE;
}

const char *architecture_to_string(Architecture value) {
    return architecture_words[value];
}

gboolean architecture_from_string(const char *word, Architecture *ret) {
    int i = word_index(architecture_words, word);
    if (i < 0)
        return FALSE;
    *ret = i;
    return TRUE;
}

const char *output_format_to_string(OutputFormat value) {
    return output_format_words[value];
}

gboolean output_format_from_string(const char *word, OutputFormat *ret) {
    int i = word_index(output_format_words, word);
    if (i < 0)
        return FALSE;
    *ret = i;
    return TRUE;
}

const char *compression_to_string(Compression value) {
    return compression_words[value];
}

gboolean compression_from_string(const char *word, Compression *ret) {
    if (strcmp(word, "zst") == 0)
        word = "zstd";
    else if (strcmp(word, "gzip") == 0)
        word = "gz";

    int i = word_index(compression_words, word);
    if (i < 0)
        return FALSE;
    *ret = i;
    return TRUE;
}

const char *bootloader_to_string(Bootloader value) {
    return bootloader_words[value];
}

gboolean bootloader_from_string(const char *word, Bootloader *ret) {
    int i = word_index(bootloader_words, word);
    if (i < 0)
        return FALSE;
    *ret = i;
    return TRUE;
}

const char *bios_bootloader_to_string(BiosBootloader value) {
    return bios_bootloader_words[value];
}

gboolean bios_bootloader_from_string(const char *word, BiosBootloader *ret) {
    int i = word_index(bios_bootloader_words, word);
    if (i < 0)
        return FALSE;
    *ret = i;
    return TRUE;
}

const char *shim_bootloader_to_string(ShimBootloader value) {
    return shim_bootloader_words[value];
}

gboolean shim_bootloader_from_string(const char *word, ShimBootloader *ret) {
    int i = word_index(shim_bootloader_words, word);
    if (i < 0)
        return FALSE;
    *ret = i;
    return TRUE;
}

const char *unified_kernel_image_to_string(UnifiedKernelImage value) {
    return unified_kernel_image_words[value];
}

gboolean unified_kernel_image_from_string(const char *word, UnifiedKernelImage *ret) {
    int i = word_index(unified_kernel_image_words, word);
    if (i < 0)
        return FALSE;
    *ret = i;
    return TRUE;
}

const char *ssh_to_string(Ssh value) {
    return ssh_words[value];
}

gboolean ssh_from_string(const char *word, Ssh *ret) {
    int i = word_index(ssh_words, word);
    if (i < 0)
        return FALSE;
    *ret = i;
    return TRUE;
}

const char *secure_boot_sign_tool_to_string(SecureBootSignTool value) {
    return secure_boot_sign_tool_words[value];
}

gboolean secure_boot_sign_tool_from_string(const char *word, SecureBootSignTool *ret) {
    int i = word_index(secure_boot_sign_tool_words, word);
    if (i < 0)
        return FALSE;
    *ret = i;
    return TRUE;
}

const char *verity_to_string(Verity value) {
    return verity_words[value];
}

gboolean verity_from_string(const char *word, Verity *ret) {
    int i = word_index(verity_words, word);
    if (i < 0)
        return FALSE;
    *ret = i;
    return TRUE;
}

const char *incremental_to_string(Incremental value) {
    return incremental_words[value];
}

gboolean incremental_from_string(const char *word, Incremental *ret) {
    int i = word_index(incremental_words, word);
    if (i < 0)
        return FALSE;
    *ret = i;
    return TRUE;
}

const char *cache_only_to_string(CacheOnly value) {
    return cache_only_words[value];
}

gboolean cache_only_from_string(const char *word, CacheOnly *ret) {
    int i = word_index(cache_only_words, word);
    if (i < 0)
        return FALSE;
    *ret = i;
    return TRUE;
}

const char *build_sources_ephemeral_to_string(BuildSourcesEphemeral value) {
    return build_sources_ephemeral_words[value];
}

gboolean build_sources_ephemeral_from_string(const char *word, BuildSourcesEphemeral *ret) {
    int i = word_index(build_sources_ephemeral_words, word);
    if (i < 0)
        return FALSE;
    *ret = i;
    return TRUE;
}

const char *network_to_string(Network value) {
    return network_words[value];
}

gboolean network_from_string(const char *word, Network *ret) {
    int i = word_index(network_words, word);
    if (i < 0)
        return FALSE;
    *ret = i;
    return TRUE;
}

const char *vmm_to_string(Vmm value) {
    return vmm_words[value];
}

gboolean vmm_from_string(const char *word, Vmm *ret) {
    int i = word_index(vmm_words, word);
    if (i < 0)
        return FALSE;
    *ret = i;
    return TRUE;
}

const char *qemu_disk_type_to_string(QemuDiskType value) {
    return qemu_disk_type_words[value];
}

gboolean qemu_disk_type_from_string(const char *word, QemuDiskType *ret) {
    int i = word_index(qemu_disk_type_words, word);
    if (i < 0)
        return FALSE;
    *ret = i;
    return TRUE;
}

const char *firmware_to_string(Firmware value) {
    return firmware_words[value];
}

gboolean firmware_from_string(const char *word, Firmware *ret) {
    int i = word_index(firmware_words, word);
    if (i < 0)
        return FALSE;
    *ret = i;
    return TRUE;
}

const char *console_mode_to_string(ConsoleMode value) {
    return console_mode_words[value];
}

gboolean console_mode_from_string(const char *word, ConsoleMode *ret) {
    int i = word_index(console_mode_words, word);
    if (i < 0)
        return FALSE;
    *ret = i;
    return TRUE;
}

const char *feature_to_string(Feature value) {
    return feature_words[value];
}

gboolean feature_from_string(const char *word, Feature *ret) {
    int i = word_index(feature_words, word);
    if (i < 0)
        return FALSE;
    *ret = i;
    return TRUE;
}

const char *key_source_type_to_string(KeySourceType value) {
    return key_source_type_words[value];
}

gboolean key_source_type_from_string(const char *word, KeySourceType *ret) {
    int i = word_index(key_source_type_words, word);
    if (i < 0)
        return FALSE;
    *ret = i;
    return TRUE;
}
