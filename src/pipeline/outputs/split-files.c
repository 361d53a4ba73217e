/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The step that writes files beside the main output which are copies of something. */

#include "pipeline/outputs/split-files.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>

#include "base/cleanup.h"
#include "base/errors.h"
#include "image/definitions/partition-definition.h"
#include "pipeline/state/output-conflicts.h"
#include "pipeline/state/staged-files.h"
#include "tree/tree.h"

static gboolean copy_nspawn_settings(ImageBuild *image, GError **error) {
    const ImageConfig *config = image->config;
    g_autofree char *name = g_strconcat(config->output, ".nspawn", NULL);
    g_autofree char *text = NULL;
    gsize length;

    if (!config->nspawn_settings)
        return TRUE;
    if (!g_file_get_contents(config->nspawn_settings, &text, &length, error)) {
        g_prefix_error(error, "NSpawnSettings=: ");
        return FALSE;
    }
    g_autoptr(GBytes) content = g_bytes_new_take(g_steal_pointer(&text), length);
    return staged_file_write(image, name, content, error);
}

static gboolean write_definitions(const char *directory, char *const *parts, GError **error) {
    AUTO_FD fd = -1;

    if (g_mkdir(directory, 0755) < 0 || (fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0)
        return set_errno_error(error, errno, "Cannot make %s", directory);
    for (; *parts; parts += 2)
        if (!tree_write_file(fd, parts[0], parts[1], -1, 0644, error))
            return FALSE;
    return TRUE;
}

/* Those that the disk was made from: the format's own, the recipe's, or the default. */
static gboolean split_definitions(ImageBuild *image, GError **error) {
    const ImageConfig *config = image->config;
    const DiskOptions *options = image->disk.options;
    g_autofree char *name = g_strconcat(config->output, ".repart.d", NULL);
    g_autofree char *path = g_build_filename(image->places.staging, name, NULL);

    if (!(config->split_artifacts & ARTIFACT_REPART_DEFINITIONS) || !options)
        return TRUE;
    if (!outputs_check_free(image, name, error))
        return FALSE;
    if (options->builtin_definitions)
        return write_definitions(path, (char *const *) options->builtin_definitions, error);
    if (!config->repart_directories[0]) {
        g_auto(GStrv) parts =
                partition_definitions_default_texts(options->default_esp, options->default_root_format);
        return write_definitions(path, parts, error);
    }
    for (char **directory = config->repart_directories; *directory; directory++)
        if (!tree_copy(AT_FDCWD, *directory, AT_FDCWD, path, 0, error))
            return FALSE;
    return TRUE;
}

gboolean step_split_files(ImageBuild *image, GError **error) {
    const ImageConfig *config = image->config;

    if ((config->split_artifacts & ARTIFACT_OS_RELEASE) && image->os_release) {
        g_autofree char *name = g_strconcat(config->output, ".osrelease", NULL);
        if (!staged_file_write(image, name, image->os_release, error))
            return FALSE;
    }
    return split_definitions(image, error) && copy_nspawn_settings(image, error);
}
