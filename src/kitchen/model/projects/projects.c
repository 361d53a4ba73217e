/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kitchen/model/projects/schedule.h"
#include "kitchen/model/projects/projects.h"

#include <string.h>

#define PROJECT_COLUMNS                                                                                                \
    "project.id, namespace_id, namespace.name, project.name, title, url, branch, directory, public, "                  \
    "priority, poll, packages, boot, script_network, disk_limit, timeout, forked_from, version, polled, "              \
    "poll_error, project.created, archived FROM project JOIN namespace ON namespace.id = namespace_id "
#define TARGET_COLUMNS "id, project_id, name, profiles, release, architecture, image_id, required, options FROM target "
#define CHANNEL_COLUMNS "id, project_id, name, follows, schedule, wanted FROM channel "

void namespace_free(Namespace *space) {
    if (!space)
        return;
    g_free(space->name);
    g_free(space);
}

void project_free(Project *project) {
    if (!project)
        return;
    g_free(project->namespace_name);
    g_free(project->name);
    g_free(project->title);
    g_free(project->url);
    g_free(project->branch);
    g_free(project->directory);
    g_free(project->packages);
    g_free(project->version);
    g_free(project->poll_error);
    g_free(project);
}

void target_free(Target *target) {
    if (!target)
        return;
    g_free(target->name);
    g_free(target->profiles);
    g_free(target->release);
    g_free(target->architecture);
    g_free(target->image_id);
    g_free(target->options);
    g_free(target);
}

void channel_free(Channel *channel) {
    if (!channel)
        return;
    g_free(channel->name);
    g_free(channel->schedule);
    g_free(channel);
}

gboolean name_is_valid(const char *name) {
    gsize size = name ? strlen(name) : 0;

    return size > 0 && size <= 64 && g_ascii_isalnum(name[0]) &&
           strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_-") == size;
}

static gboolean check_name(const char *what, const char *name, GError **error) {
    if (name_is_valid(name))
        return TRUE;
    g_set_error(error, MODEL_ERROR, MODEL_ERROR_INVALID,
            "\"%s\" cannot be the name of a %s: use 1 to 64 of a-z, 0-9, _ and -, a letter or digit first", name ?: "",
            what);
    return FALSE;
}

gint64 namespace_create(Model *model, const char *name, GError **error) {
    gint64 id = 0;

    if (!check_name("namespace", name, error) ||
            !database_run_full(model_database(model), "INSERT INTO namespace (name, created) VALUES (?, ?)",
                    DB_VALUES(DB_TEXT(name), DB_INT(model_now(model))), &id, NULL, error))
        return 0;
    return id;
}

static gboolean check_project(const Project *project, GError **error) {
    const char *directory = project->directory ?: "";
    g_auto(GStrv) parts = g_strsplit(directory, "/", -1);

    if (!project->url || !*project->url || !project->branch || !*project->branch) {
        g_set_error(error, MODEL_ERROR, MODEL_ERROR_INVALID,
                "A project needs the URL and the branch of its recipe's repository");
        return FALSE;
    }
    if (*directory == '/' || g_strv_contains((const char *const *) parts, "..")) {
        g_set_error(error, MODEL_ERROR, MODEL_ERROR_INVALID,
                "The directory \"%s\" of the recipe has to lie inside of the repository", directory);
        return FALSE;
    }
    return TRUE;
}

gint64 project_create(Model *model, const Project *project, GError **error) {
    gint64 id = 0;

    if (!check_name("project", project->name, error) || !check_project(project, error) ||
            !database_run_full(model_database(model),
                    "INSERT INTO project (namespace_id, name, title, url, branch, directory, public, "
                    "priority, poll, packages, boot, script_network, disk_limit, timeout, forked_from, "
                    "created) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                    DB_VALUES(DB_INT(project->namespace_id), DB_TEXT(project->name), DB_TEXT(project->title),
                            DB_TEXT(project->url), DB_TEXT(project->branch), DB_TEXT(project->directory ?: ""),
                            DB_INT(project->is_public), DB_INT(project->priority), DB_INT(project->poll),
                            DB_TEXT(project->packages ?: "at-once"), DB_INT(project->boot),
                            DB_INT(project->script_network), DB_ID(project->disk_limit),
                            DB_INT(project->timeout ?: 10800), DB_ID(project->forked_from), DB_INT(model_now(model))),
                    &id, NULL, error))
        return 0;
    return id;
}

