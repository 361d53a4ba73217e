/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Ranges of a file, several requests at a time. */

#include "update/http/http-private.h"

#include <string.h>

#include "events/task.h"
#include "update/transfer/error.h"

#define BLOCK 4096u
#define PARALLEL 6
#define PIECE (64u * BLOCK)
/* A request may end without a byte that many times in a row. */
#define TRIES 4

typedef struct Fetch Fetch;

typedef struct {
    Fetch *fetch;
    HttpRange range; /* what is missing of it: grows smaller as blocks arrive */
    guint tries;
    gboolean begun; /* the head of the answer was looked at */
    HttpHead head;
    GByteArray *buffer; /* the beginning of the next blocks */
    CURL *curl;
    char details[CURL_ERROR_SIZE];
} Request;

struct Fetch {
    Http *http;
    const char *url;
    guint64 size;
    HttpSink sink;
    gpointer data;
    GQueue *waiting; /* Request */
    CURLM *multi;
    GPtrArray *running; /* Request */
    gboolean whole;     /* all of the file is asked for, without a range */
    gboolean ignored;   /* the server sends everything */
    GError *error;
};

static void request_stop(Request *request) {
    if (!request->curl)
        return;
    http_request_count(request->fetch->http, request->curl);
    curl_multi_remove_handle(request->fetch->multi, request->curl);
    g_clear_pointer(&request->curl, curl_easy_cleanup);
    g_ptr_array_remove(request->fetch->running, request);
}

static void request_free(gpointer data) {
    Request *request = data;

    g_byte_array_unref(request->buffer);
    g_free(request);
}

/* The answer begins: is it to what was asked? */
static gboolean check_head(Request *request) {
    Fetch *fetch = request->fetch;
    const HttpHead *head = &request->head;
    long status = 0;

    curl_easy_getinfo(request->curl, CURLINFO_RESPONSE_CODE, &status);
    if (status == 200 && !fetch->whole) {
        fetch->ignored = TRUE;
        return FALSE;
    }
    if (status != (fetch->whole ? 200 : 206))
        return FALSE; /* told when the request ends */
    if (fetch->whole ? head->length != HTTP_UNKNOWN_SIZE && head->length != fetch->size
                     : !head->has_range || head->first != request->range.offset ||
                               head->last != request->range.offset + request->range.size - 1 ||
                               (head->total != HTTP_UNKNOWN_SIZE && head->total != fetch->size))
        return update_fail(fetch->error ? NULL : &fetch->error, UPDATE_ERROR_UNTRUSTED,
                "%s: the server sends another range, or a file of another length, than the one that was asked for",
                fetch->url);
    return TRUE;
}

/* Hands over whole blocks, and at the end of the range what is left. */
static gboolean hand_over(Request *request) {
    Fetch *fetch = request->fetch;
    gsize size = request->buffer->len;

    if (size < request->range.size)
        size -= size % BLOCK;
    if (size == 0)
        return TRUE;
    if (!fetch->sink(
                fetch->data, request->range.offset, request->buffer->data, size, fetch->error ? NULL : &fetch->error))
        return FALSE;
    g_byte_array_remove_range(request->buffer, 0, (guint) size);
    request->range.offset += size;
    request->range.size -= size;
    request->tries = 0;
    return TRUE;
}

static size_t on_body(char *bytes, size_t one, size_t size, void *data) {
    Request *request = data;
    Fetch *fetch = request->fetch;

    if (!request->begun && !check_head(request))
        return 0;
    request->begun = TRUE;
    if (request->buffer->len + size > request->range.size) {
        update_fail(fetch->error ? NULL : &fetch->error, UPDATE_ERROR_UNTRUSTED,
                "%s: the server sends more bytes than were asked for", fetch->url);
        return 0;
    }
    g_byte_array_append(request->buffer, (const guint8 *) bytes, (guint) size);
    if ((request->buffer->len >= PIECE || request->buffer->len == request->range.size) && !hand_over(request))
        return 0;
    return size;
}

static size_t on_head(char *line, size_t one, size_t size, void *data) {
    Request *request = data;

    http_head_line(&request->head, line, size);
    return size;
}

