/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "log-stream.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "kitchen/serve/api-answer.h"

/* Bytes of the file in one event; and how often a viewer who has read everything looks again, in milliseconds. */
#define PIECE (32 * 1024)
#define LOOK_AGAIN 50
/* Without news a comment keeps the connection; after so many milliseconds. */
#define COMMENT_AFTER 15000

typedef struct {
    Site *site;
    SoupServerMessage *message; /* not owned: lives longer */
    char *path;
    gint64 job;
    gint64 offset;
    guint timer;
    guint idle;       /* milliseconds without news */
    gboolean writing; /* a piece is on its way */
    gboolean over;
} Stream;

static void stream_free(gpointer data, GClosure *closure) {
    Stream *stream = data;

    if (stream->timer)
        g_source_remove(stream->timer);
    g_free(stream->path);
    g_free(stream);
}

static void append(Stream *stream, GString *text) {
    SoupMessageBody *body = soup_server_message_get_response_body(stream->message);
    gsize size = text->len;

    stream->writing = TRUE;
    stream->idle = 0;
    soup_message_body_append_take(body, (guchar *) g_string_free(text, FALSE), size);
}

/* The lines of SIZE bytes of TEXT as the data of one event; other control characters are the reader's to show. */
static GString *event_text(const char *text, gsize size, gint64 end) {
    GString *event = g_string_sized_new(size + size / 8 + 64);

    g_string_append_printf(event, "id: %" G_GINT64_FORMAT "\n", end);
    while (size > 0) {
        const char *stop = memchr(text, '\n', size);
        gsize length = stop ? (gsize) (stop - text) : size;
        g_autofree char *line = g_utf8_make_valid(text, (gssize) length);

        /* A carriage return would end the line, and the next word be a field of the event. */
        g_strdelimit(line, "\r", ' ');
        g_string_append_printf(event, "data: %s\n", line);
        text += MIN(length + 1, size);
        size -= MIN(length + 1, size);
    }
    g_string_append_c(event, '\n');
    return event;
}

static gboolean job_is_over(Stream *stream, char **ret_state) {
    g_autoptr(GError) error = NULL;
    gboolean over = TRUE;

    *ret_state = job_view_state(stream->site->database, stream->job, &over, &error);
    return over;
}

/* The next piece of the file: whole lines, unless one is longer. FALSE: there is none. */
static gboolean send_piece(Stream *stream) {
    AUTO_FD fd = open(stream->path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    char text[PIECE];
    const char *end = NULL;
    gssize n = fd < 0 ? 0 : pread_up_to(fd, text, sizeof(text), stream->offset);

    if (n <= 0)
        return FALSE;
    end = memrchr(text, '\n', n);
    if (!end && n < PIECE)
        return FALSE;
    n = end ? end - text + 1 : n;
    stream->offset += n;
    append(stream, event_text(text, n, stream->offset));
    return TRUE;
}

static void finish(Stream *stream, const char *state) {
    SoupMessageBody *body = soup_server_message_get_response_body(stream->message);
    GString *text = g_string_new(NULL);

    stream->over = TRUE;
    g_string_append_printf(text, "event: end\ndata: %s\n\n", state ?: "gone");
    append(stream, text);
    soup_message_body_complete(body);
}

static gboolean advance(Stream *stream) {
    g_autofree char *state = NULL;
    gboolean over = FALSE;

    if (send_piece(stream))
        return TRUE;
    /* First the state, then the file once more: what was written last is not missed. */
    over = job_is_over(stream, &state);
    if (send_piece(stream))
        return TRUE;
    if (over) {
        finish(stream, state);
        return TRUE;
    }
    if (stream->idle >= COMMENT_AFTER) {
        append(stream, g_string_new(": still here\n\n"));
        return TRUE;
    }
    return FALSE;
}

static gboolean on_timer(gpointer user) {
    Stream *stream = user;
    guint wait = 0;

    stream->idle += LOOK_AGAIN;
    /* Who has waited for long can wait a bit. */
    wait = stream->idle > 5000 ? 5 : 1;
    if (stream->idle / LOOK_AGAIN % wait != 0 || !advance(stream))
        return G_SOURCE_CONTINUE;
    stream->timer = 0;
    soup_server_message_unpause(stream->message);
    return G_SOURCE_REMOVE;
}

/* The last piece is with the kernel. */
static void on_written(SoupServerMessage *message, gpointer user) {
    Stream *stream = user;

    stream->writing = FALSE;
    if (stream->over || advance(stream))
        return;
    soup_server_message_pause(message);
    if (!stream->timer)
        stream->timer = g_timeout_add(LOOK_AGAIN, on_timer, stream);
}

static gint64 first_offset(Visit *visit) {
    const char *last = http_request_header(visit->http, "Last-Event-ID");
    guint64 offset = 0;

    if (last && g_ascii_string_to_unsigned(last, 10, 0, G_MAXINT64, &offset, NULL))
        return (gint64) offset;
    return http_request_number(visit->http, "offset", 0, G_MAXINT64);
}

/* The job of the address; 0: the visit has been answered. */
static gint64 find_job(Visit *visit) {
    g_autoptr(GError) error = NULL;
    g_autoptr(ProjectView) project = NULL;
    g_autoptr(JobView) job = NULL;
    gint64 number = 0, id = api_number(visit_segment(visit, 3));

    if (!api_may_read(visit))
        return 0;
    job = job_view(visit->site->database, &visit->viewer, id, &project, &number, &error);
    if (error)
        api_error(visit, error);
    else if (!job)
        api_not_found(visit);
    return job ? id : 0;
}

void log_stream(Visit *visit) {
    SoupServerMessage *message = visit->http->message;
    Stream *stream = NULL;
    gint64 job = find_job(visit);

    if (job == 0)
        return;
    stream = g_new0(Stream, 1);
    stream->site = visit->site;
    stream->message = message;
    stream->job = job;
    stream->path = visit->site->engine->log_path(visit->site->engine->user, job);
    stream->offset = first_offset(visit);
    soup_server_message_set_status(message, SOUP_STATUS_OK, NULL);
    http_header(visit->http, "Content-Type", "text/event-stream; charset=utf-8");
    /* nginx would collect what comes. */
    http_header(visit->http, "X-Accel-Buffering", "no");
    soup_message_headers_set_encoding(soup_server_message_get_response_headers(message), SOUP_ENCODING_CHUNKED);
    soup_message_body_set_accumulate(soup_server_message_get_response_body(message), FALSE);
    g_signal_connect_data(message, "wrote-chunk", G_CALLBACK(on_written), stream, stream_free, G_CONNECT_DEFAULT);
    append(stream, g_string_new("retry: 2000\n\n"));
}

void log_raw(Visit *visit) {
    g_autofree char *path = NULL;
    gint64 job = find_job(visit);
    g_autofree char *name = g_strdup_printf("attachment; filename=\"job-%" G_GINT64_FORMAT ".log\"", job);

    if (job == 0)
        return;
    path = visit->site->engine->log_path(visit->site->engine->user, job);
    http_header(visit->http, "Content-Disposition", name);
    api_send_file(visit, path, "text/plain; charset=utf-8", TRUE);
}
