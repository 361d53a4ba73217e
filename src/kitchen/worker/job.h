/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What a worker was given to do, where it does it, and the ways of all its parts to the service. */

#include <json-glib/json-glib.h>

#include "kitchen/worker/http.h"

typedef struct {
    const char *url, *builder, *work, *package_cache; /* of the command line */
    gint64 id;
    JsonObject *description; /* the service's answer to the claim */
    char *token;
    char *path;   /* directory of the job, the same for each of its target: recipe, output, logs; removed at the end */
    char *recipe; /* directory of the recipe */
    char *output; /* where images go */
    char *cache;  /* of the project; stays */
    char *log_path, *events_path;
    char *format;    /* of the main image, once the inputs are known; NULL: not known */
    int log, events; /* open for appending */
    int lock;        /* of PATH */
    gint stop;       /* atomic: not 0 when the job was cancelled or taken away */
    gint over;       /* atomic: it was taken away: there is nobody to tell */
    Http *http;      /* of the main thread */
} WorkerJob;

/* Trades TICKET for the job, and makes its directories. */
WorkerJob *worker_job_claim(const char *url, const char *builder, const char *work, const char *package_cache,
        const char *ticket, GError **error);
void worker_job_free(WorkerJob *job);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(WorkerJob, worker_job_free)

/* The text NAME of the description; NULL when it is not there. */
const char *worker_job_text(const WorkerJob *job, const char *name);

/* "jobs/N/REST"; owned by the caller. */
char *worker_job_url(const WorkerJob *job, const char *rest);

/* Sends the part of FD as an object; RET_DIGEST is owned by the caller. */
gboolean worker_job_send_part(WorkerJob *job, int fd, gint64 offset, gint64 size, char **ret_digest,
        GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Sends the file PATH. */
gboolean worker_job_send_file(
        WorkerJob *job, const char *path, char **ret_digest, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* A line of the worker's own in the log. */
void worker_job_say(WorkerJob *job, const char *format, ...) G_GNUC_PRINTF(2, 3);
