/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Names of outputs, and their way from staging into the output directory. */

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "build/boot.h"
#include "build/outputs.h"
#include "tree/tree.h"
#include "ui/cleanup.h"

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

static const char *compression_suffix(const ImageConfig *config) {
    static const char *const suffixes[] = {
            [COMPRESSION_ZSTD] = ".zst",
            [COMPRESSION_XZ] = ".xz",
            [COMPRESSION_BZ2] = ".bz2",
            [COMPRESSION_GZ] = ".gz",
            [COMPRESSION_LZ4] = ".lz4",
            [COMPRESSION_LZMA] = ".lzma",
    };

    switch (config->format) {
    case OUTPUT_FORMAT_UKI:
    case OUTPUT_FORMAT_ESP:
    case OUTPUT_FORMAT_ADDON:
    case OUTPUT_FORMAT_OCI:
    case OUTPUT_FORMAT_DIRECTORY:
    case OUTPUT_FORMAT_NONE:
        return "";
    default:
        return config->compress_output == COMPRESSION_NONE ? "" : suffixes[config->compress_output];
    }
}

char *outputs_main_name(const ImageConfig *config) {
    const char *extension =
            config->output_extension ? config->output_extension : format_extension(config->format);
    return g_strconcat(config->output, *extension ? "." : "", extension, compression_suffix(config), NULL);
}

char **outputs_names(const ImageConfig *config) {
    static const char *const suffixes[] = {"", ".efi", ".vmlinuz", ".initrd", ".pcrs", ".roothash",
            ".osrelease", ".kernel-modules-initrd", ".repart.d", ".nspawn", ".SHA256SUMS", ".SHA256SUMS.gpg",
            ".manifest", ".changelog", ".efinvramstate", ".tpmstate", ".tar", ".*.raw"};
    GPtrArray *names = g_ptr_array_new();

    for (size_t i = 0; i < G_N_ELEMENTS(suffixes); i++)
        g_ptr_array_add(names, g_strconcat(config->output, suffixes[i], NULL));
    g_ptr_array_add(names, outputs_main_name(config));
    g_ptr_array_add(names, NULL);
    return (char **) g_ptr_array_free(names, FALSE);
}

gboolean step_split_files(ImageBuild *image, GError **error) {
    const ImageConfig *config = image->config;

    if ((config->split_artifacts & ARTIFACT_OS_RELEASE) && image->os_release) {
        g_autofree char *name = g_strconcat(config->output, ".osrelease", NULL);
        if (!boot_write_artifact(image, name, image->os_release, error))
            return FALSE;
    }
    if ((config->split_artifacts & ARTIFACT_REPART_DEFINITIONS) && config->repart_directories[0]) {
        g_autofree char *path = g_strdup_printf("%s/%s.repart.d", image->staging, config->output);
        for (char **directory = config->repart_directories; *directory; directory++)
            if (!tree_copy(AT_FDCWD, *directory, AT_FDCWD, path, 0, error))
                return FALSE;
    }
    return TRUE;
}

gboolean step_link(ImageBuild *image, GError **error) {
    g_autofree char *name = outputs_main_name(image->config);
    g_autofree char *link = g_build_filename(image->staging, image->config->output, NULL);

    if (g_str_equal(name, image->config->output) || image->config->format == OUTPUT_FORMAT_NONE ||
            symlink(name, link) == 0)
        return TRUE;
    g_set_error(error, G_FILE_ERROR, g_file_error_from_errno(errno), "Cannot link %s to %s: %s", link, name,
            g_strerror(errno));
    return FALSE;
}

static gboolean apply_mode(const ImageConfig *config, const char *path, GError **error) {
    if (config->output_mode < 0 || g_file_test(path, G_FILE_TEST_IS_SYMLINK) ||
            chmod(path, config->output_mode & 07777) == 0)
        return TRUE;
    g_set_error(error, G_FILE_ERROR, g_file_error_from_errno(errno),
            "OutputMode=: cannot change the mode of %s: %s", path, g_strerror(errno));
    return FALSE;
}

static gboolean move_output(const ImageConfig *config, const char *staging, const char *name,
        const char *directory, GError **error) {
    g_autofree char *from = g_build_filename(staging, name, NULL);
    g_autofree char *to = g_build_filename(directory, name, NULL);

    if (!apply_mode(config, from, error))
        return FALSE;
    if (rename(from, to) == 0)
        return TRUE;
    /* A directory is only replaced when it is empty. */
    if ((errno == ENOTEMPTY || errno == EEXIST || errno == EISDIR || errno == ENOTDIR) &&
            tree_remove(AT_FDCWD, to, NULL) && rename(from, to) == 0)
        return TRUE;
    g_set_error(error, G_FILE_ERROR, g_file_error_from_errno(errno), "Cannot move %s to %s: %s", from, to,
            g_strerror(errno));
    return FALSE;
}

static GPtrArray *list_directory(const char *path, GError **error) {
    g_autoptr(GDir) dir = g_dir_open(path, 0, error);
    g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
    const char *name;

    if (!dir)
        return NULL;
    while ((name = g_dir_read_name(dir)))
        g_ptr_array_add(names, g_strdup(name));
    return g_steal_pointer(&names);
}

/* Removes what matches the names of outputs, except KEEP (names, may be NULL). */
static gboolean remove_outputs(
        const ImageConfig *config, const char *directory, GPtrArray *keep, GError **error) {
    g_autoptr(GPtrArray) present = list_directory(directory, NULL);
    g_auto(GStrv) patterns = outputs_names(config);

    for (guint i = 0; present && i < present->len; i++) {
        const char *name = present->pdata[i];
        gboolean match = FALSE;

        for (char **pattern = patterns; *pattern && !match; pattern++)
            match = strchr(*pattern, '*') ? g_pattern_match_simple(*pattern, name)
                                          : g_str_equal(*pattern, name);
        if (!match || (keep && g_ptr_array_find_with_equal_func(keep, name, g_str_equal, NULL)))
            continue;
        g_autofree char *path = g_build_filename(directory, name, NULL);
        if (!tree_remove(AT_FDCWD, path, error))
            return FALSE;
    }
    return TRUE;
}

gboolean outputs_publish(ImageBuild *image, GError **error) {
    const char *directory = build_output_directory(image->build, image->config);
    g_autoptr(GPtrArray) names = list_directory(image->staging, error);

    if (!names)
        return FALSE;
    for (guint i = 0; i < names->len; i++)
        if (!move_output(image->config, image->staging, names->pdata[i], directory, error))
            return FALSE;
    /* State of a machine that ran the image before belongs to the old image. */
    return remove_outputs(image->config, directory, names, error);
}

gboolean outputs_remove(const ImageConfig *config, const char *directory, GError **error) {
    return remove_outputs(config, directory, NULL, error);
}
