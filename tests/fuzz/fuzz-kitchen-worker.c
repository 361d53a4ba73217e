/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What workers of the build service say: "METHOD PATH?QUERY" in the first line, then the body. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "kitchen/api/worker-api.h"
#include "kitchen/model/builds/build-create.h"
#include "kitchen/model/builds/builds.h"
#include "kitchen/model/builds/jobs.h"
#include "kitchen/model/projects/projects.h"
#include "kitchen/model/results/objects.h"

#define TOKEN "0123456789012345678901234567890123456789012345678901234567890123"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static JsonObject *refuse(gpointer user, JsonObject *request, const int *descriptors, guint n, GError **error) {
    g_set_error(error, SIGN_SERVICE_ERROR, SIGN_SERVICE_ERROR_REFUSED, "No");
    return NULL;
}

static gboolean compare(gpointer user, GBytes *before, GBytes *after, GPtrArray *reasons, GError **error) {
    return TRUE;
}

/* Where objects and logs go; removed at the end. */
static char *directory;

static void remove_directory(void) {
    g_autofree char *command = g_strdup_printf("rm -rf %s", directory);

    if (system(command) != 0)
        g_printerr("%s stays\n", directory);
}

/* A job that runs, with TOKEN. */
static void add_job(Model *model) {
    gint64 project = project_create(model,
            &(Project){.namespace_id = namespace_create(model, "ada", NULL),
                    .name = (char *) "os",
                    .url = (char *) "https://x",
                    .branch = (char *) "main"},
            NULL);
    gint64 target = target_create(model,
            &(Target){.project_id = project, .name = (char *) "t", .image_id = (char *) "Os", .required = TRUE}, NULL);
    gint64 build = build_create(model, &(Build){.project_id = project, .cause = (char *) "push"}, FALSE, 0, NULL);
    g_autofree char *ticket = job_submit(model, 1, NULL);
    g_autoptr(Job) job = job_claim(model, ticket, TOKEN, "w", NULL);

    g_assert_true(
            job && job->id == 1 && build == 1 && target == 1 && job_transition(model, 1, JOB_RUNNING, NULL, NULL));
}

static void check(Model *model, guint status) {
    g_autoptr(GPtrArray) artifacts = artifact_list(model, 1, NULL);
    g_autoptr(Job) job = job_get(model, 1, NULL);
    g_autoptr(Build) build = build_get(model, 1, NULL);

    g_assert_true(status >= 200 && status < 600 && job && build && (int) job->state >= 0 && (int) build->state >= 0);
    for (guint i = 0; i < artifacts->len; i++) {
        const Artifact *artifact = artifacts->pdata[i];
        g_assert_true(!strchr(artifact->name, '/') && *artifact->name != '.' && strlen(artifact->digest) == 64);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    g_autofree char *text = g_strndup((const char *) data, size);
    const uint8_t *end = memchr(data, '\n', size);
    g_auto(GStrv) words = g_strsplit(g_strdelimit(text, "\n", 0), " ", 2);
    g_autoptr(GBytes) body = end ? g_bytes_new(end + 1, size - (gsize) (end + 1 - data)) : NULL;
    g_autoptr(Model) model = model_open(":memory:", NULL, NULL, NULL);
    g_autoptr(SignService) signer = sign_service_new(refuse, NULL, NULL);
    g_autoptr(Store) store = NULL;
    g_autoptr(WorkerApi) api = NULL;
    WorkerApiSettings settings = {.model = model, .signer = signer, .compare = compare};

    if (!directory) {
        g_log_set_always_fatal(G_LOG_LEVEL_CRITICAL | G_LOG_LEVEL_ERROR | G_LOG_FATAL_MASK);
        directory = g_dir_make_tmp("fuzz-worker-XXXXXX", NULL);
        atexit(remove_directory);
    }
    if (!words[0] || !words[1])
        return 0;
    store = store_open(directory, NULL);
    settings.store = store;
    settings.logs = directory;
    api = worker_api_new(&settings);
    add_job(model);
    check(model, worker_api_ask(api, words[0], words[1], TOKEN, body, NULL));
    return 0;
}
