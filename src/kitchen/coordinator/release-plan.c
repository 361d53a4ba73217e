/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kitchen/coordinator/release-plan.h"

#include <string.h>

#include "kitchen/model/results/objects.h"
#include "kitchen/model/builds/jobs.h"
#include "kitchen/model/projects/projects.h"

#define DAY (24 * 60 * 60)

/* A target in a channel. */
typedef struct {
    gint64 release, target;
    char *target_name, *channel;
    GPtrArray *files, *former; /* of PublishFile */
    char *digest;              /* of the set, once it is made */
} PlanSet;

struct ReleasePlan {
    char *space, *project, *version, *best_before;
    GPtrArray *sets;
};

static void plan_set_free(PlanSet *set) {
    g_free(set->target_name);
    g_free(set->channel);
    g_free(set->digest);
    g_clear_pointer(&set->files, g_ptr_array_unref);
    g_clear_pointer(&set->former, g_ptr_array_unref);
    g_free(set);
}

void release_plan_free(ReleasePlan *plan) {
    if (!plan)
        return;
    g_free(plan->space);
    g_free(plan->project);
    g_free(plan->version);
    g_free(plan->best_before);
    g_ptr_array_unref(plan->sets);
    g_free(plan);
}

static char *day_after(gint64 now, guint days) {
    g_autoptr(GDateTime) time = g_date_time_new_from_unix_utc(now / 1000 + (gint64) days * DAY);

    return g_date_time_format(time, "%Y-%m-%d");
}

/* The last attempt at TARGET that is done; 0: none. */
static gint64 done_job(GPtrArray *jobs, gint64 target) {
    gint64 found = 0;

    for (guint i = 0; i < jobs->len; i++) {
        const Job *job = jobs->pdata[i];

        if (job->target_id == target && job->state == JOB_DONE && !job->skipped)
            found = job->id;
    }
    return found;
}

/* Adds what JOB made, as it is called in CHANNEL. Devices find versions behind the image's ID; what is called otherwise, and
 * the sums of the worker, are not for them. */
static gboolean add_files(Model *model, gint64 job, const char *version, const Target *target, const Channel *channel,
        GPtrArray *files, GError **error) {
    g_autofree char *prefix = g_strdup_printf("%s_%s", target->image_id, version);
    g_autoptr(GPtrArray) artifacts = artifact_list(model, job, error);

    for (guint i = 0; artifacts && i < artifacts->len; i++) {
        const Artifact *artifact = artifacts->pdata[i];
        g_autofree char *name = publish_name(target->name, channel->name, artifact->name);

        if (g_str_has_prefix(artifact->name, prefix) && strcmp(artifact->kind, "checksums") != 0)
            g_ptr_array_add(files, release_file_new(target->id, name, artifact->digest, artifact->size));
    }
    return artifacts != NULL;
}

static GPtrArray *as_publish_files(GPtrArray *files) {
    GPtrArray *list = g_ptr_array_new_with_free_func((GDestroyNotify) publish_file_free);

    for (guint i = 0; files && i < files->len; i++) {
        const ReleaseFile *file = files->pdata[i];

        g_ptr_array_add(list, publish_file_new(file->name, file->digest));
    }
    return list;
}

/* The published release of CHANNEL before VERSION; 0: none, or ERROR is set. */
static gint64 former_release(Model *model, gint64 channel, const char *version, GError **error) {
    g_autoptr(GPtrArray) list = release_list(model, channel, TRUE, error);

    for (guint i = 0; list && i < list->len; i++) {
        const Release *release = list->pdata[i];

        if (strcmp(release->version, version) < 0)
            return release->id;
    }
    return 0;
}

static gboolean add_set(ReleasePlan *plan, Model *model, gint64 release, gint64 former, const Channel *channel,
        const Target *target, GError **error) {
    g_autoptr(GPtrArray) files = release_files(model, release, target->id, error);
    g_autoptr(GPtrArray) before = files ? release_files(model, former, target->id, error) : NULL;
    PlanSet *set = NULL;

    if (!before)
        return FALSE;
    if (files->len == 0)
        return TRUE;
    set = g_new0(PlanSet, 1);
    set->release = release;
    set->target = target->id;
    set->target_name = g_strdup(target->name);
    set->channel = g_strdup(channel->name);
    set->files = as_publish_files(files);
    set->former = as_publish_files(before);
    g_ptr_array_add(plan->sets, set);
    return TRUE;
}

static gboolean add_sets(
        ReleasePlan *plan, Model *model, gint64 release, const Channel *channel, GPtrArray *targets, GError **error) {
    g_autoptr(GError) failure = NULL;
    gint64 former = former_release(model, channel->id, plan->version, &failure);

    if (!model_check(failure, error))
        return FALSE;
    for (guint i = 0; i < targets->len; i++)
        if (!add_set(plan, model, release, former, channel, targets->pdata[i], error))
            return FALSE;
    return TRUE;
}

