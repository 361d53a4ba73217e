/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kitchen/coordinator/release-plan.h"

#include <string.h>

#include "kitchen/model/builds/events.h"
#include "kitchen/model/projects/projects.h"
#include "kitchen/model/results/approvals.h"
#include "kitchen/model/results/rollout.h"
#include "kitchen/publish/rollout.h"

#define DAY (24 * 60 * 60)
#define NOT_AFTER "\nnot-after: "
#define VERSION_LENGTH 14

/* What a release has for a target. */
typedef struct {
    gint64 release, target;
    char *version;
    guint percent;
    gboolean sign;             /* DIGEST is to be made */
    GPtrArray *files, *former; /* of PublishFile */
    GPtrArray *approvals;      /* of PublishApproval */
    char *digest;              /* of the set, once it is made; NULL before, and of what waits for approvals */
} PlanSet;

/* A target in a channel, with all that its devices get. */
typedef struct {
    char *target_name, *channel;
    GPtrArray *sets;
} PlanPlace;

typedef struct {
    gint64 channel, wanted;
} PlanSwitch;

struct ReleasePlan {
    char *space, *project, *best_before;
    gboolean is_private;
    GPtrArray *places;
    GArray *switches;    /* of PlanSwitch: what links will follow */
    GHashTable *waiting; /* release -> why */
    gint64 seen;         /* the last event that it knows of */
};

static void plan_set_free(gpointer data) {
    PlanSet *set = data;

    g_free(set->version);
    g_free(set->digest);
    g_clear_pointer(&set->files, g_ptr_array_unref);
    g_clear_pointer(&set->former, g_ptr_array_unref);
    g_clear_pointer(&set->approvals, g_ptr_array_unref);
    g_free(set);
}

static void plan_place_free(gpointer data) {
    PlanPlace *place = data;

    g_free(place->target_name);
    g_free(place->channel);
    g_ptr_array_unref(place->sets);
    g_free(place);
}

void release_plan_free(ReleasePlan *plan) {
    if (!plan)
        return;
    g_free(plan->space);
    g_free(plan->project);
    g_free(plan->best_before);
    g_ptr_array_unref(plan->places);
    g_array_unref(plan->switches);
    g_hash_table_unref(plan->waiting);
    g_free(plan);
}

