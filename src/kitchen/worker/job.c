/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "job.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/errors.h"
#include "base/hex.h"
#include "base/io.h"
#include "base/sha256.h"
#include "kitchen/process/process.h"

/* The service starts a worker and knows at once whether it lives; a claim does not wait for long. */
#define CLAIM_PATIENCE 60
/* Shorter than the silence for which a worker is given up. In seconds. */
#define LOCK_PATIENCE 20
#define PROTOCOL 1

static char *new_token(void) {
    guint8 bytes[32];

    if (getrandom(bytes, sizeof bytes, 0) != sizeof bytes)
        g_error("No random bytes: %s", g_strerror(errno));
    return hex_encode(bytes, sizeof bytes);
}

const char *worker_job_text(const WorkerJob *job, const char *name) {
    JsonNode *node = json_object_get_member(job->description, name);

    return node && JSON_NODE_HOLDS_VALUE(node) && json_node_get_value_type(node) == G_TYPE_STRING
                   ? json_node_get_string(node)
                   : NULL;
}

char *worker_job_url(const WorkerJob *job, const char *rest) {
    return g_strdup_printf("jobs/%" G_GINT64_FORMAT "%s%s", job->id, *rest ? "/" : "", rest);
}

static JsonObject *claim(WorkerJob *job, const char *ticket, GError **error) {
    g_autoptr(JsonObject) body = json_object_new();
    g_autoptr(Http) http = http_new(job->url, NULL, NULL);

    http_set_patience(http, CLAIM_PATIENCE);
    json_object_set_int_member(body, "protocol", PROTOCOL);
    json_object_set_string_member(body, "ticket", ticket);
    json_object_set_string_member(body, "token", job->token);
    json_object_set_string_member(body, "worker", g_get_host_name());
    return http_ask_json(http, "claim", body, error);
}

/* Trees of a build hold files of other users: the builder removes what is below workspaces, this the rest. */
static gboolean remove_tree(const char *path, GError **error) {
    const char *argv[] = {"rm", "-rf", "--", path, NULL};
    ProcessPlan plan = {.argv = argv, .in = -1, .out = -1, .err = -1, .events = -1};
    pid_t pid = process_start(&plan, error);
    int status = 0;

    if (pid < 0)
        return FALSE;
    if (!process_reap(pid, TRUE, &status) || status != 0) {
        g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_FAILED, "Cannot remove %s", path);
        return FALSE;
    }
    return TRUE;
}

static gboolean make(const char *path, GError **error) {
    return g_mkdir_with_parents(path, 0755) == 0 || set_errno_error(error, errno, "Cannot make %s", path);
}

static gboolean is_part_of_path(const char *name) {
    return name && *name && *name != '.' && !strchr(name, '/');
}

/* The recipe's directory below the tree; NULL when it leads out of it. */
static char *recipe_directory(const WorkerJob *job) {
    const char *directory = worker_job_text(job, "directory") ?: "";
    g_auto(GStrv) parts = g_strsplit(directory, "/", -1);

    if (g_strv_contains((const char *const *) parts, "..") || *directory == '/')
        return NULL;
    return g_build_filename(job->path, "tree", directory, NULL);
}

/* Inputs of a build name the places where it happens: they are the same each time, so one job of a target is there at once. A
 * worker that was given up ends soon after it hears that. */
static gboolean lock_place(WorkerJob *job, GError **error) {
    g_autofree char *parent = g_path_get_dirname(job->path);
    g_autofree char *path = g_strconcat(job->path, ".lock", NULL);

    if (!make(parent, error))
        return FALSE;
    job->lock = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (job->lock < 0)
        return set_errno_error(error, errno, "Cannot make %s", path);
    for (guint i = 0; i < LOCK_PATIENCE * 10; i++) {
        if (flock(job->lock, LOCK_EX | LOCK_NB) == 0)
            return TRUE;
        g_usleep(100000);
    }
    g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_AGAIN, "Another worker is at work in %s", job->path);
    return FALSE;
}