static gboolean add_channel(ReleasePlan *plan, Model *model, const Build *build, GPtrArray *jobs, GPtrArray *targets,
        const Channel *channel, GError **error) {
    g_autoptr(GPtrArray) files = g_ptr_array_new_with_free_func((GDestroyNotify) release_file_free);
    gint64 release = 0;

    for (guint i = 0; i < targets->len; i++) {
        const Target *target = targets->pdata[i];
        gint64 job = done_job(jobs, target->id);

        if (job != 0 && !add_files(model, job, build->version, target, channel, files, error))
            return FALSE;
    }
    if (files->len == 0) {
        g_set_error(error, MODEL_ERROR, MODEL_ERROR_STATE,
                "No file is called by image ID and version, so devices would find nothing: use Output=%%i_%%v");
        return FALSE;
    }
    release = release_begin(model, channel->id, build->id, files, error);
    if (release == 0)
        return FALSE;
    return add_sets(plan, model, release, channel, targets, error);
}

/* A plan for a version of PROJECT without sets. */
static ReleasePlan *new_plan(Model *model, gint64 project_id, const char *version, guint best_before, GError **error) {
    g_autoptr(Project) project = project_get(model, project_id, error);
    ReleasePlan *plan = NULL;

    if (!project)
        return NULL;
    plan = g_new0(ReleasePlan, 1);
    plan->sets = g_ptr_array_new_with_free_func((GDestroyNotify) plan_set_free);
    plan->space = g_strdup(project->namespace_name);
    plan->project = g_strdup(project->name);
    plan->version = g_strdup(version);
    plan->best_before = best_before > 0 ? day_after(model_now(model), best_before) : NULL;
    return plan;
}

ReleasePlan *release_plan_again(Model *model, const Release *release, guint best_before, GError **error) {
    g_autoptr(Channel) channel = channel_get(model, release->channel_id, error);
    g_autoptr(GPtrArray) targets = channel ? target_list(model, channel->project_id, error) : NULL;
    g_autoptr(ReleasePlan) plan =
            targets ? new_plan(model, channel->project_id, release->version, best_before, error) : NULL;

    if (!plan || !add_sets(plan, model, release->id, channel, targets, error))
        return NULL;
    return g_steal_pointer(&plan);
}

ReleasePlan *release_plan_new(Model *model, const Build *build, guint best_before, GError **error) {
    g_autoptr(ReleasePlan) plan = new_plan(model, build->project_id, build->version, best_before, error);
    g_autoptr(GPtrArray) channels = plan ? channel_list(model, build->project_id, error) : NULL;
    g_autoptr(GPtrArray) targets = channels ? target_list(model, build->project_id, error) : NULL;
    g_autoptr(GPtrArray) jobs = targets ? job_list(model, build->id, error) : NULL;

    if (!jobs)
        return NULL;
    for (guint i = 0; i < channels->len; i++) {
        const Channel *channel = channels->pdata[i];

        if (channel->follows && !add_channel(plan, model, build, jobs, targets, channel, error))
            return NULL;
    }
    return g_steal_pointer(&plan);
}

static PublishSet as_publish_set(const ReleasePlan *plan, const PlanSet *set) {
    return (PublishSet){.space = plan->space,
            .project = plan->project,
            .target = set->target_name,
            .channel = set->channel,
            .version = plan->version,
            .files = set->files,
            .former = set->former,
            .best_before = plan->best_before};
}

gboolean release_plan_run(ReleasePlan *plan, Publisher *publisher, GError **error) {
    /* Nothing is switched before all of it can be. */
    for (guint i = 0; i < plan->sets->len; i++) {
        PlanSet *set = plan->sets->pdata[i];
        PublishSet publish = as_publish_set(plan, set);

        g_clear_pointer(&set->digest, g_free);
        if (!publisher_prepare(publisher, &publish, &set->digest, error)) {
            g_prefix_error(error, "%s of %s: ", set->channel, set->target_name);
            return FALSE;
        }
    }
    for (guint i = 0; i < plan->sets->len; i++) {
        PlanSet *set = plan->sets->pdata[i];
        PublishSet publish = as_publish_set(plan, set);

        if (!publisher_switch(publisher, &publish, set->digest, error))
            return FALSE;
    }
    return TRUE;
}

gboolean release_plan_note(ReleasePlan *plan, Model *model, GError **error) {
    for (guint i = 0; i < plan->sets->len; i++) {
        const PlanSet *set = plan->sets->pdata[i];

        if (!release_set_note(model, set->release, set->target, set->digest, error) ||
                !release_published(model, set->release, error))
            return FALSE;
    }
    return TRUE;
}

gboolean release_plan_is_fresh(const ReleasePlan *plan, Publisher *publisher) {
    for (guint i = 0; i < plan->sets->len; i++) {
        PublishSet publish = as_publish_set(plan, plan->sets->pdata[i]);

        if (!publisher_is_fresh(publisher, &publish))
            return FALSE;
    }
    return TRUE;
}
