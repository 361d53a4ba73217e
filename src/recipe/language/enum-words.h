/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The words of each enumeration in the order of its C values, NULL-terminated. */

extern const char *const distribution_words[];
extern const char *const architecture_words[];
extern const char *const output_format_words[];
extern const char *const compression_words[];
extern const char *const bootloader_words[];
extern const char *const bios_bootloader_words[];
extern const char *const shim_bootloader_words[];
extern const char *const unified_kernel_image_words[];
extern const char *const ssh_words[];
extern const char *const secure_boot_sign_tool_words[];
extern const char *const verity_words[];
extern const char *const incremental_words[];
extern const char *const cache_only_words[];
extern const char *const build_sources_ephemeral_words[];
extern const char *const network_words[];
extern const char *const vmm_words[];
extern const char *const qemu_disk_type_words[];
extern const char *const firmware_words[];
extern const char *const console_mode_words[];
extern const char *const feature_words[];
extern const char *const key_source_type_words[];

/* In the order of the bits of ManifestFormatFlags and ArtifactFlags. */
extern const char *const manifest_format_words[];
extern const char *const artifact_words[];

/* Index of WORD in WORDS, or -1. */
int word_index(const char *const *words, const char *word);
