/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kitchen/model/results/rollout.h"

#include <string.h>

#include "kitchen/model/builds/builds.h"
#include "kitchen/model/builds/jobs.h"
#include "kitchen/model/projects/projects.h"
#include "kitchen/model/results/objects.h"
#include "kitchen/model/projects/schedule.h"

static gboolean refuse(GError **error, const char *format, ...) G_GNUC_PRINTF(2, 3);
static gboolean refuse(GError **error, const char *format, ...) {
    va_list arguments;
    g_autofree char *text = NULL;

    va_start(arguments, format);
    text = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    g_set_error_literal(error, MODEL_ERROR, MODEL_ERROR_STATE, text);
    return FALSE;
}

/* ---- files ---- */

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
        g_autofree char *name = g_strdup_printf("%s.%s.%s", target->name, channel->name, artifact->name);

        if (g_str_has_prefix(artifact->name, prefix) && strcmp(artifact->kind, "checksums") != 0)
            g_ptr_array_add(files, release_file_new(target->id, name, artifact->digest, artifact->size));
    }
    return artifacts != NULL;
}

GPtrArray *release_collect_files(Model *model, gint64 channel_id, gint64 build_id, GError **error) {
    g_autoptr(GPtrArray) files = g_ptr_array_new_with_free_func((GDestroyNotify) release_file_free);
    g_autoptr(Channel) channel = channel_get(model, channel_id, error);
    g_autoptr(Build) build = channel ? build_get(model, build_id, error) : NULL;
    g_autoptr(GPtrArray) targets = build ? target_list(model, build->project_id, error) : NULL;
    g_autoptr(GPtrArray) jobs = targets ? job_list(model, build_id, error) : NULL;

    if (!jobs)
        return NULL;
    for (guint i = 0; i < targets->len; i++) {
        const Target *target = targets->pdata[i];
        gint64 job = done_job(jobs, target->id);

        if (job != 0 && !add_files(model, job, build->version, target, channel, files, error))
            return NULL;
    }
    if (files->len > 0)
        return g_steal_pointer(&files);
    refuse(error, "No file is called by image ID and version, so devices would find nothing: use Output=%%i_%%v");
    return NULL;
}

/* Objects of builds that nobody released go after a while. */
static gboolean check_objects(Model *model, GPtrArray *files, GError **error) {
    for (guint i = 0; i < files->len; i++) {
        const ReleaseFile *file = files->pdata[i];
        g_autoptr(GError) failure = NULL;
        gint64 size = object_size(model, file->digest, &failure);

        if (!model_check(failure, error))
            return FALSE;
        if (size < 0)
            return refuse(error, "%s is not kept any more; build the commit again", file->name);
    }
    return TRUE;
}

/* ---- wishes ---- */

/* Devices have to be offered something else from now on. */
static gboolean want_switch(Model *model, gint64 channel, GError **error) {
    return database_run(model_database(model), "UPDATE channel SET wanted = wanted + 1 WHERE id = ?",
            DB_VALUES(DB_INT(channel)), error);
}

static gboolean check_wish(const ReleaseWish *wish, GError **error) {
    g_autoptr(GArray) steps = wish->schedule ? schedule_parse(wish->schedule, error) : NULL;

    if (wish->schedule && !steps)
        return FALSE;
    if (wish->percent != -1 && (wish->percent < 1 || wish->percent > 100)) {
        g_set_error(error, MODEL_ERROR, MODEL_ERROR_INVALID, "%d is no percentage: 1 to 100", wish->percent);
        return FALSE;
    }
    if (wish->percent != -1 && wish->schedule) {
        g_set_error_literal(error, MODEL_ERROR, MODEL_ERROR_INVALID, "Give a percentage or a schedule, not both");
        return FALSE;
    }
    return TRUE;
}

/* What RELEASE is to be from now on. */
typedef struct {
    guint percent;
    const char *schedule; /* NULL: none */
    gint64 begun;         /* 0: not yet */
} Course;