static gboolean make_places(WorkerJob *job, GError **error) {
    const char *space = worker_job_text(job, "namespace"), *project = worker_job_text(job, "project"),
               *target = worker_job_text(job, "target");
    gboolean plain = is_part_of_path(space) && is_part_of_path(project) && is_part_of_path(target);

    if (plain)
        job->path = g_build_filename(job->work, "jobs", space, project, target, NULL);
    if (!plain || !(job->recipe = recipe_directory(job))) {
        g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_INVAL, "The description of the job makes no sense");
        return FALSE;
    }
    if (!lock_place(job, error))
        return FALSE;
    job->output = g_build_filename(job->path, "output", NULL);
    job->cache = g_build_filename(job->work, "cache", space, project, NULL);
    job->log_path = g_build_filename(job->path, "log", NULL);
    job->events_path = g_build_filename(job->path, "events", NULL);
    if (!remove_tree(job->path, error) || !make(job->path, error) || !make(job->output, error) ||
            !make(job->cache, error))
        return FALSE;
    job->log = open(job->log_path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    job->events = open(job->events_path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    if (job->log < 0 || job->events < 0)
        return set_errno_error(error, errno, "Cannot make the log in %s", job->path);
    return TRUE;
}

WorkerJob *worker_job_claim(const char *url, const char *builder, const char *work, const char *package_cache,
        const char *ticket, GError **error) {
    g_autoptr(WorkerJob) job = g_new0(WorkerJob, 1);

    job->log = job->events = job->lock = -1;
    job->url = url;
    job->builder = builder;
    job->work = work;
    job->package_cache = package_cache;
    job->token = new_token();
    job->description = claim(job, ticket, error);
    if (!job->description)
        return NULL;
    job->id = json_object_get_int_member_with_default(job->description, "job", 0);
    job->http = http_new(url, job->token, &job->stop);
    return make_places(job, error) ? g_steal_pointer(&job) : NULL;
}

void worker_job_free(WorkerJob *job) {
    g_autoptr(GError) failure = NULL;

    if (!job)
        return;
    cleanup_fd(&job->log);
    cleanup_fd(&job->events);
    /* Without the lock it is somebody else's. */
    if (job->output && !remove_tree(job->path, &failure))
        g_printerr("%s\n", failure->message);
    cleanup_fd(&job->lock);
    http_free(job->http);
    g_clear_pointer(&job->description, json_object_unref);
    g_free(job->token);
    g_free(job->path);
    g_free(job->recipe);
    g_free(job->output);
    g_free(job->cache);
    g_free(job->log_path);
    g_free(job->events_path);
    g_free(job->format);
    g_free(job);
}

gboolean worker_job_send_part(WorkerJob *job, int fd, gint64 offset, gint64 size, char **ret_digest, GError **error) {
    guint8 bytes[SHA256_SIZE];
    g_autofree char *digest = NULL;
    g_autofree char *rest = NULL;
    g_autofree char *url = NULL;

    if (!sha256_fd_range(fd, (guint64) offset, (guint64) size, bytes, error))
        return FALSE;
    digest = hex_encode(bytes, sizeof bytes);
    rest = g_strconcat("objects/", digest, NULL);
    url = worker_job_url(job, rest);
    if (!http_put(job->http, url, fd, offset, size, error))
        return FALSE;
    *ret_digest = g_steal_pointer(&digest);
    return TRUE;
}

gboolean worker_job_send_file(WorkerJob *job, const char *path, char **ret_digest, GError **error) {
    AUTO_FD fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    struct stat about;

    if (fd < 0 || fstat(fd, &about) < 0)
        return set_errno_error(error, errno, "Cannot open %s", path);
    if (!S_ISREG(about.st_mode)) {
        g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_INVAL, "%s is no file", path);
        return FALSE;
    }
    if (worker_job_send_part(job, fd, 0, about.st_size, ret_digest, error))
        return TRUE;
    g_prefix_error(error, "Cannot send %s: ", path);
    return FALSE;
}

void worker_job_say(WorkerJob *job, const char *format, ...) {
    g_autofree char *line = NULL;
    g_autofree char *text = NULL;
    va_list arguments;

    va_start(arguments, format);
    text = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    line = g_strconcat(text, "\n", NULL);
    /* A log that cannot be written is no reason to stop. */
    if (!write_all(job->log, line, strlen(line)))
        g_printerr("%s", line);
}
