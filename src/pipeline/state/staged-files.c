/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pipeline/state/staged-files.h"

#include "base/directory.h"
#include "pipeline/state/output-conflicts.h"
#include "pipeline/state/output-names.h"

GPtrArray *staged_files_list(const ImageBuild *image, GError **error) {
    g_autoptr(GPtrArray) files = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GPtrArray) names = list_directory(image->places.staging, error);

    for (guint i = 0; names && i < names->len; i++) {
        g_autofree char *path = g_build_filename(image->places.staging, names->pdata[i], NULL);
        if (g_file_test(path, G_FILE_TEST_IS_REGULAR) && !g_file_test(path, G_FILE_TEST_IS_SYMLINK))
            g_ptr_array_add(files, g_strdup(names->pdata[i]));
    }
    return names ? g_steal_pointer(&files) : NULL;
}

gboolean staged_file_write(ImageBuild *image, const char *name, GBytes *content, GError **error) {
    g_autofree char *path = g_build_filename(image->places.staging, name, NULL);
    gsize length;
    const char *data = g_bytes_get_data(content, &length);

    return outputs_check_free(image, name, error) &&
           g_file_set_contents_full(path, data, length, G_FILE_SET_CONTENTS_NONE, 0644, error);
}

gboolean staged_file_write_suffix(ImageBuild *image, const char *suffix, GBytes *content, GError **error) {
    g_autofree char *name = g_strconcat(image->config->output, suffix, NULL);
    return staged_file_write(image, name, content, error);
}

gboolean staged_file_write_main(ImageBuild *image, GBytes *content, GError **error) {
    g_autofree char *name = outputs_main_name(image->config);

    image->output = g_build_filename(image->places.staging, name, NULL);
    return staged_file_write(image, name, content, error);
}
