/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "builder.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/errors.h"
#include "base/io.h"
#include "kitchen/process/process.h"
#include "kitchen/worker/apart.h"
#include "kitchen/worker/bases.h"
#include "kitchen/worker/keys.h"
#include "kitchen/worker/usage.h"

/* How long the builder may take to clean up when it is told to end. */
#define PATIENCE (4 * G_USEC_PER_SEC)
#define INTERVAL 50000
#define USAGE_INTERVAL (2 * G_USEC_PER_SEC)
#define LAST_LINES 40
#define LAST_BYTES (16 * 1024)

static void add(GPtrArray *arguments, const char *option, const char *value) {
    if (value && *value)
        g_ptr_array_add(arguments, g_strconcat(option, "=", value, NULL));
}

static void add_list(const WorkerJob *job, GPtrArray *arguments, const char *name, const char *option) {
    JsonNode *node = json_object_get_member(job->description, name);
    JsonArray *list = node && JSON_NODE_HOLDS_ARRAY(node) ? json_node_get_array(node) : NULL;

    for (guint i = 0; list && i < json_array_get_length(list); i++) {
        const char *text = json_array_get_string_element(list, i);

        if (option)
            add(arguments, option, text);
        else if (text)
            g_ptr_array_add(arguments, g_strdup(text));
    }
}

/* What the image tells devices about where updates come from. */
static void add_update(const WorkerJob *job, GPtrArray *arguments) {
    const char *url = worker_job_text(job, "updateUrl"), *channel = worker_job_text(job, "channel"),
               *target = worker_job_text(job, "target");
    g_autofree char *place = url && channel ? g_strdup_printf("UPDATE_URL=%s/%s", url, channel) : NULL;
    g_autofree char *channel_variable = channel ? g_strconcat("UPDATE_CHANNEL=", channel, NULL) : NULL;
    g_autofree char *target_variable = target ? g_strconcat("UPDATE_TARGET=", target, NULL) : NULL;

    add(arguments, "--environment", place);
    add(arguments, "--environment", channel_variable);
    add(arguments, "--environment", target_variable);
    /* Our channels have addresses for hundredths of the devices. */
    add(arguments, "--environment", place ? "UPDATE_ROLLOUT=yes" : NULL);
}

GPtrArray *builder_arguments(const WorkerJob *job) {
    GPtrArray *arguments = g_ptr_array_new_with_free_func(g_free);

    g_ptr_array_add(arguments, g_strdup(job->builder));
    add(arguments, "--directory", job->recipe);
    add(arguments, "--output-directory", job->output);
    add(arguments, "--cache-directory", job->cache);
    add(arguments, "--package-cache-dir", job->package_cache);
    add(arguments, "--image-version", worker_job_text(job, "version"));
    add(arguments, "--image-id", worker_job_text(job, "imageId"));
    add(arguments, "--release", worker_job_text(job, "release"));
    add(arguments, "--architecture", worker_job_text(job, "architecture"));
    add_list(job, arguments, "profiles", "--profile");
    add(arguments, "--sign", "offline");
    keys_add_arguments(job, arguments);
    add_update(job, arguments);
    bases_add_arguments(job, arguments);
    add_list(job, arguments, "options", NULL);
    if (!json_object_get_boolean_member_with_default(job->description, "scriptNetwork", FALSE))
        g_ptr_array_add(arguments, g_strdup("--no-script-network"));
    return arguments;
}

GPtrArray *builder_arguments_with(GPtrArray *common, const char *const *more) {
    GPtrArray *arguments = g_ptr_array_copy(common, (GCopyFunc) (gpointer) g_strdup, NULL);

    for (; *more; more++)
        g_ptr_array_add(arguments, g_strdup(*more));
    g_ptr_array_add(arguments, NULL);
    return arguments;
}

/* Variables that reach the builder: those that it needs, and none of ours. */
static char **builder_environment(const WorkerJob *job) {
    static const char *const kept[] = {
            "PATH", "LANG", "TMPDIR", "http_proxy", "https_proxy", "no_proxy", "USER", "LOGNAME"};
    g_autofree char *cache = g_build_filename(job->cache, "home", NULL);
    char **environment = NULL;

    for (guint i = 0; i < G_N_ELEMENTS(kept); i++)
        if (g_getenv(kept[i]))
            environment = g_environ_setenv(environment, kept[i], g_getenv(kept[i]), TRUE);
    environment = g_environ_setenv(environment, "HOME", job->path, TRUE);
    return g_environ_setenv(environment, "XDG_CACHE_HOME", cache, TRUE);
}

