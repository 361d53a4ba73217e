/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The enumerations of the recipe language. Each X_to_string() returns the canonical word that recipes and
 * JSON use; each X_from_string() returns FALSE when the exact word is not one of the enumeration. */

#include <glib.h>

typedef enum {
    DISTRIBUTION_FEDORA,
    DISTRIBUTION_DEBIAN,
    DISTRIBUTION_KALI,
    DISTRIBUTION_UBUNTU,
    DISTRIBUTION_POSTMARKETOS,
    DISTRIBUTION_ARCH,
    DISTRIBUTION_OPENSUSE,
    DISTRIBUTION_MAGEIA,
    DISTRIBUTION_CENTOS,
    DISTRIBUTION_RHEL,
    DISTRIBUTION_RHEL_UBI,
    DISTRIBUTION_OPENMANDRIVA,
    DISTRIBUTION_ROCKY,
    DISTRIBUTION_ALMA,
    DISTRIBUTION_AZURE,
    DISTRIBUTION_CUSTOM,
    _DISTRIBUTION_MAX,
} Distribution;

const char *distribution_to_string(Distribution value);
gboolean distribution_from_string(const char *word, Distribution *ret);

typedef enum {
    ARCHITECTURE_ALPHA,
    ARCHITECTURE_ARC,
    ARCHITECTURE_ARM,
    ARCHITECTURE_ARM64,
    ARCHITECTURE_IA64,
    ARCHITECTURE_LOONGARCH64,
    ARCHITECTURE_MIPS_LE,
    ARCHITECTURE_MIPS64_LE,
    ARCHITECTURE_PARISC,
    ARCHITECTURE_PPC,
    ARCHITECTURE_PPC64,
    ARCHITECTURE_PPC64_LE,
    ARCHITECTURE_RISCV32,
    ARCHITECTURE_RISCV64,
    ARCHITECTURE_S390,
    ARCHITECTURE_S390X,
    ARCHITECTURE_TILEGX,
    ARCHITECTURE_X86,
    ARCHITECTURE_X86_64,
    _ARCHITECTURE_MAX,
} Architecture;

const char *architecture_to_string(Architecture value);
gboolean architecture_from_string(const char *word, Architecture *ret);

typedef enum {
    OUTPUT_FORMAT_CONFEXT,
    OUTPUT_FORMAT_CPIO,
    OUTPUT_FORMAT_DIRECTORY,
    OUTPUT_FORMAT_DISK,
    OUTPUT_FORMAT_ESP,
    OUTPUT_FORMAT_NONE,
    OUTPUT_FORMAT_PORTABLE,
    OUTPUT_FORMAT_SYSEXT,
    OUTPUT_FORMAT_TAR,
    OUTPUT_FORMAT_UKI,
    OUTPUT_FORMAT_OCI,
    OUTPUT_FORMAT_ADDON,
    _OUTPUT_FORMAT_MAX,
} OutputFormat;

const char *output_format_to_string(OutputFormat value);
gboolean output_format_from_string(const char *word, OutputFormat *ret);

typedef enum {
    COMPRESSION_NONE,
    COMPRESSION_ZSTD,
    COMPRESSION_XZ,
    COMPRESSION_BZ2,
    COMPRESSION_GZ,
    COMPRESSION_LZ4,
    COMPRESSION_LZMA,
    _COMPRESSION_MAX,
} Compression;

const char *compression_to_string(Compression value);
gboolean compression_from_string(const char *word, Compression *ret);

typedef enum {
    BOOTLOADER_NONE,
    BOOTLOADER_UKI,
    BOOTLOADER_SYSTEMD_BOOT,
    BOOTLOADER_GRUB,
    BOOTLOADER_UKI_SIGNED,
    BOOTLOADER_SYSTEMD_BOOT_SIGNED,
    BOOTLOADER_GRUB_SIGNED,
    _BOOTLOADER_MAX,
} Bootloader;