static Course course_of(Model *model, const Release *release, const ReleaseWish *wish) {
    const char *schedule = wish->schedule ?: wish->percent == -1 ? release->schedule : NULL;
    g_autoptr(GArray) steps = schedule ? schedule_parse(schedule, NULL) : NULL;
    Course course = {release->percent, schedule, release->begun};

    if (wish->percent != -1)
        course.percent = (guint) wish->percent;
    else if (wish->schedule && release->published == 0)
        course.percent = schedule_percent(steps, 0);
    /* What was halted, or gets another schedule, goes on from where it is: the time without it does not count. */
    if (steps && release->published != 0 && (release->halted || wish->schedule)) {
        course.percent = MAX(release->percent, schedule_percent(steps, 0));
        course.begun = model_now(model) - schedule_after(steps, course.percent);
    }
    return course;
}

static gboolean set_percent(Model *model, const Release *release, const ReleaseWish *wish, GError **error) {
    Course course = course_of(model, release, wish);
    gboolean fresh = release->published == 0;
    g_autofree char *more = g_strdup_printf(": %u %%", course.percent);

    /* A device that has a version would look as if it had one that is not offered. */
    if (!fresh && course.percent < release->percent)
        return refuse(error,
                "%u %% of the devices are offered version %s already: percentages only grow; halt it, or "
                "withdraw it",
                release->percent, release->version);
    return database_run(model_database(model),
                   "UPDATE release SET percent = ?, halted = 0, schedule = ?, begun = ? WHERE id = ?",
                   DB_VALUES(DB_INT(course.percent), DB_TEXT(course.schedule), DB_ID(course.begun),
                           DB_INT(release->id)),
                   error) &&
           (fresh || (want_switch(model, release->channel_id, error) &&
                             release_note_event(model, release->id, "release.raised", more, wish->user_id, error)));
}

static gboolean begin_wished(Model *model, gint64 channel, const Build *build, const ReleaseWish *wish, gint64 *ret_id,
        GError **error) {
    g_autoptr(GPtrArray) files = release_collect_files(model, channel, build->id, error);

    if (!files || !check_objects(model, files, error))
        return FALSE;
    *ret_id = release_begin(model, channel, build->id, files, error);
    return *ret_id != 0 &&
           database_run(model_database(model), "UPDATE release SET user_id = coalesce(user_id, ?) WHERE id = ?",
                   DB_VALUES(DB_ID(wish->user_id), DB_INT(*ret_id)), error);
}

/* What failed is tried again, what waits looks whether it still has to. */
static gboolean try_again(Model *model, const Release *release, GError **error) {
    if (strcmp(release->state, "withdrawn") == 0 || strcmp(release->state, "removed") == 0)
        return refuse(error, "Version %s is %s, and is never published again; build the commit again for a new one",
                release->version, release->state);
    return database_run(model_database(model),
            "UPDATE release SET state = 'publishing', detail = NULL WHERE id = ? AND state IN ('failed', 'approval')",
            DB_VALUES(DB_INT(release->id)), error);
}

gint64 release_wish(Model *model, gint64 channel, gint64 build_id, const ReleaseWish *wish, GError **error) {
    Database *database = model_database(model);
    g_autoptr(DatabaseTransaction) transaction = database_begin(database, error);
    g_autoptr(Build) build = transaction && check_wish(wish, error) ? build_get(model, build_id, error) : NULL;
    g_autoptr(Release) release = NULL;
    gint64 id = 0;

    if (!build)
        return 0;
    if (build->state != BUILD_PUBLISHED) {
        refuse(error, "Build #%" G_GINT64_FORMAT " is %s: only what was built and checked can be released",
                build->number, build_state_to_string(build->state));
        return 0;
    }
    if (!begin_wished(model, channel, build, wish, &id, error) || !(release = release_get(model, id, error)) ||
            !try_again(model, release, error) || !set_percent(model, release, wish, error) ||
            (release->published == 0 &&
                    !release_note_event(model, id, "release.wished", NULL, wish->user_id, error)))
        return 0;
    return database_commit(transaction, error) ? id : 0;
}