/* Looks now and then whether the job takes too much; NEXT is when. */
static gboolean takes_too_much(const WorkerJob *job, gint64 *next) {
    gint64 now = g_get_monotonic_time(),
           limit = json_object_get_int_member_with_default(job->description, "diskLimit", 0);

    if (limit <= 0 || now < *next)
        return FALSE;
    *next = now + USAGE_INTERVAL;
    return usage_of(job->output) > limit;
}

static gboolean wait_for(WorkerJob *job, pid_t pid, int *status, gboolean *ret_too_much) {
    gint64 asked = 0, next = 0;

    while (!process_reap(pid, FALSE, status)) {
        if (asked == 0 && (g_atomic_int_get(&job->stop) || (*ret_too_much = takes_too_much(job, &next)))) {
            asked = g_get_monotonic_time();
            /* The builder itself ends what it started; what does not listen is killed with it. */
            process_kill(pid, SIGTERM);
        } else if (asked > 0 && g_get_monotonic_time() - asked > PATIENCE) {
            process_kill(pid, SIGKILL);
        }
        g_usleep(INTERVAL);
    }
    /* What it left behind in its group. */
    process_kill(pid, SIGKILL);
    return asked == 0;
}

/* What is started for ARGUMENTS. */
static char **command(const char *const *arguments) {
    g_autoptr(GStrvBuilder) words = g_strv_builder_new();

    /* Not by its name, behind which another version may be by now. */
    if (apart_is_needed()) {
        g_strv_builder_add(words, "/proc/self/exe");
        g_strv_builder_add(words, APART_WORD);
    }
    g_strv_builder_addv(words, (const char **) arguments);
    return g_strv_builder_end(words);
}

static gboolean refuse_usage(const WorkerJob *job, GError **error) {
    g_autofree char *limit =
            g_format_size_full((guint64) json_object_get_int_member_with_default(job->description, "diskLimit", 0),
                    G_FORMAT_SIZE_IEC_UNITS);

    g_set_error(error, HTTP_ERROR, HTTP_ERROR_LIMIT,
            "What the build makes takes more than the project's limit of the disk, %s: make the image smaller, or raise "
            "the limit (particleos kitchen project set %s/%s disk-limit=SIZE)",
            limit, worker_job_text(job, "namespace"), worker_job_text(job, "project"));
    return FALSE;
}

gboolean builder_run(
        WorkerJob *job, const char *const *arguments, int out, int events, int *ret_status, GError **error) {
    g_auto(GStrv) environment = builder_environment(job);
    g_auto(GStrv) words = command(arguments);
    ProcessPlan plan = {.argv = (const char *const *) words,
            .environment = (const char *const *) environment,
            .directory = job->path,
            .in = -1,
            .out = out >= 0 ? out : job->log,
            .err = job->log,
            .events = events,
            .dies_with_us = TRUE,
            .apart = apart_is_needed()};
    pid_t pid = g_atomic_int_get(&job->stop) ? 0 : process_start(&plan, error);
    gboolean too_much = FALSE;
    int status = 0;

    if (pid < 0)
        return FALSE;
    if (pid > 0 && !wait_for(job, pid, &status, &too_much) && too_much && !g_atomic_int_get(&job->stop))
        return refuse_usage(job, error);
    if (pid == 0 || too_much || g_atomic_int_get(&job->stop)) {
        g_set_error(error, HTTP_ERROR, HTTP_ERROR_CANCELLED, "The job was cancelled");
        return FALSE;
    }
    *ret_status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    return TRUE;
}

gint64 builder_log_size(const WorkerJob *job) {
    struct stat about;

    return fstat(job->log, &about) == 0 ? about.st_size : 0;
}

char *builder_last_lines(const WorkerJob *job, gint64 offset) {
    AUTO_FD fd = open(job->log_path, O_RDONLY | O_CLOEXEC);
    gint64 size = builder_log_size(job), start = MAX(offset, size - LAST_BYTES);
    g_autofree char *text = g_malloc0(LAST_BYTES + 1);
    gssize n = fd >= 0 ? pread_up_to(fd, text, LAST_BYTES, (guint64) start) : 0;
    g_autofree char *valid = g_utf8_make_valid(text, MAX(n, 0));
    g_auto(GStrv) lines = g_strsplit(g_strchomp(valid), "\n", -1);
    guint count = g_strv_length(lines);

    return g_strjoinv("\n", lines + (count > LAST_LINES ? count - LAST_LINES : 0));
}