gboolean project_update(Model *model, const Project *project, GError **error) {
    return check_project(project, error) &&
           database_run(model_database(model),
                   "UPDATE project SET title = ?, url = ?, branch = ?, directory = ?, public = ?, "
                   "priority = ?, poll = ?, packages = ?, boot = ?, script_network = ?, disk_limit = ?, "
                   "timeout = ?, archived = ? WHERE id = ?",
                   DB_VALUES(DB_TEXT(project->title), DB_TEXT(project->url), DB_TEXT(project->branch),
                           DB_TEXT(project->directory ?: ""), DB_INT(project->is_public), DB_INT(project->priority),
                           DB_INT(project->poll), DB_TEXT(project->packages), DB_INT(project->boot),
                           DB_INT(project->script_network), DB_ID(project->disk_limit), DB_INT(project->timeout),
                           DB_INT(project->archived), DB_INT(project->id)),
                   error);
}

gboolean project_note_polled(Model *model, gint64 project, const char *failure, GError **error) {
    return database_run(model_database(model), "UPDATE project SET polled = ?, poll_error = ? WHERE id = ?",
            DB_VALUES(DB_INT(model_now(model)), DB_TEXT(failure), DB_INT(project)), error);
}

GArray *project_list_due(Model *model, GError **error) {
    g_autoptr(GArray) list = g_array_new(FALSE, FALSE, sizeof(gint64));
    g_autoptr(GError) failure = NULL;
    g_autoptr(DatabaseRows) rows = database_select(model_database(model),
            "SELECT id FROM project WHERE archived = 0 AND poll > 0 AND coalesce(polled, 0) + poll * 1000 <= ? "
            "AND id NOT IN (SELECT project_id FROM build_request) ORDER BY polled, id",
            DB_VALUES(DB_INT(model_now(model))), error);

    if (!rows)
        return NULL;
    while (database_rows_next(rows, &failure)) {
        gint64 id = database_rows_integer(rows, 0);

        g_array_append_val(list, id);
    }
    return model_check(failure, error) ? g_steal_pointer(&list) : NULL;
}

