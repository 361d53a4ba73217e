/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "result.h"

void work_result_clear(WorkResult *result) {
    g_clear_pointer(&result->detail, g_free);
    g_clear_pointer(&result->failing_lines, g_free);
    g_clear_pointer(&result->artifacts, json_array_unref);
}

void work_fail(WorkerJob *job, WorkResult *result, const char *failure, const GError *error) {
    if (g_error_matches(error, HTTP_ERROR, HTTP_ERROR_CANCELLED) || g_atomic_int_get(&job->stop)) {
        result->state = "cancelled";
        return;
    }
    result->state = "failed";
    result->failure = g_error_matches(error, HTTP_ERROR, HTTP_ERROR_LIMIT) ? "check" : failure;
    result->detail = g_strdup(error->message);
    worker_job_say(job, "%s", error->message);
}
