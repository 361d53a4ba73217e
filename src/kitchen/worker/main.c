/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* particleos-kitchen-worker: does one job of the build service. The ticket for it comes through standard input, the token
 * that it is traded for stays in memory. */

#include <curl/curl.h>
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "base/secret.h"
#include "kitchen/worker/apart.h"
#include "kitchen/worker/beat.h"
#include "kitchen/worker/work.h"

#define TICKET_SIZE_MAX 256

/* For the handler of signals. */
static WorkerJob *current;

static void stop(int number) {
    if (current)
        g_atomic_int_set(&current->stop, 1);
    else
        _exit(1);
}

static char *read_ticket(void) {
    g_autofree char *ticket = g_malloc0(TICKET_SIZE_MAX + 1);
    gsize done = 0;

    while (done < TICKET_SIZE_MAX) {
        ssize_t n = read(STDIN_FILENO, ticket + done, TICKET_SIZE_MAX - done);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            break;
        done += (gsize) n;
    }
    g_strchomp(ticket);
    return *ticket ? g_steal_pointer(&ticket) : NULL;
}

static void listen_to_signals(void) {
    struct sigaction action = {.sa_handler = stop, .sa_flags = SA_RESTART};

    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);
    signal(SIGPIPE, SIG_IGN);
}

static gboolean run(const char *url, const char *builder, const char *work, const char *cache, GError **error) {
    g_autofree char *ticket = read_ticket();
    g_autoptr(WorkerJob) job = NULL;
    g_auto(WorkResult) result = {.state = "failed"};
    Beat *beat = NULL;
    gboolean told = FALSE;

    if (!ticket) {
        g_set_error(error, HTTP_ERROR, HTTP_ERROR_REFUSED, "A worker reads its ticket from standard input");
        return FALSE;
    }
    job = worker_job_claim(url, builder, work, cache, ticket, error);
    if (!job)
        return FALSE;
    current = job;
    beat = beat_start(job);
    work_run(job, &result);
    /* The end of the log comes before the end of the job. */
    beat_stop(beat);
    told = g_atomic_int_get(&job->over) || work_report(job, &result, error);
    current = NULL;
    return told;
}

int main(int argc, char **argv) {
    g_autofree char *url = NULL;
    g_autofree char *builder = NULL;
    g_autofree char *work = NULL;
    g_autofree char *cache = NULL;
    GOptionEntry options[] = {{"url", 0, 0, G_OPTION_ARG_STRING, &url, "of the build service's worker API", "URL"},
            {"builder", 0, 0, G_OPTION_ARG_STRING, &builder, "the program particleos", "PATH"},
            {"work", 0, 0, G_OPTION_ARG_FILENAME, &work, "directory for jobs and caches", "DIRECTORY"},
            {"package-cache", 0, 0, G_OPTION_ARG_FILENAME, &cache, "directory of packages", "DIRECTORY"}, {0}};
    g_autoptr(GOptionContext) context = g_option_context_new(NULL);
    g_autoptr(GError) error = NULL;

    /* Builders run as the same user. */
    secret_hide_process();
    if (argc > 2 && strcmp(argv[1], APART_WORD) == 0)
        return apart_run(argv + 2);
    listen_to_signals();
    g_option_context_add_main_entries(context, options, NULL);
    if (!g_option_context_parse(context, &argc, &argv, &error) || !url || !builder || !work) {
        g_printerr("particleos-kitchen-worker: %s\n",
                error ? error->message : "--url=, --builder= and --work= are needed");
        return 2;
    }
    curl_global_init(CURL_GLOBAL_DEFAULT);
    if (!run(url, builder, work, cache, &error)) {
        g_printerr("particleos-kitchen-worker: %s\n", error->message);
        return 1;
    }
    return 0;
}