gint64 release_promote(Model *model, gint64 from, gint64 to, const ReleaseWish *wish, GError **error) {
    g_autoptr(GPtrArray) live = release_list_live(model, from, error);

    for (guint i = 0; live && i < live->len; i++) {
        const Release *release = live->pdata[i];

        if (release->percent == 100)
            return release_wish(model, to, release->build_id, wish, error);
    }
    if (live)
        refuse(error, "The channel has no release that all of its devices get");
    return 0;
}

gboolean release_halt(Model *model, gint64 id, gint64 user, GError **error) {
    Database *database = model_database(model);
    g_autoptr(DatabaseTransaction) transaction = database_begin(database, error);
    g_autoptr(Release) release = transaction ? release_get(model, id, error) : NULL;

    if (!release)
        return FALSE;
    if (strcmp(release->state, "published") != 0)
        return refuse(error, "Version %s is %s: only what is published can be halted", release->version, release->state);
    if (release->halted)
        return TRUE;
    return database_run(database, "UPDATE release SET halted = 1 WHERE id = ?", DB_VALUES(DB_INT(id)), error) &&
           want_switch(model, release->channel_id, error) &&
           release_note_event(model, id, "release.halted", NULL, user, error) && database_commit(transaction, error);
}

/* ---- withdrawing ---- */

static gpointer read_release_id(const DatabaseRows *rows) {
    gint64 id = database_rows_integer(rows, 0);

    return g_memdup2(&id, sizeof id);
}

static gboolean withdraw_releases(Model *model, gint64 project, const char *version, gint64 user, GError **error) {
    Database *database = model_database(model);
    g_autoptr(GPtrArray) releases = model_rows(model,
            "SELECT release.id FROM release JOIN channel ON channel.id = channel_id WHERE project_id = ? AND version = ? "
            "AND state <> 'withdrawn'",
            DB_VALUES(DB_INT(project), DB_TEXT(version)), read_release_id, g_free, error);

    for (guint i = 0; releases && i < releases->len; i++) {
        gint64 id = *(const gint64 *) releases->pdata[i];

        if (!database_run(database, "UPDATE release SET state = 'withdrawn', detail = NULL WHERE id = ?",
                    DB_VALUES(DB_INT(id)), error) ||
                !release_note_event(model, id, "release.withdrawn", NULL, user, error))
            return FALSE;
    }
    return releases != NULL;
}

gboolean version_withdraw(Model *model, gint64 project, const char *version, gint64 user, GError **error) {
    Database *database = model_database(model);
    g_autoptr(DatabaseTransaction) transaction = database_begin(database, error);
    g_autoptr(GError) failure = NULL;
    gint64 known = transaction ? database_integer(database,
                                         "SELECT count(*) FROM build WHERE project_id = ? AND version = ?",
                                         DB_VALUES(DB_INT(project), DB_TEXT(version)), 0, &failure)
                               : 0;

    if (!transaction || !model_check(failure, error))
        return FALSE;
    if (known == 0)
        return refuse(error, "No build has the version %s", version);
    return database_run(database,
                   "INSERT INTO withdrawal (project_id, version, user_id, created) VALUES (?, ?, ?, ?) "
                   "ON CONFLICT (project_id, version) DO NOTHING",
                   DB_VALUES(DB_INT(project), DB_TEXT(version), DB_ID(user), DB_INT(model_now(model))), error) &&
           withdraw_releases(model, project, version, user, error) &&
           database_run(database, "UPDATE channel SET wanted = wanted + 1 WHERE project_id = ?",
                   DB_VALUES(DB_INT(project)), error) &&
           database_commit(transaction, error);
}

void withdrawal_free(Withdrawal *withdrawal) {
    if (!withdrawal)
        return;
    g_free(withdrawal->space);
    g_free(withdrawal->project);
    g_free(withdrawal->version);
    g_free(withdrawal);
}

