/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kitchen/program/engine.h"

#include <string.h>

#include "kitchen/model/builds/build-create.h"
#include "kitchen/model/builds/builds.h"
#include "kitchen/model/builds/requests.h"
#include "kitchen/model/builds/sources.h"
#include "kitchen/model/database/name.h"
#include "kitchen/model/projects/projects.h"
#include "kitchen/model/results/approvals.h"
#include "kitchen/model/results/rollout.h"

struct Engine {
    Model *model;
    char *directory;
    SiteEngine interface;
};

static gint64 now(gpointer user) {
    return model_now(((Engine *) user)->model);
}

static gboolean look(gpointer user, gint64 project, const char *cause, const char *by, gint64 user_id, gboolean force,
        GError **error) {
    const BuildWish wish = {.project_id = project, .cause = cause, .caused_by = by, .force = force, .user_id = user_id};

    return build_request_add(((Engine *) user)->model, &wish, error) != 0;
}

static gint64 retry(gpointer user, gint64 build_id, gint64 user_id, const char *user_name, GError **error) {
    Model *model = ((Engine *) user)->model;
    gint64 id = build_retry(model, build_id, user_id, user_name, error);
    g_autoptr(Build) build = id ? build_get(model, id, error) : NULL;

    return build ? build->number : 0;
}

static gboolean cancel(gpointer user, gint64 build_id, gint64 user_id, GError **error) {
    return build_cancel(((Engine *) user)->model, build_id, user_id, error);
}

/* Texts that git is called with: neither options nor control characters. */
static gboolean check_text(const char *what, const char *text, gboolean needed, GError **error) {
    gboolean good = strlen(text) < 2048 && text[0] != '-' && (text[0] || !needed);

    for (const guint8 *at = (const guint8 *) text; good && *at; at++)
        good = *at >= 0x20 && *at != 0x7f;
    if (!good)
        g_set_error(error, MODEL_ERROR, MODEL_ERROR_INVALID,
                "The %s of the project is missing, begins with \"-\", or has control characters", what);
    return good;
}

/* TARGET, with an image ID like its own. */
static gboolean add_target(Model *model, Target target, GError **error) {
    g_autofree char *image_id = target_free_image_id(model, target.image_id, error);

    target.image_id = image_id;
    return image_id && target_create(model, &target, error) != 0;
}

/* The targets of another project, or one for PROFILES. */
static gboolean add_targets(
        Model *model, gint64 project, const char *name, const char *profiles, gint64 forked_from, GError **error) {
    g_autoptr(GPtrArray) others = NULL;
    Target one = {.project_id = project,
            .name = (char *) "main",
            .profiles = (char *) (profiles ?: ""),
            .image_id = (char *) name,
            .required = TRUE,
            .options = (char *) "[]"};

    if (forked_from == 0)
        return add_target(model, one, error);
    others = target_list(model, forked_from, error);
    for (guint i = 0; others && i < others->len; i++) {
        Target target = *(const Target *) others->pdata[i];

        target.id = 0;
        target.project_id = project;
        if (!add_target(model, target, error))
            return FALSE;
    }
    return others != NULL;
}

static gboolean add_project(
        Engine *engine, const Project *project, const char *profiles, gint64 user_id, GError **error) {
    Model *model = engine->model;
    Channel channel = {.name = (char *) "testing", .follows = TRUE};
    g_autoptr(GError) failure = NULL;
    gint64 id = project_create(model, project, &failure);

    if (g_error_matches(failure, DATABASE_ERROR, DATABASE_ERROR_CONFLICT)) {
        g_set_error(error, DATABASE_ERROR, DATABASE_ERROR_CONFLICT,
                "There is a project %s already: choose another name", project->name);
        return FALSE;
    }
    if (failure) {
        g_propagate_error(error, g_steal_pointer(&failure));
        return FALSE;
    }
    channel.project_id = id;
    return id != 0 && add_targets(model, id, project->name, profiles, project->forked_from, error) &&
           channel_create(model, &channel, error) != 0 && look(engine, id, "first", NULL, user_id, FALSE, error);
}

static gboolean create(gpointer user, gint64 namespace_id, const char *name, const char *url, const char *branch,
        const char *directory, const char *profiles, gboolean is_public, gint64 forked_from, gint64 user_id,
        GError **error) {
    Engine *engine = user;
    g_autoptr(DatabaseTransaction) transaction = NULL;
    const Project project = {.namespace_id = namespace_id,
            .name = (char *) name,
            .url = (char *) url,
            .branch = (char *) branch,
            .directory = (char *) directory,
            .is_public = is_public,
            .poll = 300,
            .packages = (char *) "at-once",
            .timeout = 10800,
            .forked_from = forked_from};

    if (!name_check("project", name, error) || !check_text("URL", url, TRUE, error) ||
            !check_text("branch", branch, TRUE, error) || !check_text("directory", directory, FALSE, error))
        return FALSE;
    transaction = database_begin(model_database(engine->model), error);
    return transaction && add_project(engine, &project, profiles, user_id, error) &&
           database_commit(transaction, error);
}