static char *day_after(gint64 now, guint days) {
    g_autoptr(GDateTime) time = g_date_time_new_from_unix_utc(now / 1000 + (gint64) days * DAY);

    return g_date_time_format(time, "%Y-%m-%d");
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

/* What people signed for TARGET of RELEASE, with the last line of the statement, which is how long it counts. */
static GPtrArray *find_approvals(Model *model, gint64 release, gint64 target, GError **error) {
    g_autoptr(GPtrArray) approvals = approval_list(model, release, target, error);
    GPtrArray *list = approvals ? g_ptr_array_new_with_free_func((GDestroyNotify) publish_approval_free) : NULL;

    for (guint i = 0; approvals && i < approvals->len; i++) {
        const Approval *approval = approvals->pdata[i];
        const char *found = strstr(approval->statement, NOT_AFTER);
        g_autofree char *not_after = found ? g_strndup(found + strlen(NOT_AFTER), VERSION_LENGTH) : NULL;

        if (not_after)
            g_ptr_array_add(list, publish_approval_new(not_after, approval->signature));
    }
    return list;
}

/* What RELEASE has for the target of PLACE, if it has something. SIGN: it is to be made, or signed anew. */
static gboolean add_set(
        PlanPlace *place, Model *model, const Release *release, gint64 target, gboolean sign, GError **error) {
    g_autoptr(GError) failure = NULL;
    gint64 former = sign ? former_release(model, release->channel_id, release->version, &failure) : 0;
    g_autoptr(GPtrArray) files = failure ? NULL : release_files(model, release->id, target, &failure);
    g_autoptr(GPtrArray) before = former != 0 && files ? release_files(model, former, target, &failure) : NULL;
    g_autofree char *digest = failure ? NULL : release_set_get(model, release->id, target, &failure);
    g_autoptr(GPtrArray) approvals = failure || !sign ? NULL : find_approvals(model, release->id, target, &failure);
    PlanSet *set = NULL;

    if (!model_check(failure, error))
        return FALSE;
    if (files->len == 0 || (!sign && !digest))
        return TRUE;
    set = g_new0(PlanSet, 1);
    set->release = release->id;
    set->target = target;
    set->version = g_strdup(release->version);
    set->percent = release->percent;
    set->sign = sign;
    set->files = as_publish_files(files);
    set->former = as_publish_files(before);
    set->approvals = g_steal_pointer(&approvals);
    set->digest = g_steal_pointer(&digest);
    g_ptr_array_add(place->sets, set);
    return TRUE;
}

static gboolean add_place(ReleasePlan *plan, Model *model, const Channel *channel, const Target *target,
        GPtrArray *live, const Release *fresh, gboolean sign, GError **error) {
    PlanPlace *place = g_new0(PlanPlace, 1);

    place->target_name = g_strdup(target->name);
    place->channel = g_strdup(channel->name);
    place->sets = g_ptr_array_new_with_free_func(plan_set_free);
    g_ptr_array_add(plan->places, place);
    for (guint i = 0; i < live->len; i++)
        if (!add_set(place, model, live->pdata[i], target->id, sign, error))
            return FALSE;
    return !fresh || add_set(place, model, fresh, target->id, TRUE, error);
}

/* All that devices get from CHANNEL, and the release FRESH (may be NULL), which is published now. SIGN: all of it anew. */
static gboolean add_channel(ReleasePlan *plan, Model *model, const Channel *channel, const Release *fresh,
        gboolean sign, GError **error) {
    PlanSwitch follow = {channel->id, channel->wanted};
    g_autoptr(GPtrArray) targets = target_list(model, channel->project_id, error);
    g_autoptr(GPtrArray) live = targets ? release_list_live(model, channel->id, error) : NULL;

    if (!live)
        return FALSE;
    for (guint i = 0; i < targets->len; i++)
        if (!add_place(plan, model, channel, targets->pdata[i], live, fresh, sign, error))
            return FALSE;
    g_array_append_val(plan->switches, follow);
    return TRUE;
}

/* A plan for PROJECT without places. */
static ReleasePlan *new_plan(Model *model, gint64 project_id, guint best_before, GError **error) {
    g_autoptr(Project) project = project_get(model, project_id, error);
    g_autoptr(GError) failure = NULL;
    gint64 seen = event_last(model, &failure);
    ReleasePlan *plan = NULL;

    if (!project || !model_check(failure, error))
        return NULL;
    plan = g_new0(ReleasePlan, 1);
    plan->places = g_ptr_array_new_with_free_func(plan_place_free);
    plan->switches = g_array_new(FALSE, FALSE, sizeof(PlanSwitch));
    plan->waiting = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, g_free);
    plan->seen = seen;
    plan->space = g_strdup(project->namespace_name);
    plan->project = g_strdup(project->name);
    plan->is_private = !project->is_public;
    plan->best_before = best_before > 0 ? day_after(model_now(model), best_before) : NULL;
    return plan;
}

static ReleasePlan *plan_channel(
        Model *model, gint64 id, const Release *fresh, gboolean sign, guint best_before, GError **error) {
    g_autoptr(Channel) channel = channel_get(model, id, error);
    g_autoptr(ReleasePlan) plan = channel ? new_plan(model, channel->project_id, best_before, error) : NULL;

    return plan && add_channel(plan, model, channel, fresh, sign, error) ? g_steal_pointer(&plan) : NULL;
}

ReleasePlan *release_plan_one(Model *model, const Release *release, guint best_before, GError **error) {
    return plan_channel(model, release->channel_id, release, FALSE, best_before, error);
}

ReleasePlan *release_plan_again(Model *model, gint64 channel, guint best_before, GError **error) {
    return plan_channel(model, channel, NULL, TRUE, best_before, error);
}

ReleasePlan *release_plan_switch(Model *model, gint64 channel, GError **error) {
    return plan_channel(model, channel, NULL, FALSE, 0, error);
}

static gboolean begin_release(
        ReleasePlan *plan, Model *model, const Build *build, const Channel *channel, GError **error) {
    g_autoptr(GPtrArray) files = release_collect_files(model, channel->id, build->id, error);
    gint64 id = files ? release_begin(model, channel->id, build->id, files, error) : 0;
    g_autoptr(Release) release = id != 0 ? release_get(model, id, error) : NULL;

    return release && add_channel(plan, model, channel, release, FALSE, error);
}

ReleasePlan *release_plan_new(Model *model, const Build *build, guint best_before, GError **error) {
    g_autoptr(ReleasePlan) plan = new_plan(model, build->project_id, best_before, error);
    g_autoptr(GPtrArray) channels = plan ? channel_list(model, build->project_id, error) : NULL;

    for (guint i = 0; channels && i < channels->len; i++) {
        const Channel *channel = channels->pdata[i];

        if (channel->follows && !begin_release(plan, model, build, channel, error))
            return NULL;
    }
    return channels ? g_steal_pointer(&plan) : NULL;
}

/* ---- doing it ---- */

