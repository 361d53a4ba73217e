/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "update/http/http.h"

#include <string.h>

#include "config.h"
#include "events/task.h"
#include "update/http/http-private.h"
#include "update/transfer/error.h"

#define DEFAULT_TIMEOUT 30
#define REDIRECTS_MAX 5
#define TRIES 3

Http *http_new(const HttpOptions *options) {
    Http *http = g_new0(Http, 1);

    curl_global_init(CURL_GLOBAL_DEFAULT);
    http->timeout = options->timeout ? options->timeout : DEFAULT_TIMEOUT;
    http->ca_file = g_strdup(options->ca_file);
    http->share = curl_share_init();
    curl_share_setopt(http->share, CURLSHOPT_SHARE, CURL_LOCK_DATA_CONNECT);
    curl_share_setopt(http->share, CURLSHOPT_SHARE, CURL_LOCK_DATA_SSL_SESSION);
    return http;
}

void http_free(Http *http) {
    if (!http)
        return;
    curl_share_cleanup(http->share);
    g_free(http->ca_file);
    g_free(http);
}

guint64 http_get_received(const Http *http) {
    return http->received;
}

gboolean http_knows_ranges(const Http *http) {
    return !http->no_ranges;
}

/* "NAME: VALUE" of a head; the number of VALUE. */
static gboolean head_number(const char *line, const char *name, guint64 *ret) {
    if (g_ascii_strncasecmp(line, name, strlen(name)) != 0)
        return FALSE;
    g_autofree char *value = g_strstrip(g_strdup(line + strlen(name)));
    return g_ascii_string_to_unsigned(value, 10, 0, G_MAXINT64, ret, NULL);
}

/* "bytes FIRST-LAST/TOTAL" */
static gboolean parse_range(const char *text, HttpHead *head) {
    g_autofree char *value = g_strstrip(g_strdup(text));
    g_auto(GStrv) parts = g_str_has_prefix(value, "bytes ") ? g_strsplit_set(value + strlen("bytes "), "-/", 4) : NULL;

    if (!parts || g_strv_length(parts) != 3 ||
            !g_ascii_string_to_unsigned(parts[0], 10, 0, G_MAXINT64, &head->first, NULL) ||
            !g_ascii_string_to_unsigned(parts[1], 10, 0, G_MAXINT64, &head->last, NULL))
        return FALSE;
    if (g_str_equal(parts[2], "*"))
        head->total = HTTP_UNKNOWN_SIZE;
    else if (!g_ascii_string_to_unsigned(parts[2], 10, 0, G_MAXINT64, &head->total, NULL))
        return FALSE;
    return TRUE;
}

void http_head_line(HttpHead *head, const char *bytes, gsize size) {
    g_autofree char *line = g_strndup(bytes, size);

    if (g_str_has_prefix(line, "HTTP/"))
        *head = (HttpHead){.length = HTTP_UNKNOWN_SIZE};
    else if (g_ascii_strncasecmp(line, "Content-Range:", strlen("Content-Range:")) == 0)
        head->has_range = parse_range(line + strlen("Content-Range:"), head);
    else
        (void) head_number(line, "Content-Length:", &head->length);
}

/* Asked some times a second: stops what was cancelled. */
static int on_progress(void *data, curl_off_t total, curl_off_t now, curl_off_t up, curl_off_t up_now) {
    return task_is_cancelled(task_current());
}