static void request_start(Request *request) {
    Fetch *fetch = request->fetch;
    g_autofree char *range = g_strdup_printf("%" G_GUINT64_FORMAT "-%" G_GUINT64_FORMAT, request->range.offset,
            request->range.offset + request->range.size - 1);

    request->curl = http_request_new(fetch->http, fetch->url, TRUE);
    request->begun = FALSE;
    request->head = (HttpHead){.length = HTTP_UNKNOWN_SIZE};
    request->details[0] = '\0';
    g_byte_array_set_size(request->buffer, 0);
    if (!fetch->whole)
        curl_easy_setopt(request->curl, CURLOPT_RANGE, range);
    curl_easy_setopt(request->curl, CURLOPT_ERRORBUFFER, request->details);
    curl_easy_setopt(request->curl, CURLOPT_PRIVATE, request);
    curl_easy_setopt(request->curl, CURLOPT_HEADERFUNCTION, on_head);
    curl_easy_setopt(request->curl, CURLOPT_HEADERDATA, request);
    curl_easy_setopt(request->curl, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(request->curl, CURLOPT_WRITEDATA, request);
    curl_multi_add_handle(fetch->multi, request->curl);
    g_ptr_array_add(fetch->running, request);
}

/* REQUEST has ended with CODE: it is done, or waits again, or is the reason why all fails. */
static void request_ended(Request *request, CURLcode code) {
    Fetch *fetch = request->fetch;
    long status = 0;

    curl_easy_getinfo(request->curl, CURLINFO_RESPONSE_CODE, &status);
    gboolean done = code == CURLE_OK && request->range.size == 0;
    gboolean short_answer = code == CURLE_OK && (status == 200 || status == 206);
    if (!done && !fetch->error && !fetch->ignored) {
        /* What has arrived of it is not lost. */
        if (code != CURLE_WRITE_ERROR && hand_over(request) && request->range.size > 0 &&
                (http_is_transient(code, status) || short_answer) && ++request->tries < TRIES) {
            request_stop(request);
            /* All of a file cannot be continued: what is there already is told again. */
            if (fetch->whole)
                request->range = (HttpRange){0, fetch->size};
            g_queue_push_tail(fetch->waiting, request);
            return;
        }
        if (!fetch->error && short_answer)
            update_fail(
                    &fetch->error, UPDATE_ERROR_UNTRUSTED, "%s: the server sends less than it announces", fetch->url);
        else if (!fetch->error && (code != CURLE_OK || status >= 300))
            http_request_fail(
                    request->curl, status >= 300 ? CURLE_OK : code, fetch->url, request->details, &fetch->error);
    }
    request_stop(request);
    request_free(request);
}

static void handle_ended(Fetch *fetch) {
    CURLMsg *message;
    int left;

    while ((message = curl_multi_info_read(fetch->multi, &left))) {
        Request *request = NULL;
        CURLcode code = message->data.result;
        if (message->msg != CURLMSG_DONE)
            continue;
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **) &request);
        request_ended(request, code);
    }
}

static void run(Fetch *fetch) {
    int still = 0;

    while (!fetch->error && !fetch->ignored) {
        while (fetch->running->len < PARALLEL && !g_queue_is_empty(fetch->waiting))
            request_start(g_queue_pop_head(fetch->waiting));
        if (fetch->running->len == 0)
            return;
        if (curl_multi_perform(fetch->multi, &still) != CURLM_OK ||
                curl_multi_poll(fetch->multi, NULL, 0, 200, NULL) != CURLM_OK) {
            update_fail(&fetch->error, UPDATE_ERROR_NETWORK, "%s: libcurl does not go on", fetch->url);
            return;
        }
        handle_ended(fetch);
    }
}

static void add_request(Fetch *fetch, HttpRange range) {
    Request *request = g_new0(Request, 1);

    request->fetch = fetch;
    request->range = range;
    request->buffer = g_byte_array_new();
    g_queue_push_tail(fetch->waiting, request);
}

/* One pass over RANGES (NULL: the whole file). FALSE without ERROR: the server does not know ranges. */
static gboolean fetch_once(Fetch *fetch, const GArray *ranges, GError **error) {
    g_autoptr(GPtrArray) active = g_ptr_array_new();

    fetch->running = active;
    fetch->waiting = g_queue_new();
    fetch->multi = curl_multi_init();
    fetch->whole = !ranges;
    fetch->ignored = FALSE;
    for (guint i = 0; ranges && i < ranges->len; i++)
        add_request(fetch, g_array_index(ranges, HttpRange, i));
    if (!ranges)
        add_request(fetch, (HttpRange){0, fetch->size});
    run(fetch);
    while (active->len > 0) {
        Request *request = active->pdata[0];
        request_stop(request);
        request_free(request);
    }
    g_queue_free_full(fetch->waiting, request_free);
    curl_multi_cleanup(fetch->multi);
    if (fetch->error)
        g_propagate_error(error, g_steal_pointer(&fetch->error));
    else
        return !fetch->ignored;
    return FALSE;
}

gboolean http_fetch(
        Http *http, const char *url, guint64 size, const GArray *ranges, HttpSink sink, gpointer data, GError **error) {
    Fetch fetch = {.http = http, .url = url, .size = size, .sink = sink, .data = data};
    g_autoptr(GError) failure = NULL;
    gboolean whole = ranges->len == 1 && g_array_index(ranges, HttpRange, 0).size == size;

    if (ranges->len == 0)
        return TRUE;
    if (!http->no_ranges && !whole) {
        if (fetch_once(&fetch, ranges, &failure))
            return TRUE;
        if (failure) {
            g_propagate_error(error, g_steal_pointer(&failure));
            return FALSE;
        }
        http->no_ranges = TRUE;
    }
    return fetch_once(&fetch, NULL, error);
}
