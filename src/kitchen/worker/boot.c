/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "boot.h"

#include <fcntl.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/directory.h"
#include "base/hex.h"
#include "base/sha256.h"
#include "kitchen/worker/builder.h"

/* What `particleos vm` says of a machine that does not come up. */
#define VERDICT "did not come up: "

/* Digests of all files of the output directory, by name: an array of "NAME DIGEST". */
static GPtrArray *digest_output(const WorkerJob *job, GError **error) {
    g_autoptr(GPtrArray) names = list_directory_if_any(job->output);
    g_autoptr(GPtrArray) digests = g_ptr_array_new_with_free_func(g_free);

    for (guint i = 0; i < names->len; i++) {
        const char *name = names->pdata[i];
        g_autofree char *path = g_build_filename(job->output, name, NULL);
        g_autofree char *hex = NULL;
        guint8 digest[SHA256_SIZE];

        if (*name == '.' || g_file_test(path, G_FILE_TEST_IS_SYMLINK) || !g_file_test(path, G_FILE_TEST_IS_REGULAR))
            continue;
        if (!sha256_file(path, digest, error))
            return NULL;
        hex = hex_encode(digest, sizeof digest);
        g_ptr_array_add(digests, g_strconcat(name, " ", hex, NULL));
    }
    return g_steal_pointer(&digests);
}

/* The first file that is another one than before; NULL: none. */
static const char *find_difference(GPtrArray *before, GPtrArray *after) {
    for (guint i = 0; i < MAX(before->len, after->len); i++) {
        const char *old = i < before->len ? before->pdata[i] : NULL, *new = i < after->len ? after->pdata[i] : NULL;

        if (g_strcmp0(old, new) != 0)
            return new ?: old;
    }
    return NULL;
}

static void fail(WorkerJob *job, WorkResult *result, const char *format, ...) G_GNUC_PRINTF(3, 4);
static void fail(WorkerJob *job, WorkResult *result, const char *format, ...) {
    va_list arguments;

    va_start(arguments, format);
    result->state = "failed";
    result->failure = "check";
    result->detail = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    worker_job_say(job, "%s", result->detail);
}

/* Why, by the words of the builder. Owned by the caller. */
static char *find_reason(const char *lines) {
    const char *verdict = strstr(lines, VERDICT);
    const char *start = verdict ? verdict + strlen(VERDICT) : NULL;
    gsize size = start ? strcspn(start, "\n") : 0;
    const char *end = start ? strstr(start, ". The end of its console") : NULL;

    if (start)
        return g_strndup(start, end && end < start + size ? (gsize) (end - start) : size);
    start = strrchr(lines, '\n');
    return g_strdup(start ? start + 1 : lines);
}

static gboolean run(WorkerJob *job, GPtrArray *common, WorkResult *result) {
    static const char *const verb[] = {"--ephemeral=yes", "--until-login", "vm", NULL};
    g_autoptr(GPtrArray) arguments = builder_arguments_with(common, verb);
    g_autoptr(GError) failure = NULL;
    gint64 start = builder_log_size(job);
    g_autofree char *lines = NULL;
    g_autofree char *reason = NULL;
    int status = 0;

    if (!builder_run(job, (const char *const *) arguments->pdata, -1, -1, &status, &failure)) {
        work_fail(job, result, "check", failure);
        return FALSE;
    }
    if (status == 0)
        return TRUE;
    lines = builder_last_lines(job, start);
    reason = find_reason(lines);
    fail(job, result, "The image does not start: %s", reason);
    result->failing_lines = g_steal_pointer(&lines);
    return FALSE;
}

gboolean boot_check(WorkerJob *job, GPtrArray *common, WorkResult *result) {
    g_autoptr(GError) failure = NULL;
    g_autoptr(GPtrArray) before = NULL;
    g_autoptr(GPtrArray) after = NULL;
    const char *other = NULL;

    if (!json_object_get_boolean_member_with_default(job->description, "boot", FALSE))
        return TRUE;
    if (job->format && strcmp(job->format, "disk") != 0) {
        fail(job, result, "Format=%s cannot be started before it is published: only a disk can", job->format);
        return FALSE;
    }
    worker_job_say(job, "Starting the image in a virtual machine, as the project asks for it");
    if (!(before = digest_output(job, &failure))) {
        work_fail(job, result, "check", failure);
        return FALSE;
    }
    if (!run(job, common, result))
        return FALSE;
    if (!(after = digest_output(job, &failure))) {
        work_fail(job, result, "check", failure);
        return FALSE;
    }
    other = find_difference(before, after);
    if (other)
        fail(job, result, "The start of the image changed its artifacts: %.*s", (int) strcspn(other, " "), other);
    return other == NULL;
}
