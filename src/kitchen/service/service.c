/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "service.h"

#include <errno.h>
#include <glib/gstdio.h>

#include "base/errors.h"
#include "config.h"
#include "kitchen/api/worker-api.h"
#include "kitchen/coordinator/coordinator.h"
#include "kitchen/executor/executor.h"
#include "kitchen/git/git-source.h"
#include "kitchen/net/repository-watch.h"
#include "kitchen/publish/log-mirror.h"
#include "kitchen/publish/publish.h"
#include "kitchen/service/changes.h"
#include "kitchen/signing/sign-service.h"
#include "kitchen/store/store.h"

/* Below so much free disk nothing starts. */
#define PERCENT_FREE 5
/* Days that a manifest is good for. */
#define BEST_BEFORE 14

struct Service {
    Store *store;
    SignService *signer;
    LogMirror *log;
    Publisher *publisher;
    Executor *executor;
    GitSource *git;
    WorkerApi *api;
    Mount mount;
    Coordinator *coordinator;
    AddressPolicy *policy;
    OutboundLimits limits;
};

/* A program of ours: beside this one where it runs from the build directory, else where it is installed. */
static char *find_program(const char *built, const char *installed) {
    g_autofree char *self = g_file_read_link("/proc/self/exe", NULL);

    return g_build_filename(self && g_str_has_prefix(self, PARTICLEOS_BUILD_DIR "/") ? PARTICLEOS_BUILD_DIR "/src" : "",
            self && g_str_has_prefix(self, PARTICLEOS_BUILD_DIR "/") ? built : installed, NULL);
}

static char *make_directory(const char *top, const char *name, GError **error) {
    g_autofree char *path = g_build_filename(top, name, NULL);

    if (g_mkdir_with_parents(path, 0700) == 0)
        return g_steal_pointer(&path);
    set_errno_error(error, errno, "Cannot make the directory %s", path);
    return NULL;
}

static gboolean open_local_workers(Service *service, const ServiceSettings *settings, GError **error) {
    g_autofree char *worker = find_program(
            "kitchen/worker/particleos-kitchen-worker", PARTICLEOS_LIBEXECDIR "/particleos-kitchen-worker");
    g_autofree char *builder =
            settings->builder ? g_strdup(settings->builder) : find_program("cli/particleos", "particleos");
    g_autofree char *work = make_directory(settings->directory, "work", error);
    g_autofree char *packages = settings->package_cache ? g_strdup(settings->package_cache)
                                : work                  ? make_directory(work, "packages", error)
                                                        : NULL;
    LocalExecutorSettings local = {.slots = settings->slots,
            .program = worker,
            .url = settings->worker_url,
            .builder = builder,
            .work = work,
            .package_cache = packages};

    if (!work || !packages)
        return FALSE;
    service->executor = executor_new_local(&local);
    return TRUE;
}

static gboolean open_workers(Service *service, const ServiceSettings *settings, GError **error) {
    if (!settings->workers)
        return open_local_workers(service, settings, error);
    service->executor = executor_new_socket(settings->workers, settings->slots);
    return TRUE;
}

static gboolean open_git(Service *service, const ServiceSettings *settings, GError **error) {
    g_autofree char *fetcher =
            find_program("kitchen/fetch/particleos-kitchen-fetch", PARTICLEOS_LIBEXECDIR "/particleos-kitchen-fetch");
    g_autofree char *fetched = make_directory(settings->directory, "fetched", error);

    if (!fetched)
        return FALSE;
    service->git = git_source_new_program(&(GitSourceSettings){.program = fetcher,
            .work = fetched,
            .roots = settings->local_roots,
            .networks = settings->git_networks,
            .authorities = settings->git_authorities});
    return TRUE;
}

static gboolean open_api(Service *service, const ServiceSettings *settings, GError **error) {
    g_autofree char *logs = make_directory(settings->directory, "logs", error);
    WorkerApiSettings api = {.model = settings->model,
            .store = service->store,
            .signer = service->signer,
            .logs = logs,
            .publish_url = settings->publish_url,
            .development = settings->development,
            .compare = changes_compare};

    if (!logs)
        return FALSE;
    service->api = worker_api_new(&api);
    service->mount = (Mount){.api = service->api, .prefix = "/worker/"};
    return TRUE;
}

static gboolean watch(gpointer user, const char *url, RepositoryState *state, gboolean *ret_changed, GError **error) {
    return repository_watch(user, url, state, ret_changed, error);
}

static gboolean tell(gpointer user, const ForgeStatus *status, const char *token, GError **error) {
    return forge_status_send(user, status, token, error);
}

static gboolean open_net(Service *service, const ServiceSettings *settings, GError **error) {
    service->policy = address_policy_new(settings->networks, error);
    service->limits = (OutboundLimits){.policy = service->policy, .plain_http = settings->plain_http};
    return service->policy != NULL;
}

static void open_coordinator(Service *service, const ServiceSettings *settings) {
    CoordinatorSettings coordinator = {.model = settings->model,
            .store = service->store,
            .executor = service->executor,
            .publisher = service->publisher,
            .git = service->git,
            .watch = watch,
            .watch_user = &service->limits,
            .tell = settings->box ? tell : NULL,
            .tell_user = &service->limits,
            .box = settings->box,
            .base_url = settings->base_url,
            .percent_free = PERCENT_FREE,
            .best_before = BEST_BEFORE};

    service->coordinator = coordinator_new(&coordinator);
}

Service *service_new(const ServiceSettings *settings, GError **error) {
    g_autoptr(Service) service = g_new0(Service, 1);
    g_autofree char *log = g_build_filename(settings->publish_directory, "log", NULL);

    service->store = store_open(settings->directory, error);
    if (!service->store)
        return NULL;
    service->signer = sign_service_new_socket(settings->signer);
    service->log = log_mirror_new(log, service->signer);
    service->publisher = publisher_new(settings->publish_directory, service->store, service->signer);
    publisher_set_log(service->publisher, service->log);
    if (!open_workers(service, settings, error) || !open_git(service, settings, error) ||
            !open_net(service, settings, error) || !open_api(service, settings, error))
        return NULL;
    open_coordinator(service, settings);
    return g_steal_pointer(&service);
}

void service_free(Service *service) {
    if (!service)
        return;
    coordinator_free(service->coordinator);
    worker_api_free(service->api);
    git_source_free(service->git);
    executor_free(service->executor);
    publisher_free(service->publisher);
    log_mirror_free(service->log);
    sign_service_unref(service->signer);
    store_free(service->store);
    address_policy_free(service->policy);
    g_free(service);
}

gboolean service_start(Service *service, GError **error) {
    return coordinator_start(service->coordinator, error);
}

void service_wake(Service *service) {
    coordinator_wake(service->coordinator);
}

const Mount *service_mount(Service *service) {
    return &service->mount;
}

const char *service_stopped(Service *service) {
    return coordinator_stopped(service->coordinator);
}
