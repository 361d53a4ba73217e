/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The step that writes files beside the main output which are copies of something. */

#include <fcntl.h>

#include "build/boot.h"
#include "build/outputs.h"
#include "tree/tree.h"

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
