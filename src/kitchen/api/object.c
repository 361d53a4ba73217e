/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "call.h"

#include "base/cleanup.h"
#include "kitchen/model/builds/builds.h"
#include "kitchen/model/projects/projects.h"
#include "kitchen/model/results/objects.h"

/* What a project without a limit may send in a job. */
#define JOB_SIZE_MAX (64 * G_GINT64_CONSTANT(1073741824))

void object_get_end(WorkerCall *call) {
    const WorkerApiSettings *kitchen = &call->api->settings;
    g_autoptr(GError) failure = NULL;
    int own = object_is_of_job(kitchen->model, call->argument, call->job->id, &failure);
    gint64 size = 0;
    AUTO_FD fd = own > 0 ? store_get(kitchen->store, call->argument, &size, &failure) : -1;

    if (failure) {
        call_fail_error(call, failure);
    } else if (own == 0) {
        /* Whether others have it stays unsaid. */
        call_fail(call, 404, "The job has no such object");
    } else {
        call->answered = TRUE;
        call->response.status = 200;
        call->response.content_type = "application/octet-stream";
        call->response.size = size;
        call->response.fd = steal_fd(&fd);
    }
    call_finish(call);
}

gint64 job_disk_limit(const Project *project) {
    return project->disk_limit > 0 ? project->disk_limit : JOB_SIZE_MAX;
}

static Project *project_of(WorkerCall *call, GError **error) {
    Model *model = call->api->settings.model;
    g_autoptr(Build) build = build_get(model, call->job->build_id, error);

    return build ? project_get(model, build->project_id, error) : NULL;
}

/* How many bytes the object of the call may have; below 0 with ERROR set. What the job sent before it may send again. */
static gint64 room_of_job(WorkerCall *call, GError **error) {
    Model *model = call->api->settings.model;
    g_autoptr(GError) failure = NULL;
    g_autoptr(Project) project = project_of(call, error);
    int own = project ? object_is_of_job(model, call->argument, call->job->id, error) : -1;
    gint64 sent = 0;

    if (own < 0)
        return -1;
    sent = object_bytes_of_job(model, call->job->id, &failure);
    if (own && !failure)
        sent -= MIN(sent, MAX(object_size(model, call->argument, &failure), 0));
    if (!model_check(failure, error))
        return -1;
    return MAX(job_disk_limit(project) - sent, 0);
}

void object_too_large(WorkerCall *call) {
    g_autoptr(GError) failure = NULL;
    g_autoptr(Project) project = project_of(call, &failure);
    g_autofree char *limit =
            project ? g_format_size_full((guint64) job_disk_limit(project), G_FORMAT_SIZE_IEC_UNITS) : NULL;

    if (!project)
        call_fail_error(call, failure);
    else
        call_fail(call, 413,
                "The job sends more than the project's limit of the disk, %s: make the image smaller, or raise the limit "
                "(particleos kitchen project set %s/%s disk-limit=SIZE)",
                limit, project->namespace_name, project->name);
}

void object_put_begin(WorkerCall *call) {
    const WorkerApiSettings *kitchen = &call->api->settings;
    g_autoptr(GError) failure = NULL;
    gint64 room = room_of_job(call, &failure);

    if (room >= 0 && call->content_length > room)
        object_too_large(call);
    else if (room >= 0)
        call->upload = store_upload_new(kitchen->store, call->argument, room, &failure);
    if (failure)
        call_fail_error(call, failure);
}

typedef struct {
    StoreUpload *upload; /* of the call */
    gint64 size;
} Commit;

static gboolean commit(gpointer data, GError **error) {
    Commit *work = data;

    return store_upload_commit(work->upload, NULL, &work->size, error);
}

static void after_commit(gpointer user, gpointer data, const GError *failure) {
    WorkerCall *call = user;
    Commit *work = data;
    g_autoptr(GError) wrong = NULL;
    g_autoptr(JsonObject) body = json_object_new();

    if (failure)
        call_fail_error(call, failure);
    else if (!object_note(call->api->settings.model, call->argument, work->size, call->job->id, &wrong))
        call_fail_error(call, wrong);
    json_object_set_int_member(body, "size", work->size);
    call_answer(call, 200, body);
    call_finish(call);
}

void object_put_end(WorkerCall *call) {
    Commit *work = g_new0(Commit, 1);

    work->upload = call->upload;
    call_in_thread(call, commit, after_commit, work, g_free);
}
