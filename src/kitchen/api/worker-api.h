/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What workers ask of the build service, as functions on requests: whoever speaks HTTP mounts them. Every request may be
 * repeated. Paths are relative to where it is mounted:
 *
 *     POST claim                 {"protocol": 1, "ticket", "token", "worker"}: the ticket for a token that the worker made.
 *                                The answer describes the job. Without a token in the header; all others need
 *                                "Authorization: Bearer TOKEN".
 *     GET  jobs/N                {"state", "cancel": true when the worker shall stop}
 *     POST jobs/N/inputs         an input set (`particleos inputs --json`), or nothing where there is none. Answers
 *                                {"decision": "build"} or {"decision": "skip", "reason"}: nothing changed, or it would
 *                                fail again
 *     POST jobs/N/log?offset=O   appends the body when the log has O bytes, and tells that the worker lives. Answers
 *                                {"size", "cancel"}: the worker goes on from there. "&step=" says what it does.
 *     POST jobs/N/events?offset=O  the same for events of steps, lines of JSON
 *     GET, PUT jobs/N/objects/SHA256  an object that this job has sent or was given
 *     POST jobs/N/sign           {"id", "type", "title", "objects", "digests"} as in signer/client/protocol.h, with "digest"
 *                                in each object. Answers {"answers": {NAME: BASE64}}
 *     POST jobs/N/finish         {"state": "done", "artifacts": [{"name", "kind", "digest"}]}, or
 *                                {"state": "failed", "failure", "detail", "failingLines"}, or {"state": "cancelled"}
 *
 * Errors are problem details (RFC 9457). 413: more than the project's limit of the disk. 410: the job is over, the worker ends. 503: later, the same again. */

#include <json-glib/json-glib.h>

#include "kitchen/model/database/model.h"
#include "kitchen/signing/sign-service.h"
#include "kitchen/store/store.h"

#define WORKER_API_PROTOCOL 1

typedef struct WorkerApi WorkerApi;

/* What an answer consists of. */
typedef struct {
    guint status;
    const char *content_type;
    GBytes *body;      /* NULL: none, or: */
    int fd;            /* a file that is the body; -1: none */
    gint64 size;       /* of the body */
    guint retry_after; /* seconds; 0: no such header */
} WorkerResponse;

/* Compares input sets: adds what differs to REASONS (of BuildReason); none: nothing does. BEFORE is NULL when nothing was
 * published yet. */
typedef gboolean (*WorkerCompare)(gpointer user, GBytes *before, GBytes *after, GPtrArray *reasons, GError **error);

typedef struct {
    Model *model;
    Store *store;
    SignService *signer;
    const char *logs;        /* directory */
    const char *publish_url; /* where devices find "NS/PROJECT/TARGET/CHANNEL"; may be NULL */
    gboolean development;    /* keys of new projects are for development */
    WorkerCompare compare;
    gpointer compare_user;
} WorkerApiSettings;

/* Model, store and signer have to outlive it. */
WorkerApi *worker_api_new(const WorkerApiSettings *settings);
/* Calls that wait for a thread are given up; their callbacks are not called any more. */
void worker_api_free(WorkerApi *api);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(WorkerApi, worker_api_free)

/* Where the log and the events of JOB are: files that only grow. Owned by the caller. */
char *worker_api_log_path(const char *logs, gint64 job);
char *worker_api_events_path(const char *logs, gint64 job);

/* A request whose body comes piece by piece. */
typedef struct WorkerCall WorkerCall;

/* PATH and QUERY (may be NULL) are still encoded. AUTHORIZATION is that header or NULL. CONTENT_LENGTH -1: not known. */
WorkerCall *worker_call_new(WorkerApi *api, const char *method, const char *path, const char *query,
        const char *authorization, gint64 content_length);

/* A piece of the body. FALSE: the call has failed, what comes is ignored, and the answer can be sent at once by
 * worker_call_end(). */
gboolean worker_call_write(WorkerCall *call, const void *data, gsize size);

/* The body is complete. Calls DONE now or later, from the main loop of this thread; RESPONSE is valid in that call only
 * (its descriptor can be taken: set it to -1). Frees CALL. */
typedef void (*WorkerDone)(gpointer user, WorkerResponse *response);
void worker_call_end(WorkerCall *call, WorkerDone done, gpointer user);

/* The request broke off. Frees CALL. */
void worker_call_abort(WorkerCall *call);

/* All at once, for tests: waits for the answer. The body is owned by the caller. */
guint worker_api_ask(
        WorkerApi *api, const char *method, const char *path, const char *token, GBytes *body, GBytes **ret_body);
