/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "call.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/errors.h"
#include "base/io.h"

/* A log that is longer says so and ends. */
#define LOG_SIZE_MAX (256 * G_GINT64_CONSTANT(1048576))
#define STEP_SIZE_MAX 200

char *worker_api_log_path(const char *logs, gint64 job) {
    return g_strdup_printf("%s/%" G_GINT64_FORMAT ".log", logs, job);
}

char *worker_api_events_path(const char *logs, gint64 job) {
    return g_strdup_printf("%s/%" G_GINT64_FORMAT ".events", logs, job);
}

/* Appends the body when the file has OFFSET bytes; RET_SIZE receives how many it has then. Bytes that came before (the
 * answer was lost) are passed over. */
static gboolean append(WorkerCall *call, const char *path, gint64 offset, gint64 *ret_size, GError **error) {
    AUTO_FD fd = open(path, O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0644);
    struct stat about;

    if (fd < 0 || fstat(fd, &about) < 0)
        return set_errno_error(error, errno, "Cannot open the log");
    *ret_size = about.st_size;
    if (offset != about.st_size || call->body->len == 0)
        return TRUE;
    if (about.st_size + call->body->len > LOG_SIZE_MAX) {
        g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_INVAL, "The log is too long: %d MiB are kept",
                (int) (LOG_SIZE_MAX / 1048576));
        return FALSE;
    }
    if (!pwrite_all(fd, call->body->data, call->body->len, (guint64) offset, error))
        return FALSE;
    *ret_size += call->body->len;
    return TRUE;
}

static void grow(WorkerCall *call, const char *path, gboolean is_log) {
    const char *text = g_hash_table_lookup(call->query, "offset"), *step = g_hash_table_lookup(call->query, "step");
    Model *model = call->api->settings.model;
    g_autoptr(JsonObject) body = json_object_new();
    g_autoptr(GError) failure = NULL;
    g_autofree char *short_step = step ? g_utf8_substring(step, 0, MIN(g_utf8_strlen(step, -1), STEP_SIZE_MAX)) : NULL;
    guint64 offset = 0;
    gint64 size = 0;

    if (!text || !g_ascii_string_to_unsigned(text, 10, 0, G_MAXINT64, &offset, NULL))
        call_fail(call, 400, "The log is appended to with ?offset=BYTES");
    else if (!append(call, path, (gint64) offset, &size, &failure) ||
             !job_heartbeat(model, call->job->id, is_log ? size : 0, short_step, &failure))
        call_fail_error(call, failure);
    json_object_set_int_member(body, "size", size);
    json_object_set_boolean_member(body, "cancel", call->job->cancel);
    call_answer(call, 200, body);
    call_finish(call);
}

void log_end(WorkerCall *call) {
    g_autofree char *path = worker_api_log_path(call->api->logs, call->job->id);

    grow(call, path, TRUE);
}

void events_end(WorkerCall *call) {
    g_autofree char *path = worker_api_events_path(call->api->logs, call->job->id);

    grow(call, path, FALSE);
}