const char *bootloader_to_string(Bootloader value);
gboolean bootloader_from_string(const char *word, Bootloader *ret);

typedef enum {
    BIOS_BOOTLOADER_NONE,
    BIOS_BOOTLOADER_GRUB,
    _BIOS_BOOTLOADER_MAX,
} BiosBootloader;

const char *bios_bootloader_to_string(BiosBootloader value);
gboolean bios_bootloader_from_string(const char *word, BiosBootloader *ret);

typedef enum {
    SHIM_BOOTLOADER_NONE,
    SHIM_BOOTLOADER_SIGNED,
    SHIM_BOOTLOADER_UNSIGNED,
    _SHIM_BOOTLOADER_MAX,
} ShimBootloader;

const char *shim_bootloader_to_string(ShimBootloader value);
gboolean shim_bootloader_from_string(const char *word, ShimBootloader *ret);

typedef enum {
    UNIFIED_KERNEL_IMAGE_NONE,
    UNIFIED_KERNEL_IMAGE_AUTO,
    UNIFIED_KERNEL_IMAGE_SIGNED,
    UNIFIED_KERNEL_IMAGE_UNSIGNED,
    _UNIFIED_KERNEL_IMAGE_MAX,
} UnifiedKernelImage;

const char *unified_kernel_image_to_string(UnifiedKernelImage value);
gboolean unified_kernel_image_from_string(const char *word, UnifiedKernelImage *ret);

typedef enum {
    SSH_ALWAYS,
    SSH_AUTO,
    SSH_RUNTIME,
    SSH_NEVER,
    _SSH_MAX,
} Ssh;

const char *ssh_to_string(Ssh value);
gboolean ssh_from_string(const char *word, Ssh *ret);

typedef enum {
    SECURE_BOOT_SIGN_TOOL_AUTO,
    SECURE_BOOT_SIGN_TOOL_SBSIGN,
    SECURE_BOOT_SIGN_TOOL_SYSTEMD_SBSIGN,
    _SECURE_BOOT_SIGN_TOOL_MAX,
} SecureBootSignTool;

const char *secure_boot_sign_tool_to_string(SecureBootSignTool value);
gboolean secure_boot_sign_tool_from_string(const char *word, SecureBootSignTool *ret);

/* Sign= */
typedef enum {
    SIGN_NO,
    SIGN_YES,
    SIGN_OFFLINE,
} Sign;

#define SIGN_OFFLINE_WORD "offline"

typedef enum {
    VERITY_DISABLED,
    VERITY_HASH,
    VERITY_SIGNED,
    VERITY_DEFER,
    VERITY_AUTO,
    _VERITY_MAX,
} Verity;

const char *verity_to_string(Verity value);
gboolean verity_from_string(const char *word, Verity *ret);

typedef enum {
    INCREMENTAL_YES,
    INCREMENTAL_NO,
    INCREMENTAL_STRICT,
    _INCREMENTAL_MAX,
} Incremental;

const char *incremental_to_string(Incremental value);
gboolean incremental_from_string(const char *word, Incremental *ret);

typedef enum {
    CACHE_ONLY_ALWAYS,
    CACHE_ONLY_AUTO,
    CACHE_ONLY_METADATA,
    CACHE_ONLY_NEVER,
    _CACHE_ONLY_MAX,
} CacheOnly;

const char *cache_only_to_string(CacheOnly value);
gboolean cache_only_from_string(const char *word, CacheOnly *ret);

typedef enum {
    BUILD_SOURCES_EPHEMERAL_YES,
    BUILD_SOURCES_EPHEMERAL_NO,
    BUILD_SOURCES_EPHEMERAL_BUILDCACHE,
    _BUILD_SOURCES_EPHEMERAL_MAX,
} BuildSourcesEphemeral;

