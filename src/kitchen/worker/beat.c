/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "beat.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"

#define PIECE (1024 * 1024)
/* How often it looks, and how often it speaks when there is nothing to say. In microseconds. */
#define INTERVAL (G_USEC_PER_SEC / 2)
#define SILENCE (3 * G_USEC_PER_SEC)

typedef struct {
    const char *name; /* "log", "events" */
    int fd;
    gint64 sent;
} Stream;

struct Beat {
    WorkerJob *job;
    Http *http;
    GThread *thread;
    gint ends;     /* atomic */
    gint64 spoken; /* monotonic */
    Stream streams[2];
};

static void hear(Beat *beat, Stream *stream, JsonObject *answer) {
    stream->sent = json_object_get_int_member_with_default(answer, "size", stream->sent);
    if (json_object_get_boolean_member_with_default(answer, "cancel", FALSE))
        g_atomic_int_set(&beat->job->stop, 1);
    beat->spoken = g_get_monotonic_time();
}

/* Sends what STREAM has grown by, one piece. Returns whether there may be more. */
static gboolean speak(Beat *beat, Stream *stream, gboolean always) {
    g_autofree char *data = g_malloc(PIECE);
    gssize n = pread_up_to(stream->fd, data, PIECE, (guint64) stream->sent);
    g_autoptr(GBytes) body = NULL;
    g_autoptr(JsonObject) answer = NULL;
    g_autoptr(GError) failure = NULL;
    g_autofree char *rest = NULL;
    g_autofree char *url = NULL;
    gint64 before = stream->sent;

    if (n < 0 || (n == 0 && !always))
        return FALSE;
    rest = g_strdup_printf("%s?offset=%" G_GINT64_FORMAT, stream->name, stream->sent);
    url = worker_job_url(beat->job, rest);
    body = g_bytes_new(data, (gsize) n);
    answer = http_ask(beat->http, "POST", url, body, &failure);
    if (answer) {
        hear(beat, stream, answer);
    } else if (g_error_matches(failure, HTTP_ERROR, HTTP_ERROR_OVER)) {
        g_atomic_int_set(&beat->job->over, 1);
        g_atomic_int_set(&beat->job->stop, 1);
    }
    return answer && n > 0 && stream->sent > before;
}

static gpointer run(gpointer data) {
    Beat *beat = data;

    for (gboolean last = FALSE; !last && !g_atomic_int_get(&beat->job->over);) {
        gboolean quiet = g_get_monotonic_time() - beat->spoken > SILENCE;

        last = g_atomic_int_get(&beat->ends) != 0;
        while (speak(beat, &beat->streams[1], FALSE))
            ;
        for (gboolean more = speak(beat, &beat->streams[0], quiet); more;)
            more = speak(beat, &beat->streams[0], FALSE);
        for (guint i = 0; i < 5 && !last && !g_atomic_int_get(&beat->ends); i++)
            g_usleep(INTERVAL / 5);
    }
    return NULL;
}

Beat *beat_start(WorkerJob *job) {
    Beat *beat = g_new0(Beat, 1);

    beat->job = job;
    /* It tries again anyway. */
    beat->http = http_new(job->url, job->token, NULL);
    http_set_patience(beat->http, 0);
    beat->streams[0] = (Stream){.name = "log", .fd = open(job->log_path, O_RDONLY | O_CLOEXEC)};
    beat->streams[1] = (Stream){.name = "events", .fd = open(job->events_path, O_RDONLY | O_CLOEXEC)};
    beat->thread = g_thread_new("heartbeat", run, beat);
    return beat;
}

void beat_stop(Beat *beat) {
    if (!beat)
        return;
    g_atomic_int_set(&beat->ends, 1);
    g_thread_join(beat->thread);
    for (guint i = 0; i < G_N_ELEMENTS(beat->streams); i++)
        cleanup_fd(&beat->streams[i].fd);
    http_free(beat->http);
    g_free(beat);
}
