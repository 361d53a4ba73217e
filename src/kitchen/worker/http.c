/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "http.h"

#include <curl/curl.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/io.h"

#define ANSWER_SIZE_MAX (16 * 1024 * 1024)

struct Http {
    CURL *curl;
    char *url;
    struct curl_slist *headers;
    const gint *stop;
    guint patience;
};

/* One request. */
typedef struct {
    Http *http;
    int in; /* what is sent; -1: nothing */
    gint64 in_offset, in_size, in_done;
    GBytes *body;
    int out; /* where the answer goes; -1: to ANSWER */
    gint64 out_done;
    GByteArray *answer;
} Exchange;

G_DEFINE_QUARK(http - error - quark, http_error)

Http *http_new(const char *url, const char *token, const gint *stop) {
    Http *http = g_new0(Http, 1);
    g_autofree char *authorization = g_strconcat("Authorization: Bearer ", token, NULL);

    http->curl = curl_easy_init();
    http->url = g_strdup(url);
    http->stop = stop;
    http->patience = 600;
    if (token)
        http->headers = curl_slist_append(http->headers, authorization);
    http->headers = curl_slist_append(http->headers, "Content-Type: application/octet-stream");
    /* No question before each body whether it is wanted. */
    http->headers = curl_slist_append(http->headers, "Expect:");
    return http;
}

void http_free(Http *http) {
    if (!http)
        return;
    curl_easy_cleanup(http->curl);
    curl_slist_free_all(http->headers);
    g_free(http->url);
    g_free(http);
}

void http_set_patience(Http *http, guint seconds) {
    http->patience = seconds;
}

static size_t give(char *buffer, size_t size, size_t n, void *user) {
    Exchange *exchange = user;
    gsize wanted = MIN(size * n, (gsize) (exchange->in_size - exchange->in_done));
    gssize got = pread_up_to(exchange->in, buffer, wanted, (guint64) (exchange->in_offset + exchange->in_done));

    if (got < 0 || (got == 0 && wanted > 0))
        return CURL_READFUNC_ABORT;
    exchange->in_done += got;
    return (size_t) got;
}

static int rewind_body(void *user, curl_off_t offset, int origin) {
    Exchange *exchange = user;

    if (origin != SEEK_SET)
        return CURL_SEEKFUNC_CANTSEEK;
    exchange->in_done = offset;
    return CURL_SEEKFUNC_OK;
}

static size_t take(char *data, size_t size, size_t n, void *user) {
    Exchange *exchange = user;
    long status = 0;

    curl_easy_getinfo(exchange->http->curl, CURLINFO_RESPONSE_CODE, &status);
    if (exchange->out >= 0 && status == 200) {
        if (!pwrite_all(exchange->out, data, size * n, (guint64) exchange->out_done, NULL))
            return 0;
        exchange->out_done += (gint64) (size * n);
        return size * n;
    }
    if (exchange->answer->len + size * n > ANSWER_SIZE_MAX)
        return 0;
    g_byte_array_append(exchange->answer, (const guint8 *) data, (guint) (size * n));
    return size * n;
}

static gboolean is_stopped(const Http *http) {
    return http->stop && g_atomic_int_get(http->stop) != 0;
}

static int watch(void *user, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d) {
    return is_stopped(user);
}

static void prepare(Exchange *exchange, const char *method, const char *path) {
    CURL *curl = exchange->http->curl;
    g_autofree char *url = g_strconcat(exchange->http->url, "/", path, NULL);
    gsize size = 0;

    curl_easy_reset(curl);
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, 10L);
    /* A service that says nothing for so long is gone. Signatures of large volumes take their time. */
    curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, 1L);
    curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, 180L);
    curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, watch);
    curl_easy_setopt(curl, CURLOPT_XFERINFODATA, exchange->http);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, exchange->http->headers);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, exchange);
    if (exchange->in >= 0) {
        curl_easy_setopt(curl, CURLOPT_UPLOAD, 1L);
        curl_easy_setopt(curl, CURLOPT_READFUNCTION, give);
        curl_easy_setopt(curl, CURLOPT_READDATA, exchange);
        curl_easy_setopt(curl, CURLOPT_SEEKFUNCTION, rewind_body);
        curl_easy_setopt(curl, CURLOPT_SEEKDATA, exchange);
        curl_easy_setopt(curl, CURLOPT_INFILESIZE_LARGE, (curl_off_t) exchange->in_size);
    } else if (strcmp(method, "GET") != 0) {
        gconstpointer data = exchange->body ? g_bytes_get_data(exchange->body, &size) : NULL;
        curl_easy_setopt(curl, CURLOPT_POST, 1L);
        curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t) size);
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, data ?: "");
    }
}