const char *build_sources_ephemeral_to_string(BuildSourcesEphemeral value);
gboolean build_sources_ephemeral_from_string(const char *word, BuildSourcesEphemeral *ret);

typedef enum {
    NETWORK_INTERFACE,
    NETWORK_USER,
    NETWORK_NONE,
    _NETWORK_MAX,
} Network;

const char *network_to_string(Network value);
gboolean network_from_string(const char *word, Network *ret);

typedef enum {
    VMM_QEMU,
    VMM_VMSPAWN,
    _VMM_MAX,
} Vmm;

const char *vmm_to_string(Vmm value);
gboolean vmm_from_string(const char *word, Vmm *ret);

typedef enum {
    QEMU_DISK_TYPE_VIRTIO_BLK,
    QEMU_DISK_TYPE_VIRTIO_SCSI,
    QEMU_DISK_TYPE_NVME,
    QEMU_DISK_TYPE_SCSI_CD,
    _QEMU_DISK_TYPE_MAX,
} QemuDiskType;

const char *qemu_disk_type_to_string(QemuDiskType value);
gboolean qemu_disk_type_from_string(const char *word, QemuDiskType *ret);

typedef enum {
    FIRMWARE_AUTO,
    FIRMWARE_LINUX,
    FIRMWARE_LINUX_NOINITRD,
    FIRMWARE_UEFI,
    FIRMWARE_UEFI_SECURE_BOOT,
    _FIRMWARE_MAX,
} Firmware;

const char *firmware_to_string(Firmware value);
gboolean firmware_from_string(const char *word, Firmware *ret);

typedef enum {
    CONSOLE_MODE_INTERACTIVE,
    CONSOLE_MODE_READ_ONLY,
    CONSOLE_MODE_NATIVE,
    CONSOLE_MODE_GUI,
    CONSOLE_MODE_HEADLESS,
    _CONSOLE_MODE_MAX,
} ConsoleMode;

const char *console_mode_to_string(ConsoleMode value);
gboolean console_mode_from_string(const char *word, ConsoleMode *ret);

typedef enum {
    FEATURE_AUTO,
    FEATURE_ENABLED,
    FEATURE_DISABLED,
    _FEATURE_MAX,
} Feature;

const char *feature_to_string(Feature value);
gboolean feature_from_string(const char *word, Feature *ret);

typedef enum {
    KEY_SOURCE_FILE,
    KEY_SOURCE_ENGINE,
    KEY_SOURCE_PROVIDER,
    _KEY_SOURCE_MAX,
} KeySourceType;

const char *key_source_type_to_string(KeySourceType value);
gboolean key_source_type_from_string(const char *word, KeySourceType *ret);

typedef enum {
    MANIFEST_FORMAT_JSON = 1 << 0,
    MANIFEST_FORMAT_CHANGELOG = 1 << 1,
} ManifestFormatFlags;

typedef enum {
    ARTIFACT_UKI = 1 << 0,
    ARTIFACT_KERNEL = 1 << 1,
    ARTIFACT_INITRD = 1 << 2,
    ARTIFACT_PARTITIONS = 1 << 3,
    ARTIFACT_TAR = 1 << 4,
    ARTIFACT_PCRS = 1 << 5,
    ARTIFACT_ROOTHASH = 1 << 6,
    ARTIFACT_OS_RELEASE = 1 << 7,
    ARTIFACT_KERNEL_MODULES_INITRD = 1 << 8,
    ARTIFACT_REPART_DEFINITIONS = 1 << 9,
} ArtifactFlags;

/* Names of the architecture in other worlds, or NULL where there is none (reference, chapter 13). */
const char *architecture_to_efi(Architecture architecture);    /* "x64" */
const char *architecture_to_qemu(Architecture architecture);   /* "x86_64" */
const char *architecture_to_debian(Architecture architecture); /* "amd64" */
const char *architecture_to_oci(Architecture architecture);    /* "amd64", as Go calls it */
Architecture architecture_native(void);
