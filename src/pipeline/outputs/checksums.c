/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The step that writes Output.SHA256SUMS over everything in staging. */

#include "pipeline/outputs/checksums.h"

#include "base/directory.h"
#include "base/sha256sums.h"
#include "events/step.h"
#include "pipeline/state/output-conflicts.h"
#include "pipeline/state/staged-files.h"

gboolean step_checksums(ImageBuild *image, GError **error) {
    if (!image->config->checksum)
        return TRUE;
    g_autoptr(EventsStep) step = events_step_begin(image->name, "Computing checksums");
    g_autofree char *name = g_strconcat(image->config->output, ".SHA256SUMS", NULL);
    g_autofree char *path = g_build_filename(image->places.staging, name, NULL);
    g_autoptr(GPtrArray) files = staged_files_list(image, error);
    g_autofree char *text = files ? sha256sums_text(image->places.staging, files, error) : NULL;

    if (!text || !outputs_check_free(image, name, error) ||
            !g_file_set_contents_full(path, text, -1, G_FILE_SET_CONTENTS_NONE, 0644, error))
        return FALSE;
    events_step_done(g_steal_pointer(&step), NULL);
    return TRUE;
}
