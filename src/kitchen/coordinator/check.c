/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "kitchen/coordinator/private.h"
#include "kitchen/model/builds/builds.h"
#include "kitchen/model/builds/jobs.h"
#include "kitchen/model/projects/projects.h"
#include "kitchen/model/results/objects.h"

/* Whether the store has what the job says that it made. Its bytes were digested when they came. */
static gboolean has_all(Coordinator *coordinator, GPtrArray *artifacts, char **ret_missing) {
    for (guint i = 0; i < artifacts->len; i++) {
        const Artifact *artifact = artifacts->pdata[i];
        gint64 size = -1;
        AUTO_FD fd = store_get(coordinator->settings.store, artifact->digest, &size, NULL);

        if (fd < 0 || size != artifact->size) {
            *ret_missing = g_strdup_printf("The store does not have the artifact %s", artifact->name);
            return FALSE;
        }
    }
    return TRUE;
}

static gboolean check_job(Coordinator *coordinator, gint64 id, GError **error) {
    g_autoptr(Job) job = job_get(coordinator->model, id, error);
    g_autoptr(GPtrArray) artifacts = job ? artifact_list(coordinator->model, id, error) : NULL;
    g_autofree char *missing = NULL;
    JobChange change = {.failure = FAILURE_CHECK};

    if (!artifacts)
        return FALSE;
    if (job->state != JOB_UPLOADED)
        return TRUE;
    if (has_all(coordinator, artifacts, &missing))
        return job_transition(coordinator->model, id, JOB_DONE, NULL, error);
    change.detail = missing;
    return job_transition(coordinator->model, id, JOB_FAILED, &change, error);
}

gboolean check_jobs(Coordinator *coordinator, GError **error) {
    g_autoptr(GPtrArray) jobs = job_list_in_state(coordinator->model, JOB_UPLOADED, error);

    for (guint i = 0; jobs && i < jobs->len; i++)
        if (!check_job(coordinator, ((Job *) jobs->pdata[i])->id, error))
            return FALSE;
    return jobs != NULL;
}

/* Devices tell versions apart by names: a file that is published has the build's version in its name. */
static const char *nameless(GPtrArray *artifacts, const char *version) {
    for (guint i = 0; i < artifacts->len; i++) {
        const Artifact *artifact = artifacts->pdata[i];

        if ((strcmp(artifact->kind, "uki") == 0 || strcmp(artifact->kind, "partition") == 0) &&
                !strstr(artifact->name, version))
            return artifact->name;
    }
    return NULL;
}

/* Workers have inspected what they made; this looks at what concerns all of it. */
static gboolean check_build(Coordinator *coordinator, const Build *build, GError **error) {
    g_autoptr(GPtrArray) artifacts = artifact_list_of_build(coordinator->model, build->id, error);
    const char *wrong = artifacts ? nameless(artifacts, build->version) : NULL;
    g_autofree char *detail = NULL;
    BuildChange change = {.failure = FAILURE_CHECK};

    if (!artifacts)
        return FALSE;
    if (!wrong)
        return build_transition(coordinator->model, build->id, BUILD_PUBLISHING, NULL, error);
    detail = g_strdup_printf("%s does not have the version %s in its name: use %%v in Output= and "
                             "UnifiedKernelImageFormat=",
            wrong, build->version);
    change.detail = detail;
    return build_transition(coordinator->model, build->id, BUILD_FAILED, &change, error);
}

gboolean check_builds(Coordinator *coordinator, GError **error) {
    g_autoptr(GPtrArray) builds = build_list_in_state(coordinator->model, BUILD_CHECKING, error);

    for (guint i = 0; builds && i < builds->len; i++)
        if (!check_build(coordinator, builds->pdata[i], error))
            return FALSE;
    return builds != NULL;
}
