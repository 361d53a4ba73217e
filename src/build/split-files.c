/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The step that writes files beside the main output which are copies of something. */

#include <fcntl.h>

#include "build/boot.h"
#include "build/outputs.h"
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
    return boot_write_artifact(image, name, content, error);
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
    return copy_nspawn_settings(image, error);
}
