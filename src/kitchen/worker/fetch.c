/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fetch.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/errors.h"
#include "kitchen/worker/builder.h"

static int get_archive(WorkerJob *job, GError **error) {
    const char *digest = worker_job_text(job, "source");
    g_autofree char *rest = g_strconcat("objects/", digest ?: "", NULL);
    g_autofree char *url = worker_job_url(job, rest);
    AUTO_FD fd = open(job->path, O_RDWR | O_TMPFILE | O_CLOEXEC, 0600);

    if (fd < 0) {
        set_errno_error(error, errno, "Cannot make a file in %s", job->path);
        return -1;
    }
    if (!digest) {
        g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_INVAL, "The job has no recipe");
        return -1;
    }
    return http_get(job->http, url, fd, error) ? steal_fd(&fd) : -1;
}

/* tar refuses names that lead out of the directory. */
static gboolean unpack(WorkerJob *job, int archive, GError **error) {
    g_autofree char *tree = g_build_filename(job->path, "tree", NULL);
    const char *arguments[] = {"tar", "--extract", "--no-same-owner", "--file=/dev/fd/3", "--directory", tree, NULL};
    int status = 0;

    if (g_mkdir(tree, 0755) < 0)
        return set_errno_error(error, errno, "Cannot make %s", tree);
    if (!builder_run(job, arguments, -1, archive, &status, error))
        return FALSE;
    if (status != 0)
        g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_FAILED, "The recipe cannot be unpacked (tar: status %d)", status);
    return status == 0;
}

/* Links of the repository do not lead the builder, or what is written for it, elsewhere. */
static gboolean lies_in_tree(const WorkerJob *job) {
    g_autofree char *tree = g_build_filename(job->path, "tree", NULL);
    char *top = realpath(tree, NULL), *recipe = realpath(job->recipe, NULL);
    gsize size = top ? strlen(top) : 0;
    gboolean inside = top && recipe && strncmp(recipe, top, size) == 0 && (recipe[size] == '/' || recipe[size] == '\0');

    free(top);
    free(recipe);
    return inside;
}

gboolean fetch_recipe(WorkerJob *job, GError **error) {
    AUTO_FD archive = get_archive(job, error);

    if (archive < 0 || !unpack(job, archive, error)) {
        g_prefix_error(error, "Cannot fetch the recipe: ");
        return FALSE;
    }
    if (g_file_test(job->recipe, G_FILE_TEST_IS_DIR) && lies_in_tree(job))
        return TRUE;
    g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_NOENT, "There is no directory %s in the repository",
            worker_job_text(job, "directory"));
    return FALSE;
}
