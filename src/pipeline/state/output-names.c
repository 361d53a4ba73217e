/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pipeline/state/output-names.h"

static const char *const compression_suffixes[] = {
        [COMPRESSION_NONE] = "",
        [COMPRESSION_ZSTD] = ".zst",
        [COMPRESSION_XZ] = ".xz",
        [COMPRESSION_BZ2] = ".bz2",
        [COMPRESSION_GZ] = ".gz",
        [COMPRESSION_LZ4] = ".lz4",
        [COMPRESSION_LZMA] = ".lzma",
};

static const char *format_extension(OutputFormat format) {
    switch (format) {
    case OUTPUT_FORMAT_CPIO:
        return "cpio";
    case OUTPUT_FORMAT_TAR:
        return "tar";
    case OUTPUT_FORMAT_UKI:
    case OUTPUT_FORMAT_ADDON:
        return "efi";
    case OUTPUT_FORMAT_DIRECTORY:
    case OUTPUT_FORMAT_OCI:
    case OUTPUT_FORMAT_NONE:
        return "";
    default:
        return "raw";
    }
}

gboolean outputs_are_disks(const ImageConfig *config) {
    switch (config->format) {
    case OUTPUT_FORMAT_DISK:
    case OUTPUT_FORMAT_SYSEXT:
    case OUTPUT_FORMAT_CONFEXT:
    case OUTPUT_FORMAT_PORTABLE:
        return TRUE;
    default:
        return FALSE;
    }
}

const char *outputs_compression_suffix(const ImageConfig *config) {
    switch (config->format) {
    case OUTPUT_FORMAT_UKI:
    case OUTPUT_FORMAT_ESP:
    case OUTPUT_FORMAT_ADDON:
    case OUTPUT_FORMAT_OCI:
    case OUTPUT_FORMAT_DIRECTORY:
    case OUTPUT_FORMAT_NONE:
        return "";
    default:
        return compression_suffixes[config->compress_output];
    }
}

char *outputs_plain_name(const ImageConfig *config) {
    const char *extension =
            config->output_extension ? config->output_extension : format_extension(config->format);
    return g_strconcat(config->output, *extension ? "." : "", extension, NULL);
}

char *outputs_main_name(const ImageConfig *config) {
    g_autofree char *plain = outputs_plain_name(config);
    return g_strconcat(plain, outputs_compression_suffix(config), NULL);
}

char *outputs_tar_name(const ImageConfig *config) {
    return g_strconcat(config->output, ".tar", compression_suffixes[config->compress_output], NULL);
}

char **outputs_names(const ImageConfig *config) {
    static const char *const suffixes[] = {"", ".efi", ".vmlinuz", ".initrd", ".pcrs", ".roothash",
            ".osrelease", ".kernel-modules-initrd", ".repart.d", ".nspawn", ".SHA256SUMS", ".SHA256SUMS.gpg",
            ".import-pubring.gpg", ".signing", ".manifest", ".changelog", ".efinvramstate", ".tpmstate"};
    GPtrArray *names = g_ptr_array_new();

    for (size_t i = 0; i < G_N_ELEMENTS(suffixes); i++)
        g_ptr_array_add(names, g_strconcat(config->output, suffixes[i], NULL));
    for (size_t i = 0; i < G_N_ELEMENTS(compression_suffixes); i++) {
        g_ptr_array_add(names, g_strconcat(config->output, ".tar", compression_suffixes[i], NULL));
        g_ptr_array_add(names, g_strconcat(config->output, ".*.raw", compression_suffixes[i], NULL));
    }
    g_ptr_array_add(names, outputs_plain_name(config));
    g_ptr_array_add(names, outputs_main_name(config));
    g_ptr_array_add(names, NULL);
    return (char **) g_ptr_array_free(names, FALSE);
}

const ImageConfig *outputs_find(const Recipe *recipe, const char *directory, const char *output) {
    g_autofree char *wanted = g_canonicalize_filename(directory, NULL);

    for (ImageConfig **config = recipe->images; config && *config; config++) {
        g_autofree char *made = g_canonicalize_filename(image_config_output_directory(*config), NULL);
        if (g_str_equal((*config)->output, output) && g_str_equal(made, wanted))
            return *config;
    }
    return NULL;
}

char *outputs_main_path(const ImageConfig *config) {
    g_autofree char *name = outputs_main_name(config);
    return g_build_filename(image_config_output_directory(config), name, NULL);
}

CompressorKind outputs_compressor(const ImageConfig *config) {
    switch (config->compress_output) {
    case COMPRESSION_NONE:
        return COMPRESSOR_NONE;
    case COMPRESSION_ZSTD:
        return COMPRESSOR_ZSTD;
    case COMPRESSION_XZ:
        return COMPRESSOR_XZ;
    case COMPRESSION_BZ2:
        return COMPRESSOR_BZIP2;
    case COMPRESSION_GZ:
        return COMPRESSOR_GZIP;
    case COMPRESSION_LZ4:
        /* An initramfs has to be in the format that the kernel reads. */
        return config->format == OUTPUT_FORMAT_CPIO ? COMPRESSOR_LZ4_LEGACY : COMPRESSOR_LZ4;
    case COMPRESSION_LZMA:
        return COMPRESSOR_LZMA;
    default:
        break;
    }
    g_return_val_if_reached(COMPRESSOR_NONE);
}

gboolean outputs_have_keyring(const ImageConfig *config) {
    return config->sign == SIGN_YES && config->checksum && g_str_equal(config->openpgp_tool, "builtin");
}
