/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The step that writes Output.SHA256SUMS over everything in staging. */

#include "base/directory.h"
#include "base/sha256sums.h"
#include "events/step.h"
#include "pipeline/staging/outputs.h"

GPtrArray *outputs_list_files(const ImageBuild *image, GError **error) {
    g_autoptr(GPtrArray) files = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GPtrArray) names = list_directory(image->staging, error);

    for (guint i = 0; names && i < names->len; i++) {
        g_autofree char *path = g_build_filename(image->staging, names->pdata[i], NULL);
        if (g_file_test(path, G_FILE_TEST_IS_REGULAR) && !g_file_test(path, G_FILE_TEST_IS_SYMLINK))
            g_ptr_array_add(files, g_strdup(names->pdata[i]));
    }
    return names ? g_steal_pointer(&files) : NULL;
}

gboolean step_checksums(ImageBuild *image, GError **error) {
    if (!image->config->checksum)
        return TRUE;
    g_autoptr(EventsStep) step = events_step_begin(image->name, "Computing checksums");
    g_autofree char *name = g_strconcat(image->config->output, ".SHA256SUMS", NULL);
    g_autofree char *path = g_build_filename(image->staging, name, NULL);
    g_autoptr(GPtrArray) files = outputs_list_files(image, error);
    g_autofree char *text = files ? sha256sums_text(image->staging, files, error) : NULL;

    if (!text || !outputs_check_free(image, name, error) ||
            !g_file_set_contents_full(path, text, -1, G_FILE_SET_CONTENTS_NONE, 0644, error))
        return FALSE;
    events_step_done(g_steal_pointer(&step), NULL);
    return TRUE;
}
