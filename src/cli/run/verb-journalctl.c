/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The verbs journalctl and coredumpctl: what an image that has run keeps. */

#include "cli/run/host-program.h"
#include "cli/verbs.h"
#include "pipeline/state/output-names.h"

static gboolean refuse(GError **error, const char *format, ...) G_GNUC_PRINTF(2, 3);
static gboolean refuse(GError **error, const char *format, ...) {
    va_list list;
    va_start(list, format);
    *error = g_error_new_valist(RECIPE_ERROR, RECIPE_ERROR_SYNTAX, format, list);
    va_end(list);
    return FALSE;
}

static gboolean run(const VerbCall *call, const char *program, int *ret_exit_status, GError **error) {
    const ImageConfig *config = call->recipe->main;
    g_autofree char *path = outputs_main_path(config);
    if (config->format != OUTPUT_FORMAT_DISK && config->format != OUTPUT_FORMAT_DIRECTORY)
        return refuse(error, "%s cannot look into an image with Format=%s; it can with disk and directory", program,
                output_format_to_string(config->format));
    if (config->ephemeral)
        return refuse(error,
                "With Ephemeral=yes nothing is kept that %s could show; ForwardJournal= keeps "
                "the journal on the host",
                program);
    if (!g_file_test(path, G_FILE_TEST_EXISTS))
        return refuse(error, "There is no %s: build the image and boot it first", path);
    gboolean directory = g_file_test(path, G_FILE_TEST_IS_DIR);
    g_autofree char *found = host_program_find(config, program, error);
    if (!found || (!directory && !host_program_need_root("Looking into a disk image", error)))
        return FALSE;
    g_autoptr(Sandbox) sandbox = host_program_sandbox(config, error);
    if (!sandbox)
        return FALSE;
    if (!directory)
        host_program_allow_unverified(sandbox);
    g_autofree char *option = g_strconcat(directory ? "--root=" : "--image=", path, NULL);
    g_autoptr(GPtrArray) words = g_ptr_array_new();
    g_ptr_array_add(words, found);
    g_ptr_array_add(words, option);
    for (char **word = call->arguments->words; *word; word++)
        g_ptr_array_add(words, *word);
    g_ptr_array_add(words, NULL);
    return host_program_run(sandbox, (const char *const *) words->pdata, ret_exit_status, error);
}

gboolean verb_journalctl(const VerbCall *call, int *ret_exit_status, GError **error) {
    return run(call, "journalctl", ret_exit_status, error);
}

gboolean verb_coredumpctl(const VerbCall *call, int *ret_exit_status, GError **error) {
    return run(call, "coredumpctl", ret_exit_status, error);
}