static gpointer read_withdrawal(const DatabaseRows *rows) {
    Withdrawal *withdrawal = g_new0(Withdrawal, 1);

    withdrawal->project_id = database_rows_integer(rows, 0);
    withdrawal->space = database_rows_dup(rows, 1);
    withdrawal->project = database_rows_dup(rows, 2);
    withdrawal->version = database_rows_dup(rows, 3);
    withdrawal->is_private = database_rows_integer(rows, 4) == 0;
    return withdrawal;
}

GPtrArray *withdrawal_list_untold(Model *model, GError **error) {
    return model_rows(model,
            "SELECT w.project_id, n.name, p.name, w.version, p.public FROM withdrawal w JOIN project p ON p.id = w.project_id JOIN "
            "namespace n ON n.id = p.namespace_id WHERE w.told IS NULL ORDER BY w.created, w.version",
            DB_NONE, read_withdrawal, (GDestroyNotify) withdrawal_free, error);
}

gboolean withdrawal_note_told(Model *model, gint64 project, const char *version, GError **error) {
    return database_run(model_database(model),
            "UPDATE withdrawal SET told = ? WHERE project_id = ? AND version = ? AND told IS NULL",
            DB_VALUES(DB_INT(model_now(model)), DB_INT(project), DB_TEXT(version)), error);
}

/* ---- the clock, and the links ---- */

static gboolean advance(Model *model, const Release *release, GError **error) {
    g_autoptr(GArray) steps = schedule_parse(release->schedule, error);
    guint percent = steps ? schedule_percent(steps, model_now(model) - release->begun) : 0;
    g_autofree char *more = g_strdup_printf(": %u %%", percent);

    if (!steps)
        return FALSE;
    return percent <= release->percent ||
           (database_run(model_database(model), "UPDATE release SET percent = ? WHERE id = ?",
                    DB_VALUES(DB_INT(percent), DB_INT(release->id)), error) &&
                   want_switch(model, release->channel_id, error) &&
                   release_note_event(model, release->id, "release.raised", more, 0, error));
}

static gpointer read_scheduled(const DatabaseRows *rows) {
    Release *release = g_new0(Release, 1);

    release->id = database_rows_integer(rows, 0);
    release->channel_id = database_rows_integer(rows, 1);
    release->percent = (guint) database_rows_integer(rows, 2);
    release->schedule = database_rows_dup(rows, 3);
    release->begun = database_rows_integer(rows, 4);
    return release;
}

gboolean releases_advance(Model *model, GError **error) {
    g_autoptr(DatabaseTransaction) transaction = NULL;
    g_autoptr(GPtrArray) releases = model_rows(model,
            "SELECT id, channel_id, percent, schedule, begun FROM release WHERE state = 'published' AND halted = 0 AND "
            "percent < 100 AND schedule IS NOT NULL AND begun IS NOT NULL",
            DB_NONE, read_scheduled, (GDestroyNotify) release_free, error);

    if (!releases || releases->len == 0)
        return releases != NULL;
    transaction = database_begin(model_database(model), error);
    if (!transaction)
        return FALSE;
    for (guint i = 0; i < releases->len; i++)
        if (!advance(model, releases->pdata[i], error))
            return FALSE;
    return database_commit(transaction, error);
}

static gpointer read_switch(const DatabaseRows *rows) {
    ChannelSwitch *wish = g_new0(ChannelSwitch, 1);

    wish->channel_id = database_rows_integer(rows, 0);
    wish->project_id = database_rows_integer(rows, 1);
    wish->wanted = database_rows_integer(rows, 2);
    return wish;
}

GPtrArray *channel_list_switch(Model *model, GError **error) {
    return model_rows(model, "SELECT id, project_id, wanted FROM channel WHERE wanted <> switched ORDER BY id", DB_NONE,
            read_switch, g_free, error);
}

gboolean channel_note_switched(Model *model, gint64 channel, gint64 wanted, GError **error) {
    return database_run(model_database(model), "UPDATE channel SET switched = ? WHERE id = ?",
            DB_VALUES(DB_INT(wanted), DB_INT(channel)), error);
}