static JsonObject *parse(const GByteArray *answer) {
    g_autoptr(JsonParser) parser = json_parser_new();
    JsonNode *root = NULL;

    if (answer->len == 0 || !json_parser_load_from_data(parser, (const char *) answer->data, answer->len, NULL))
        return NULL;
    root = json_parser_get_root(parser);
    return root && JSON_NODE_HOLDS_OBJECT(root) ? json_object_ref(json_node_get_object(root)) : NULL;
}

static void set_refused(const Exchange *exchange, long status, GError **error) {
    g_autoptr(JsonObject) problem = parse(exchange->answer);
    const char *detail = problem ? json_object_get_string_member_with_default(problem, "detail", NULL) : NULL;

    HttpError code = status == 401 || status == 403 || status == 410 ? HTTP_ERROR_OVER
                     : status == 413                                 ? HTTP_ERROR_LIMIT
                                                                     : HTTP_ERROR_REFUSED;

    g_set_error(error, HTTP_ERROR, code, "%s (%ld)", detail ?: "The build service refuses", status);
}

/* One try. FALSE without ERROR set: it may work later; RET_WHY, owned by the caller, says what was wrong. */
static gboolean try_once(Exchange *exchange, const char *method, const char *path, char **ret_why, GError **error) {
    CURLcode code = CURLE_OK;
    long status = 0;

    exchange->in_done = exchange->out_done = 0;
    g_byte_array_set_size(exchange->answer, 0);
    prepare(exchange, method, path);
    code = curl_easy_perform(exchange->http->curl);
    if (is_stopped(exchange->http)) {
        g_set_error(error, HTTP_ERROR, HTTP_ERROR_CANCELLED, "The job was cancelled");
        return FALSE;
    }
    curl_easy_getinfo(exchange->http->curl, CURLINFO_RESPONSE_CODE, &status);
    if (code == CURLE_OK && status >= 200 && status < 300)
        return TRUE;
    if (code == CURLE_OK && status >= 400 && status < 500 && status != 429) {
        set_refused(exchange, status, error);
        return FALSE;
    }
    g_free(*ret_why);
    *ret_why = code != CURLE_OK ? g_strdup(curl_easy_strerror(code)) : g_strdup_printf("it answers %ld", status);
    return FALSE;
}

static gboolean exchange_all(Exchange *exchange, const char *method, const char *path, GError **error) {
    gint64 end = g_get_monotonic_time() + exchange->http->patience * G_USEC_PER_SEC;
    g_autofree char *why = NULL;
    g_autoptr(GError) failure = NULL;

    for (guint tries = 1; !try_once(exchange, method, path, &why, &failure); tries++) {
        if (failure) {
            g_propagate_error(error, g_steal_pointer(&failure));
            return FALSE;
        }
        if (g_get_monotonic_time() > end) {
            g_set_error(error, HTTP_ERROR, HTTP_ERROR_FAILED, "The build service cannot be asked: %s", why);
            return FALSE;
        }
        /* A fifth of a second first, five at last. */
        for (guint i = 0; i < MIN(tries, 25) && !is_stopped(exchange->http); i++)
            g_usleep(200000);
    }
    return TRUE;
}

static JsonObject *answer_of(const Exchange *exchange, GError **error) {
    JsonObject *object = parse(exchange->answer);

    if (!object)
        g_set_error(error, HTTP_ERROR, HTTP_ERROR_REFUSED, "The build service answered no JSON");
    return object;
}

JsonObject *http_ask(Http *http, const char *method, const char *path, GBytes *body, GError **error) {
    g_autoptr(GByteArray) answer = g_byte_array_new();
    Exchange exchange = {.http = http, .in = -1, .out = -1, .body = body, .answer = answer};

    return exchange_all(&exchange, method, path, error) ? answer_of(&exchange, error) : NULL;
}

JsonObject *http_ask_json(Http *http, const char *path, JsonObject *body, GError **error) {
    g_autoptr(JsonNode) node = json_node_init_object(json_node_alloc(), body);
    char *text = json_to_string(node, FALSE);
    g_autoptr(GBytes) bytes = g_bytes_new_take(text, strlen(text));

    return http_ask(http, "POST", path, bytes, error);
}

gboolean http_put(Http *http, const char *path, int fd, gint64 offset, gint64 size, GError **error) {
    g_autoptr(GByteArray) answer = g_byte_array_new();
    Exchange exchange = {.http = http, .in = fd, .in_offset = offset, .in_size = size, .out = -1, .answer = answer};

    return exchange_all(&exchange, "PUT", path, error);
}

gboolean http_get(Http *http, const char *path, int fd, GError **error) {
    g_autoptr(GByteArray) answer = g_byte_array_new();
    Exchange exchange = {.http = http, .in = -1, .out = fd, .answer = answer};

    return exchange_all(&exchange, "GET", path, error);
}
