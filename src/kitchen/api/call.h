/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Calls of the worker API, for the functions that answer them. */

#include "kitchen/api/worker-api.h"
#include "kitchen/background/background.h"
#include "kitchen/model/builds/jobs.h"
#include "kitchen/model/builds/states.h"
#include "kitchen/model/projects/projects.h"

struct WorkerApi {
    WorkerApiSettings settings;
    char *logs, *publish_url;
    Background *background; /* what blocks, for calls */
};

typedef struct WorkerRoute WorkerRoute;

struct WorkerCall {
    WorkerApi *api;
    const WorkerRoute *route;
    GHashTable *query;     /* names to values */
    Job *job;              /* of the token; NULL: a claim */
    char *argument;        /* the last part of the path, where the route has one */
    GByteArray *body;      /* of routes that take no stream */
    gint64 content_length; /* -1: not known */
    StoreUpload *upload;   /* of routes that do */
    gboolean answered;
    WorkerResponse response;
    WorkerDone done;
    gpointer user;
};

/* One kind of request. */
struct WorkerRoute {
    const char *method;
    const char *name;      /* behind "jobs/N/"; "" for the job itself */
    gboolean has_argument; /* a part follows */
    gboolean when_over;    /* also of a job that has ended */
    gint64 body_max;
    /* Before the body; may be NULL. Answers with call_fail() or call_answer() when the body is not wanted. */
    void (*begin)(WorkerCall *call);
    /* After it. Answers, now or later. */
    void (*end)(WorkerCall *call);
};

/* Sets the answer, once. The first one counts. */
void call_answer(WorkerCall *call, guint status, JsonObject *body);
void call_fail(WorkerCall *call, guint status, const char *format, ...) G_GNUC_PRINTF(3, 4);
/* The answer that ERROR means: 403, 404, 409, 422, 503, 500. */
void call_fail_error(WorkerCall *call, const GError *error);

/* Hands the answer over, and frees the call. */
void call_finish(WorkerCall *call);

/* Whether SIZE bytes of JSON at TEXT are nested more deeply than anything here: parsers call themselves for each level. */
gboolean call_is_too_deep(const char *text, gsize size) G_GNUC_WARN_UNUSED_RESULT;

/* The body as a JSON object; NULL when it is none, and then the answer is set. */
JsonObject *call_json(WorkerCall *call);

/* The string NAME of OBJECT; NULL when it is not there or no string. */
const char *json_text(JsonObject *object, const char *name);

/* The number NAME of OBJECT; FALLBACK when it is not there or no number. */
gint64 json_number(JsonObject *object, const char *name, gint64 fallback);

/* Runs WORK(data) in a thread, then THEN(call, data, error) here; THEN answers and finishes. Nothing when the API is freed
 * meanwhile. */
void call_in_thread(
        WorkerCall *call, BackgroundWork work, BackgroundThen then, gpointer data, GDestroyNotify free_data);

/* What a job of PROJECT may send, in bytes. */
gint64 job_disk_limit(const Project *project);

/* claim.c, inputs.c, log.c, object.c, sign.c, finish.c */
void claim_end(WorkerCall *call);
void state_end(WorkerCall *call);
void inputs_end(WorkerCall *call);
void log_end(WorkerCall *call);
void events_end(WorkerCall *call);
void object_get_end(WorkerCall *call);
void object_put_begin(WorkerCall *call);
/* The bytes that come are more than the job may send. */
void object_too_large(WorkerCall *call);
void object_put_end(WorkerCall *call);
void sign_end(WorkerCall *call);
void finish_end(WorkerCall *call);