static gboolean edit(gpointer user, gint64 project_id, const char *title, const char *url, const char *branch,
        const char *directory, const char *packages, gboolean is_public, GError **error) {
    Model *model = ((Engine *) user)->model;
    g_autoptr(Project) project = NULL;
    Project changed = {0};

    if (!check_text("URL", url, TRUE, error) || !check_text("branch", branch, TRUE, error) ||
            !check_text("directory", directory, FALSE, error))
        return FALSE;
    project = project_get(model, project_id, error);
    if (!project)
        return FALSE;
    changed = *project;
    changed.title = (char *) title;
    changed.url = (char *) url;
    changed.branch = (char *) branch;
    changed.directory = (char *) directory;
    changed.packages = (char *) packages;
    changed.is_public = is_public;
    return project_update(model, &changed, error);
}

static GPtrArray *sources(gpointer user, gint64 project, GError **error) {
    return source_list(((Engine *) user)->model, project, error);
}

static gboolean add_source(gpointer user, gint64 project, const char *name, const char *kind, const char *url,
        const char *branch, GError **error) {
    const Source source = {.project_id = project,
            .name = (char *) name,
            .kind = (char *) kind,
            .url = (char *) url,
            .branch = (char *) branch};

    return check_text("URL of a source", url, TRUE, error) && check_text("branch of a source", branch, FALSE, error) &&
           source_add(((Engine *) user)->model, &source, error);
}

static gboolean remove_source(gpointer user, gint64 project, const char *name, GError **error) {
    return source_remove(((Engine *) user)->model, project, name, error);
}

static gboolean set_limits(gpointer user, gint64 id, int boot, gint64 disk_limit, GError **error) {
    Model *model = ((Engine *) user)->model;
    g_autoptr(Project) project = project_get(model, id, error);

    if (!project)
        return FALSE;
    project->boot = boot >= 0 ? boot : project->boot;
    project->disk_limit = disk_limit >= 0 ? disk_limit : project->disk_limit;
    return project_update(model, project, error);
}

static gboolean set_channel(gpointer user, gint64 project, const char *name, gboolean follows, const char *schedule,
        GError **error) {
    Model *model = ((Engine *) user)->model;
    g_autoptr(GError) failure = NULL;
    g_autoptr(Channel) found = channel_find(model, project, name, &failure);
    Channel channel = {.id = found ? found->id : 0,
            .project_id = project,
            .name = (char *) name,
            .follows = follows,
            .schedule = (char *) schedule};

    if (found)
        return channel_update(model, &channel, error);
    if (!g_error_matches(failure, MODEL_ERROR, MODEL_ERROR_NOT_FOUND))
        return model_check(failure, error);
    return name_check("channel", name, error) && channel_create(model, &channel, error) != 0;
}

static gboolean release(gpointer user, gint64 channel, gint64 build, gint64 from, int percent, const char *schedule,
        gint64 user_id, GError **error) {
    Model *model = ((Engine *) user)->model;
    const ReleaseWish wish = {percent, schedule, user_id};

    return build != 0 ? release_wish(model, channel, build, &wish, error) != 0
                      : release_promote(model, from, channel, &wish, error) != 0;
}

static gboolean halt(gpointer user, gint64 id, gint64 user_id, GError **error) {
    return release_halt(((Engine *) user)->model, id, user_id, error);
}

static gboolean approve(gpointer user, gint64 release_id, gint64 target, const char *fingerprint, const char *statement,
        const char *signature, gint64 user_id, GError **error) {
    return approval_add(((Engine *) user)->model, release_id, target, user_id, fingerprint, statement, signature, error);
}

static gboolean withdraw(gpointer user, gint64 project, const char *version, gint64 user_id, GError **error) {
    return version_withdraw(((Engine *) user)->model, project, version, user_id, error);
}

static char *log_path(gpointer user, gint64 job) {
    return g_strdup_printf("%s/logs/%" G_GINT64_FORMAT ".log", ((Engine *) user)->directory, job);
}

static char *object_path(gpointer user, const char *digest) {
    return g_strdup_printf("%s/objects/%.2s/%s", ((Engine *) user)->directory, digest, digest + 2);
}

Engine *engine_new(Model *model, const char *directory) {
    Engine *engine = g_new0(Engine, 1);

    engine->model = model;
    engine->directory = g_strdup(directory);
    engine->interface = (SiteEngine){.user = engine,
            .now = now,
            .look = look,
            .retry = retry,
            .cancel = cancel,
            .create = create,
            .edit = edit,
            .sources = sources,
            .add_source = add_source,
            .remove_source = remove_source,
            .set_limits = set_limits,
            .set_channel = set_channel,
            .release = release,
            .halt = halt,
            .approve = approve,
            .withdraw = withdraw,
            .log_path = log_path,
            .object_path = object_path};
    return engine;
}

void engine_free(Engine *engine) {
    if (!engine)
        return;
    g_free(engine->directory);
    g_free(engine);
}

const SiteEngine *engine_interface(const Engine *engine) {
    return &engine->interface;
}
