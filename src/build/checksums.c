/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The step that writes Output.SHA256SUMS over everything in staging. */

#include <stdio.h>
#include <string.h>

#include "base/directory.h"
#include "base/hex.h"
#include "base/sha256.h"
#include "build/outputs.h"
#include "ui/step.h"

typedef struct {
    char *name;
    char *path;
    guint8 digest[SHA256_SIZE];
    GError *error;
} SumJob;

static void sum_job_free(gpointer data) {
    SumJob *job = data;
    g_free(job->name);
    g_free(job->path);
    g_clear_error(&job->error);
    g_free(job);
}

static void run_job(gpointer data, gpointer unused) {
    SumJob *job = data;
    (void) sha256_file(job->path, job->digest, &job->error);
}

static GPtrArray *list_jobs(const char *directory, GError **error) {
    g_autoptr(GPtrArray) jobs = g_ptr_array_new_with_free_func(sum_job_free);
    g_autoptr(GPtrArray) names = list_directory(directory, error);

    if (!names)
        return NULL;
    for (guint i = 0; i < names->len; i++) {
        const char *name = names->pdata[i];
        g_autofree char *path = g_build_filename(directory, name, NULL);
        if (!g_file_test(path, G_FILE_TEST_IS_REGULAR) || g_file_test(path, G_FILE_TEST_IS_SYMLINK))
            continue;
        SumJob *job = g_new0(SumJob, 1);
        job->name = g_strdup(name);
        job->path = g_steal_pointer(&path);
        g_ptr_array_add(jobs, job);
    }
    return g_steal_pointer(&jobs);
}

gboolean step_checksums(ImageBuild *image, GError **error) {
    g_autoptr(UiStep) step = NULL;
    g_autoptr(GPtrArray) jobs = NULL;
    g_autoptr(GString) text = g_string_new(NULL);
    g_autofree char *name = NULL;
    g_autofree char *path = NULL;
    GThreadPool *pool;

    if (!image->config->checksum)
        return TRUE;
    step = ui_step_begin(image->name, "Computing checksums");
    if (!(jobs = list_jobs(image->staging, error)))
        return FALSE;
    pool = g_thread_pool_new(run_job, NULL, g_get_num_processors(), FALSE, NULL);
    for (guint i = 0; i < jobs->len; i++)
        g_thread_pool_push(pool, jobs->pdata[i], NULL);
    g_thread_pool_free(pool, FALSE, TRUE);

    for (guint i = 0; i < jobs->len; i++) {
        SumJob *job = jobs->pdata[i];
        if (job->error) {
            g_propagate_error(error, g_steal_pointer(&job->error));
            return FALSE;
        }
        g_autofree char *hex = hex_encode(job->digest, sizeof(job->digest));
        g_string_append_printf(text, "%s *%s\n", hex, job->name);
    }
    name = g_strconcat(image->config->output, ".SHA256SUMS", NULL);
    path = g_build_filename(image->staging, name, NULL);
    if (!outputs_check_free(image, name, error) ||
            !g_file_set_contents_full(path, text->str, text->len, G_FILE_SET_CONTENTS_NONE, 0644, error))
        return FALSE;
    ui_step_done(g_steal_pointer(&step), NULL);
    return TRUE;
}