static gboolean check_target(const Target *target, GError **error) {
    const char *id = target->image_id ?: "";
    gsize size = strlen(id);

    if (size > 0 && size <= IMAGE_ID_SIZE_MAX && g_ascii_isalnum(id[0]) &&
            strspn(id, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-") == size)
        return TRUE;
    g_set_error(error, MODEL_ERROR, MODEL_ERROR_INVALID,
            "\"%s\" cannot be the image ID of a target: use 1 to %d letters, digits and -, because the labels "
            "of its partitions hold the version, too",
            id, IMAGE_ID_SIZE_MAX);
    return FALSE;
}

/* Whether no target but THIS has the image ID. */
static gboolean image_id_is_free(Model *model, const char *image_id, gint64 this, gboolean *ret_free, GError **error) {
    g_autoptr(GError) failure = NULL;
    /* What THIS shares already, it keeps. */
    gint64 n = database_integer(model_database(model),
            "SELECT count(*) FROM target WHERE image_id = ? AND NOT EXISTS "
            "(SELECT 1 FROM target AS own WHERE own.id = ? AND own.image_id = target.image_id)",
            DB_VALUES(DB_TEXT(image_id), DB_INT(this)), 0, &failure);

    *ret_free = n == 0;
    return model_check(failure, error);
}

/* Devices and the signer know images by it. */
static gboolean check_image_id(Model *model, const Target *target, GError **error) {
    gboolean is_free = FALSE;

    if (!image_id_is_free(model, target->image_id, target->id, &is_free, error))
        return FALSE;
    if (!is_free)
        g_set_error(error, MODEL_ERROR, MODEL_ERROR_INVALID,
                "The image ID \"%s\" is that of another target of this service: choose another one", target->image_id);
    return is_free;
}

/* WISH in characters that an image ID has. */
static char *as_image_id(const char *wish) {
    GString *id = g_string_new(NULL);

    for (; *wish && id->len < IMAGE_ID_SIZE_MAX; wish++)
        if (g_ascii_isalnum(*wish) || (*wish == '-' && id->len > 0))
            g_string_append_c(id, *wish);
    return g_string_free(id->len > 0 ? id : g_string_append(id, "image"), FALSE);
}

char *target_free_image_id(Model *model, const char *wish, GError **error) {
    g_autofree char *id = as_image_id(wish);
    gboolean is_free = FALSE;

    if (!image_id_is_free(model, id, 0, &is_free, error))
        return NULL;
    for (guint i = 2; !is_free; i++) {
        g_autofree char *number = g_strdup_printf("%u", i);
        g_autofree char *next = g_strdup_printf("%.*s%s", (int) (IMAGE_ID_SIZE_MAX - strlen(number)), id, number);

        if (!image_id_is_free(model, next, 0, &is_free, error))
            return NULL;
        if (is_free)
            return g_steal_pointer(&next);
    }
    return g_steal_pointer(&id);
}

gint64 target_create(Model *model, const Target *target, GError **error) {
    gint64 id = 0;

    if (!check_name("target", target->name, error) || !check_target(target, error) ||
            !check_image_id(model, target, error) ||
            !database_run_full(model_database(model),
                    "INSERT INTO target (project_id, name, profiles, release, architecture, image_id, "
                    "required, options) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                    DB_VALUES(DB_INT(target->project_id), DB_TEXT(target->name), DB_TEXT(target->profiles ?: ""),
                            DB_TEXT(target->release), DB_TEXT(target->architecture), DB_TEXT(target->image_id),
                            DB_INT(target->required), DB_TEXT(target->options ?: "[]")),
                    &id, NULL, error))
        return 0;
    return id;
}

gboolean target_update(Model *model, const Target *target, GError **error) {
    return check_target(target, error) && check_image_id(model, target, error) &&
           database_run(model_database(model),
                   "UPDATE target SET profiles = ?, release = ?, architecture = ?, image_id = ?, "
                   "required = ?, options = ? WHERE id = ?",
                   DB_VALUES(DB_TEXT(target->profiles ?: ""), DB_TEXT(target->release), DB_TEXT(target->architecture),
                           DB_TEXT(target->image_id), DB_INT(target->required), DB_TEXT(target->options ?: "[]"),
                           DB_INT(target->id)),
                   error);
}

static gboolean check_schedule(const Channel *channel, GError **error) {
    g_autoptr(GArray) steps = channel->schedule ? schedule_parse(channel->schedule, error) : NULL;

    return !channel->schedule || steps;
}

gint64 channel_create(Model *model, const Channel *channel, GError **error) {
    gint64 id = 0;

    if (!check_name("channel", channel->name, error) || !check_schedule(channel, error) ||
            !database_run_full(model_database(model),
                    "INSERT INTO channel (project_id, name, follows, schedule, wanted) VALUES (?, ?, ?, ?, 0)",
                    DB_VALUES(DB_INT(channel->project_id), DB_TEXT(channel->name), DB_INT(channel->follows),
                            DB_TEXT(channel->schedule)),
                    &id, NULL, error))
        return 0;
    return id;
}

/* Rows of each kind. */

static gpointer read_namespace(const DatabaseRows *rows) {
    Namespace *space = g_new0(Namespace, 1);

    space->id = database_rows_integer(rows, 0);
    space->name = database_rows_dup(rows, 1);
    space->created = database_rows_integer(rows, 2);
    return space;
}

static gpointer read_project(const DatabaseRows *rows) {
    Project *project = g_new0(Project, 1);

    project->id = database_rows_integer(rows, 0);
    project->namespace_id = database_rows_integer(rows, 1);
    project->namespace_name = database_rows_dup(rows, 2);
    project->name = database_rows_dup(rows, 3);
    project->title = database_rows_dup(rows, 4);
    project->url = database_rows_dup(rows, 5);
    project->branch = database_rows_dup(rows, 6);
    project->directory = database_rows_dup(rows, 7);
    project->is_public = database_rows_integer(rows, 8) != 0;
    project->priority = database_rows_integer(rows, 9);
    project->poll = database_rows_integer(rows, 10);
    project->packages = database_rows_dup(rows, 11);
    project->boot = database_rows_integer(rows, 12) != 0;
    project->script_network = database_rows_integer(rows, 13) != 0;
    project->disk_limit = database_rows_integer(rows, 14);
    project->timeout = database_rows_integer(rows, 15);
    project->forked_from = database_rows_integer(rows, 16);
    project->version = database_rows_dup(rows, 17);
    project->polled = database_rows_integer(rows, 18);
    project->poll_error = database_rows_dup(rows, 19);
    project->created = database_rows_integer(rows, 20);
    project->archived = database_rows_integer(rows, 21) != 0;
    return project;
}

static gpointer read_target(const DatabaseRows *rows) {
    Target *target = g_new0(Target, 1);

    target->id = database_rows_integer(rows, 0);
    target->project_id = database_rows_integer(rows, 1);
    target->name = database_rows_dup(rows, 2);
    target->profiles = database_rows_dup(rows, 3);
    target->release = database_rows_dup(rows, 4);
    target->architecture = database_rows_dup(rows, 5);
    target->image_id = database_rows_dup(rows, 6);
    target->required = database_rows_integer(rows, 7) != 0;
    target->options = database_rows_dup(rows, 8);
    return target;
}

gboolean channel_update(Model *model, const Channel *channel, GError **error) {
    return check_schedule(channel, error) &&
           database_run(model_database(model), "UPDATE channel SET follows = ?, schedule = ? WHERE id = ?",
                   DB_VALUES(DB_INT(channel->follows), DB_TEXT(channel->schedule), DB_INT(channel->id)), error);
}

static gpointer read_channel(const DatabaseRows *rows) {
    Channel *channel = g_new0(Channel, 1);

    channel->id = database_rows_integer(rows, 0);
    channel->project_id = database_rows_integer(rows, 1);
    channel->name = database_rows_dup(rows, 2);
    channel->follows = database_rows_integer(rows, 3) != 0;
    channel->schedule = database_rows_dup(rows, 4);
    channel->wanted = database_rows_integer(rows, 5);
    return channel;
}

Namespace *namespace_find(Model *model, const char *name, GError **error) {
    return model_row(model, "SELECT id, name, created FROM namespace WHERE name = ?", DB_VALUES(DB_TEXT(name)),
            read_namespace, "namespace", error);
}

Project *project_get(Model *model, gint64 id, GError **error) {
    return model_row(model, "SELECT " PROJECT_COLUMNS "WHERE project.id = ?", DB_VALUES(DB_INT(id)), read_project,
            "project", error);
}

Project *project_find(Model *model, const char *space, const char *name, GError **error) {
    return model_row(model, "SELECT " PROJECT_COLUMNS "WHERE namespace.name = ? AND project.name = ?",
            DB_VALUES(DB_TEXT(space), DB_TEXT(name)), read_project, "project", error);
}

Target *target_get(Model *model, gint64 id, GError **error) {
    return model_row(
            model, "SELECT " TARGET_COLUMNS "WHERE id = ?", DB_VALUES(DB_INT(id)), read_target, "target", error);
}

Channel *channel_get(Model *model, gint64 id, GError **error) {
    return model_row(
            model, "SELECT " CHANNEL_COLUMNS "WHERE id = ?", DB_VALUES(DB_INT(id)), read_channel, "channel", error);
}

Channel *channel_find(Model *model, gint64 project, const char *name, GError **error) {
    return model_row(model, "SELECT " CHANNEL_COLUMNS "WHERE project_id = ? AND name = ?",
            DB_VALUES(DB_INT(project), DB_TEXT(name)), read_channel, "channel", error);
}

GPtrArray *namespace_list(Model *model, GError **error) {
    return model_rows(model, "SELECT id, name, created FROM namespace ORDER BY name", DB_NONE, read_namespace,
            (GDestroyNotify) namespace_free, error);
}

GPtrArray *project_list(Model *model, gint64 namespace_id, GError **error) {
    return model_rows(model,
            "SELECT " PROJECT_COLUMNS
            "WHERE archived = 0 AND (? = 0 OR namespace_id = ?) ORDER BY namespace.name, project.name",
            DB_VALUES(DB_INT(namespace_id), DB_INT(namespace_id)), read_project, (GDestroyNotify) project_free, error);
}

GPtrArray *target_list(Model *model, gint64 project, GError **error) {
    return model_rows(model, "SELECT " TARGET_COLUMNS "WHERE project_id = ? ORDER BY name", DB_VALUES(DB_INT(project)),
            read_target, (GDestroyNotify) target_free, error);
}

GPtrArray *channel_list(Model *model, gint64 project, GError **error) {
    return model_rows(model, "SELECT " CHANNEL_COLUMNS "WHERE project_id = ? ORDER BY name", DB_VALUES(DB_INT(project)),
            read_channel, (GDestroyNotify) channel_free, error);
}
