/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/sha256sums.h"

#include <string.h>

#include "base/errors.h"
#include "base/hex.h"
#include "base/sha256.h"

typedef struct {
    const char *name;
    char *path;
    guint8 digest[SHA256_SIZE];
    GError *error;
} SumJob;

static void sum_job_free(gpointer data) {
    SumJob *job = data;
    g_free(job->path);
    g_clear_error(&job->error);
    g_free(job);
}

static void run_job(gpointer data, gpointer unused) {
    SumJob *job = data;
    ignore_failure(sha256_file(job->path, job->digest, &job->error));
}

char *sha256sums_text(const char *directory, GPtrArray *names, GError **error) {
    g_autoptr(GPtrArray) jobs = g_ptr_array_new_with_free_func(sum_job_free);
    GThreadPool *pool = g_thread_pool_new(run_job, NULL, g_get_num_processors(), FALSE, NULL);
    g_autoptr(GString) text = g_string_new(NULL);

    for (guint i = 0; i < names->len; i++) {
        SumJob *job = g_new0(SumJob, 1);
        job->name = names->pdata[i];
        job->path = g_build_filename(directory, job->name, NULL);
        g_ptr_array_add(jobs, job);
        g_thread_pool_push(pool, job, NULL);
    }
    g_thread_pool_free(pool, FALSE, TRUE);
    for (guint i = 0; i < jobs->len; i++) {
        SumJob *job = jobs->pdata[i];
        if (job->error) {
            g_propagate_error(error, g_steal_pointer(&job->error));
            return NULL;
        }
        g_autofree char *hex = hex_encode(job->digest, sizeof job->digest);
        g_string_append_printf(text, "%s *%s\n", hex, job->name);
    }
    return g_string_free(g_steal_pointer(&text), FALSE);
}

char *sha256sums_find(const char *text, const char *name) {
    g_autofree char *end = g_strconcat(" *", name, NULL);
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);

    for (char **line = lines; *line; line++)
        if (g_str_has_suffix(*line, end) && strchr(*line, ' ') == *line + strlen(*line) - strlen(end))
            return g_strndup(*line, strlen(*line) - strlen(end));
    return NULL;
}