CURL *http_request_new(Http *http, const char *url, gboolean file) {
    CURL *request = curl_easy_init();
    gboolean secure = g_str_has_prefix(url, "https://");

    curl_easy_setopt(request, CURLOPT_URL, url);
    curl_easy_setopt(request, CURLOPT_SHARE, http->share);
    curl_easy_setopt(request, CURLOPT_USERAGENT, "particleos-update/" PARTICLEOS_VERSION);
    curl_easy_setopt(request, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(request, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(request, CURLOPT_XFERINFOFUNCTION, on_progress);
    curl_easy_setopt(request, CURLOPT_PROTOCOLS_STR, "https,http");
    curl_easy_setopt(request, CURLOPT_REDIR_PROTOCOLS_STR, secure ? "https" : "https,http");
    curl_easy_setopt(request, CURLOPT_FOLLOWLOCATION, file ? 1L : 0L);
    curl_easy_setopt(request, CURLOPT_MAXREDIRS, (long) REDIRECTS_MAX);
    curl_easy_setopt(request, CURLOPT_CONNECTTIMEOUT, (long) http->timeout);
    curl_easy_setopt(request, CURLOPT_LOW_SPEED_LIMIT, 64L);
    curl_easy_setopt(request, CURLOPT_LOW_SPEED_TIME, (long) http->timeout);
    curl_easy_setopt(request, CURLOPT_HTTP_TRANSFER_DECODING, 1L);
    curl_easy_setopt(request, CURLOPT_ACCEPT_ENCODING, NULL);
    curl_easy_setopt(request, CURLOPT_FAILONERROR, 1L);
    if (http->ca_file)
        curl_easy_setopt(request, CURLOPT_CAINFO, http->ca_file);
    return request;
}

void http_request_count(Http *http, CURL *request) {
    curl_off_t body = 0;
    long head = 0;

    curl_easy_getinfo(request, CURLINFO_SIZE_DOWNLOAD_T, &body);
    curl_easy_getinfo(request, CURLINFO_HEADER_SIZE, &head);
    http->received += (guint64) body + (guint64) head;
}

void http_request_fail(CURL *request, CURLcode code, const char *url, const char *details, GError **error) {
    long status = 0;

    curl_easy_getinfo(request, CURLINFO_RESPONSE_CODE, &status);
    if (code == CURLE_OK || code == CURLE_HTTP_RETURNED_ERROR)
        update_fail(error, UPDATE_ERROR_NETWORK, "%s: the server answers with status %ld", url, status);
    else if (code == CURLE_ABORTED_BY_CALLBACK)
        update_fail(error, UPDATE_ERROR_NETWORK, "%s: cancelled", url);
    else if (code == CURLE_PEER_FAILED_VERIFICATION || code == CURLE_UNSUPPORTED_PROTOCOL ||
             code == CURLE_TOO_MANY_REDIRECTS)
        update_fail(error, UPDATE_ERROR_UNTRUSTED, "%s: %s", url, *details ? details : curl_easy_strerror(code));
    else
        update_fail(error, UPDATE_ERROR_NETWORK, "%s: %s", url, *details ? details : curl_easy_strerror(code));
}

gboolean http_is_transient(CURLcode code, long status) {
    return code == CURLE_PARTIAL_FILE || code == CURLE_RECV_ERROR || code == CURLE_SEND_ERROR ||
           code == CURLE_GOT_NOTHING || code == CURLE_COULDNT_CONNECT || code == CURLE_HTTP2 ||
           code == CURLE_HTTP2_STREAM ||
           (code == CURLE_HTTP_RETURNED_ERROR && (status == 502 || status == 503 || status == 504));
}

/* ---- small texts ---- */

typedef struct {
    GByteArray *bytes;
    gsize max;
    gboolean too_long;
    HttpHead head;
} Text;

static size_t on_text(char *bytes, size_t one, size_t size, void *data) {
    Text *text = data;

    text->too_long = text->bytes->len + size > text->max;
    if (text->too_long)
        return 0;
    g_byte_array_append(text->bytes, (const guint8 *) bytes, (guint) size);
    return size;
}

static size_t on_head(char *line, size_t one, size_t size, void *data) {
    http_head_line(data, line, size);
    return size;
}

/* Scheme, host and port of A and B are the same. */
static gboolean is_same_server(const char *a, const char *b) {
    static const CURLUPart parts[] = {CURLUPART_SCHEME, CURLUPART_HOST, CURLUPART_PORT};
    CURLU *left = curl_url(), *right = curl_url();
    gboolean same = curl_url_set(left, CURLUPART_URL, a, 0) == CURLUE_OK &&
                    curl_url_set(right, CURLUPART_URL, b, 0) == CURLUE_OK;

    for (guint i = 0; same && i < G_N_ELEMENTS(parts); i++) {
        char *x = NULL, *y = NULL;
        same = curl_url_get(left, parts[i], &x, CURLU_DEFAULT_PORT) == CURLUE_OK &&
               curl_url_get(right, parts[i], &y, CURLU_DEFAULT_PORT) == CURLUE_OK && g_ascii_strcasecmp(x, y) == 0;
        curl_free(x);
        curl_free(y);
    }
    curl_url_cleanup(left);
    curl_url_cleanup(right);
    return same;
}

/* One request. RET_NEXT: the address that it leads to instead. RET_AGAIN: that may help. */
static gboolean get_once(Http *http, const char *url, Text *text, char **ret_next, gboolean *ret_again,
        gboolean *ret_missing, GError **error) {
    CURL *request = http_request_new(http, url, FALSE);
    char details[CURL_ERROR_SIZE] = "";
    const char *next = NULL;
    long status = 0;

    g_byte_array_set_size(text->bytes, 0);
    curl_easy_setopt(request, CURLOPT_ERRORBUFFER, details);
    curl_easy_setopt(request, CURLOPT_WRITEFUNCTION, on_text);
    curl_easy_setopt(request, CURLOPT_WRITEDATA, text);
    /* A text that trickles has an end, too. */
    curl_easy_setopt(request, CURLOPT_TIMEOUT, (long) http->timeout * 2);
    CURLcode code = curl_easy_perform(request);
    http_request_count(http, request);
    curl_easy_getinfo(request, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(request, CURLINFO_REDIRECT_URL, &next);
    *ret_next = code == CURLE_OK && status >= 300 && status < 400 && next ? g_strdup(next) : NULL;
    *ret_again = http_is_transient(code, status);
    if (ret_missing)
        *ret_missing = code == CURLE_HTTP_RETURNED_ERROR && status == 404;
    gboolean ok = code == CURLE_OK && (status == 200 || *ret_next);
    if (!ok && text->too_long)
        update_fail(error, UPDATE_ERROR_UNTRUSTED, "%s: longer than the %" G_GSIZE_FORMAT " bytes that are taken", url,
                text->max);
    else if (!ok)
        http_request_fail(request, code, url, details, error);
    curl_easy_cleanup(request);
    return ok;
}

GBytes *http_get(Http *http, const char *url, gsize max, gboolean *ret_missing, GError **error) {
    Text text = {g_byte_array_new(), max, FALSE, {0}};
    g_autofree char *at = g_strdup(url);
    gboolean ok = FALSE;

    for (guint redirects = 0, tries = 1;;) {
        g_autofree char *next = NULL;
        g_autoptr(GError) failure = NULL;
        gboolean again;
        ok = get_once(http, at, &text, &next, &again, ret_missing, &failure);
        if (!ok && again && tries++ < TRIES)
            continue;
        if (!ok)
            g_propagate_error(error, g_steal_pointer(&failure));
        if (!ok || !next)
            break;
        ok = FALSE;
        if (!is_same_server(at, next) || redirects++ >= REDIRECTS_MAX) {
            update_fail(error, UPDATE_ERROR_UNTRUSTED,
                    "%s: the server leads to another one (%s), or around in a circle", url, next);
            break;
        }
        g_free(at);
        at = g_steal_pointer(&next);
    }
    g_autoptr(GBytes) bytes = g_byte_array_free_to_bytes(text.bytes);
    return ok ? g_steal_pointer(&bytes) : NULL;
}

/* ---- how long a file is ---- */

/* The first byte is enough; what comes behind it is not waited for. */
static size_t on_first_byte(char *bytes, size_t one, size_t size, void *data) {
    gboolean *seen = data;

    *seen = TRUE;
    return size == 1 ? size : 0;
}

static gboolean measure_once(Http *http, const char *url, guint64 *ret_size, gboolean *ret_again, GError **error) {
    CURL *request = http_request_new(http, url, TRUE);
    HttpHead head = {.length = HTTP_UNKNOWN_SIZE};
    char details[CURL_ERROR_SIZE] = "";
    gboolean seen = FALSE;
    long status = 0;

    curl_easy_setopt(request, CURLOPT_ERRORBUFFER, details);
    curl_easy_setopt(request, CURLOPT_RANGE, "0-0");
    curl_easy_setopt(request, CURLOPT_HEADERFUNCTION, on_head);
    curl_easy_setopt(request, CURLOPT_HEADERDATA, &head);
    curl_easy_setopt(request, CURLOPT_WRITEFUNCTION, on_first_byte);
    curl_easy_setopt(request, CURLOPT_WRITEDATA, &seen);
    CURLcode code = curl_easy_perform(request);
    http_request_count(http, request);
    curl_easy_getinfo(request, CURLINFO_RESPONSE_CODE, &status);
    *ret_again = http_is_transient(code, status);
    *ret_size = status == 206 && head.has_range ? head.total : status == 200 ? head.length : HTTP_UNKNOWN_SIZE;
    http->no_ranges = http->no_ranges || (status == 200 && head.length != 1);
    gboolean answered = (code == CURLE_OK || (code == CURLE_WRITE_ERROR && seen)) && (status == 200 || status == 206);
    if (!answered)
        http_request_fail(request, code, url, details, error);
    else if (*ret_size == HTTP_UNKNOWN_SIZE)
        update_fail(error, UPDATE_ERROR_UNTRUSTED, "%s: the server does not say how long the file is", url);
    curl_easy_cleanup(request);
    return answered && *ret_size != HTTP_UNKNOWN_SIZE;
}

gboolean http_measure(Http *http, const char *url, guint64 *ret_size, GError **error) {
    for (guint tries = 1;; tries++) {
        g_autoptr(GError) failure = NULL;
        gboolean again;
        if (measure_once(http, url, ret_size, &again, &failure))
            return TRUE;
        if (!again || tries >= TRIES) {
            g_propagate_error(error, g_steal_pointer(&failure));
            return FALSE;
        }
    }
}