static PublishSet as_publish_set(const ReleasePlan *plan, const PlanPlace *place, const PlanSet *set) {
    return (PublishSet){.space = plan->space,
            .project = plan->project,
            .target = place->target_name,
            .channel = place->channel,
            .version = set->version,
            .files = set->files,
            .former = set->former,
            .best_before = plan->best_before,
            .is_private = plan->is_private,
            .approvals = set->approvals};
}

/* Without the approvals that it needs a new release waits; one that is there already stays as it is, until its last day. */
static gboolean wait_for_people(ReleasePlan *plan, PlanSet *set, char **before, const GError *why) {
    if (!g_error_matches(why, SIGN_SERVICE_ERROR, SIGN_SERVICE_ERROR_APPROVAL))
        return FALSE;
    set->digest = g_steal_pointer(before);
    if (set->digest)
        set->sign = FALSE;
    else
        g_hash_table_insert(
                plan->waiting, g_memdup2(&set->release, sizeof set->release), g_strdup(why->message));
    return TRUE;
}

static gboolean prepare_set(
        ReleasePlan *plan, Publisher *publisher, const PlanPlace *place, PlanSet *set, GError **error) {
    PublishSet publish = as_publish_set(plan, place, set);
    g_autofree char *before = g_steal_pointer(&set->digest);
    g_autoptr(GError) failure = NULL;

    if (publisher_prepare(publisher, &publish, &set->digest, &failure) ||
            wait_for_people(plan, set, &before, failure))
        return TRUE;
    g_propagate_prefixed_error(
            error, g_steal_pointer(&failure), "%s of %s: ", place->channel, place->target_name);
    return FALSE;
}

static gboolean prepare(ReleasePlan *plan, Publisher *publisher, PlanPlace *place, GError **error) {
    for (guint i = 0; i < place->sets->len; i++) {
        PlanSet *set = place->sets->pdata[i];

        if (set->sign && !prepare_set(plan, publisher, place, set, error))
            return FALSE;
    }
    return TRUE;
}

static gboolean switch_place(ReleasePlan *plan, Publisher *publisher, const PlanPlace *place, GError **error) {
    const PublishPlace where = {plan->space, plan->project, place->target_name, place->channel};
    g_autoptr(GPtrArray) offers = g_ptr_array_new_with_free_func(g_free);

    for (guint i = 0; i < place->sets->len; i++) {
        const PlanSet *set = place->sets->pdata[i];
        const RolloutOffer offer = {set->version, set->percent, set->digest};

        if (set->digest && !g_hash_table_contains(plan->waiting, &set->release))
            g_ptr_array_add(offers, g_memdup2(&offer, sizeof offer));
    }
    return publisher_switch(publisher, &where, offers, error);
}

gboolean release_plan_run(ReleasePlan *plan, Publisher *publisher, GError **error) {
    /* Nothing is switched before all of it can be. */
    for (guint i = 0; i < plan->places->len; i++)
        if (!prepare(plan, publisher, plan->places->pdata[i], error))
            return FALSE;
    if (!publisher_publish_log(publisher, error))
        return FALSE;
    for (guint i = 0; i < plan->places->len; i++)
        if (!switch_place(plan, publisher, plan->places->pdata[i], error))
            return FALSE;
    return TRUE;
}

static gboolean note_set(ReleasePlan *plan, Model *model, const PlanSet *set, GError **error) {
    const char *why = g_hash_table_lookup(plan->waiting, &set->release);

    if (!set->sign)
        return TRUE;
    if (why)
        return release_waits(model, set->release, why, plan->seen, error);
    return release_set_note(model, set->release, set->target, set->digest, error) &&
           release_published(model, set->release, error);
}

gboolean release_plan_note(ReleasePlan *plan, Model *model, GError **error) {
    for (guint i = 0; i < plan->places->len; i++) {
        const PlanPlace *place = plan->places->pdata[i];

        for (guint k = 0; k < place->sets->len; k++)
            if (!note_set(plan, model, place->sets->pdata[k], error))
                return FALSE;
    }
    for (guint i = 0; i < plan->switches->len; i++) {
        const PlanSwitch *follow = &g_array_index(plan->switches, PlanSwitch, i);

        if (!channel_note_switched(model, follow->channel, follow->wanted, error))
            return FALSE;
    }
    return TRUE;
}

gboolean release_plan_is_fresh(const ReleasePlan *plan, Publisher *publisher) {
    for (guint i = 0; i < plan->places->len; i++) {
        const PlanPlace *place = plan->places->pdata[i];

        for (guint k = 0; k < place->sets->len; k++) {
            const PlanSet *set = place->sets->pdata[k];
            PublishSet publish = as_publish_set(plan, place, set);

            if (set->sign && (!set->digest || !publisher_is_fresh(publisher, &publish, set->digest)))
                return FALSE;
        }
    }
    return TRUE;
}
