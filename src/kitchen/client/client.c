/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "client.h"

#include <string.h>

#include "kitchen/client/events.h"
#include "modules/curl.h"
#include "base/io.h"
#include "text/json-shape.h"

#define ANSWER_MAX (16 * 1024 * 1024)
#define ATTEMPTS 5
#define MAX_DEPTH 16

struct KitchenClient {
    const CurlFunctions *lib;
    CURL *curl;
    char *url, *token;
};

G_DEFINE_QUARK(kitchen - client - error - quark, kitchen_client_error)

KitchenClient *kitchen_client_new(const char *url, const char *token, GError **error) {
    const CurlFunctions *lib = curl_functions(error);
    if (!lib)
        return NULL;
    KitchenClient *client = g_new0(KitchenClient, 1);

    client->lib = lib;
    client->curl = lib->easy_init();
    client->url = g_str_has_suffix(url, "/") ? g_strndup(url, strlen(url) - 1) : g_strdup(url);
    client->token = g_strdup(token);
    return client;
}

void kitchen_client_free(KitchenClient *client) {
    if (!client)
        return;
    client->lib->easy_cleanup(client->curl);
    g_free(client->url);
    g_free(client->token);
    g_free(client);
}

static size_t collect(char *data, size_t size, size_t n, void *user) {
    GString *text = user;

    if (text->len + size * n > ANSWER_MAX)
        return 0;
    g_string_append_len(text, data, (gssize) (size * n));
    return size * n;
}

static struct curl_slist *headers_for(const KitchenClient *client, const char *key) {
    g_autofree char *authorization = g_strconcat("Authorization: Bearer ", client->token, NULL);
    g_autofree char *idempotency = key ? g_strconcat("Idempotency-Key: ", key, NULL) : NULL;
    struct curl_slist *headers = client->lib->slist_append(NULL, authorization);

    headers = client->lib->slist_append(headers, "Content-Type: application/json");
    if (idempotency)
        headers = client->lib->slist_append(headers, idempotency);
    return headers;
}

static void prepare(KitchenClient *client, const char *method, const char *path, const char *body) {
    g_autofree char *url = g_strdup_printf("%s/api/v1/%s", client->url, path);

    client->lib->easy_reset(client->curl);
    client->lib->easy_setopt(client->curl, CURLOPT_URL, url);
    client->lib->easy_setopt(client->curl, CURLOPT_PROTOCOLS_STR, "http,https");
    /* The token is for this service alone. */
    client->lib->easy_setopt(client->curl, CURLOPT_FOLLOWLOCATION, 0L);
    client->lib->easy_setopt(client->curl, CURLOPT_NOSIGNAL, 1L);
    client->lib->easy_setopt(client->curl, CURLOPT_CONNECTTIMEOUT, 15L);
    client->lib->easy_setopt(client->curl, CURLOPT_CUSTOMREQUEST, method);
    if (body)
        client->lib->easy_setopt(client->curl, CURLOPT_COPYPOSTFIELDS, body);
}

static JsonNode *parse(const char *text, gsize size, GError **error) {
    g_autoptr(JsonParser) parser = json_parser_new();

    if (!json_shape_check(text, size, MAX_DEPTH, error) ||
            !json_parser_load_from_data(parser, text, (gssize) size, error)) {
        g_prefix_error(error, "The answer is no JSON; is this the address of a build service? ");
        return NULL;
    }
    return json_parser_steal_root(parser);
}

/* What the service says about a request that it did not do. */
static void set_problem(GError **error, long status, const GString *text) {
    g_autoptr(JsonNode) node = parse(text->str, text->len, NULL);
    JsonObject *object = node && JSON_NODE_HOLDS_OBJECT(node) ? json_node_get_object(node) : NULL;
    const char *title = object ? json_object_get_string_member_with_default(object, "title", NULL) : NULL;
    const char *detail = object ? json_object_get_string_member_with_default(object, "detail", NULL) : NULL;

    if (detail)
        g_set_error(error, KITCHEN_CLIENT_ERROR, KITCHEN_CLIENT_ERROR_REFUSED, "%s: %s", title ?: "The service refuses",
                detail);
    else
        g_set_error(error, KITCHEN_CLIENT_ERROR, KITCHEN_CLIENT_ERROR_REFUSED, "The service answers with status %ld",
                status);
}

JsonNode *kitchen_client_ask(
        KitchenClient *client, const char *method, const char *path, const char *body, GError **error) {
    g_autoptr(GString) text = g_string_new(NULL);
    g_autofree char *key = body ? g_uuid_string_random() : NULL;
    struct curl_slist *headers = headers_for(client, key);
    CURLcode code = CURLE_OK;
    long status = 0;

    for (guint attempt = 0; attempt < ATTEMPTS; attempt++) {
        prepare(client, method, path, body);
        g_string_truncate(text, 0);
        client->lib->easy_setopt(client->curl, CURLOPT_HTTPHEADER, headers);
        client->lib->easy_setopt(client->curl, CURLOPT_TIMEOUT, 60L);
        client->lib->easy_setopt(client->curl, CURLOPT_WRITEFUNCTION, collect);
        client->lib->easy_setopt(client->curl, CURLOPT_WRITEDATA, text);
        code = client->lib->easy_perform(client->curl);
        client->lib->easy_getinfo(client->curl, CURLINFO_RESPONSE_CODE, &status);
        if (code != CURLE_GOT_NOTHING && code != CURLE_RECV_ERROR && status != 503)
            break;
        g_usleep((attempt + 1) * G_USEC_PER_SEC / 2);
    }
    client->lib->slist_free_all(headers);
    if (code != CURLE_OK) {
        g_set_error(error, KITCHEN_CLIENT_ERROR, KITCHEN_CLIENT_ERROR_FAILED, "Cannot reach %s: %s", client->url,
                client->lib->easy_strerror(code));
        return NULL;
    }
    if (status >= 300) {
        set_problem(error, status, text);
        return NULL;
    }
    return parse(text->str, text->len, error);
}

static size_t write_out(char *data, size_t size, size_t n, void *user) {
    return write_all(*(const int *) user, data, size * n) ? size * n : 0;
}

gboolean kitchen_client_fetch(KitchenClient *client, const char *digest, int fd, GError **error) {
    g_autofree char *url = g_strdup_printf("%s/sha256/%s", client->url, digest);
    struct curl_slist *headers = headers_for(client, NULL);
    CURLcode code = CURLE_OK;
    long status = 0;

    prepare(client, "GET", "", NULL);
    client->lib->easy_setopt(client->curl, CURLOPT_URL, url);
    client->lib->easy_setopt(client->curl, CURLOPT_HTTPHEADER, headers);
    client->lib->easy_setopt(client->curl, CURLOPT_LOW_SPEED_LIMIT, 1L);
    client->lib->easy_setopt(client->curl, CURLOPT_LOW_SPEED_TIME, 60L);
    client->lib->easy_setopt(client->curl, CURLOPT_FAILONERROR, 1L);
    client->lib->easy_setopt(client->curl, CURLOPT_WRITEFUNCTION, write_out);
    client->lib->easy_setopt(client->curl, CURLOPT_WRITEDATA, &fd);
    code = client->lib->easy_perform(client->curl);
    client->lib->easy_getinfo(client->curl, CURLINFO_RESPONSE_CODE, &status);
    client->lib->slist_free_all(headers);
    if (code == CURLE_OK && status == 200)
        return TRUE;
    g_set_error(error, KITCHEN_CLIENT_ERROR, KITCHEN_CLIENT_ERROR_FAILED, "Cannot fetch %s: %s", url,
            client->lib->easy_strerror(code));
    return FALSE;
}

/* A log on its way. */
typedef struct {
    KitchenLine sink;
    gpointer user;
    EventReader *reader;
    const KitchenClient *client;
    GString *problem;
    char *state;
    gboolean stopped;
} Following;

static gboolean take_event(gpointer user, const char *name, const char *data) {
    Following *following = user;

    if (strcmp(name, "end") == 0) {
        following->state = g_strdup(data);
        return FALSE;
    }
    following->stopped = !following->sink(following->user, data);
    return !following->stopped;
}

static size_t follow(char *data, size_t size, size_t n, void *user) {
    Following *following = user;
    long status = 0;

    following->client->lib->easy_getinfo(following->client->curl, CURLINFO_RESPONSE_CODE, &status);
    if (status != 200)
        return collect(data, size, n, following->problem);
    return event_reader_feed(following->reader, data, size * n) ? size * n : 0;
}

gboolean kitchen_client_follow_log(
        KitchenClient *client, gint64 job, KitchenLine sink, gpointer user, char **ret_state, GError **error) {
    g_autoptr(GString) problem = g_string_new(NULL);
    Following following = {.sink = sink, .user = user, .client = client, .problem = problem};
    g_autoptr(EventReader) reader = event_reader_new(take_event, &following);
    struct curl_slist *headers = headers_for(client, NULL);
    CURLcode code = CURLE_OK;
    long status = 0;

    following.reader = reader;
    for (guint attempt = 0; attempt < ATTEMPTS && !following.state && !following.stopped && status < 300; attempt++) {
        const char *last = event_reader_last_id(reader);
        g_autofree char *path = g_strdup_printf("jobs/%" G_GINT64_FORMAT "/log?offset=%s", job, last[0] ? last : "0");

        prepare(client, "GET", path, NULL);
        client->lib->easy_setopt(client->curl, CURLOPT_HTTPHEADER, headers);
        client->lib->easy_setopt(client->curl, CURLOPT_LOW_SPEED_LIMIT, 1L);
        client->lib->easy_setopt(client->curl, CURLOPT_LOW_SPEED_TIME, 60L);
        client->lib->easy_setopt(client->curl, CURLOPT_WRITEFUNCTION, follow);
        client->lib->easy_setopt(client->curl, CURLOPT_WRITEDATA, &following);
        code = client->lib->easy_perform(client->curl);
        client->lib->easy_getinfo(client->curl, CURLINFO_RESPONSE_CODE, &status);
    }
    client->lib->slist_free_all(headers);
    *ret_state = following.state;
    if (following.state || following.stopped)
        return TRUE;
    if (status >= 300)
        set_problem(error, status, problem);
    else
        g_set_error(error, KITCHEN_CLIENT_ERROR, KITCHEN_CLIENT_ERROR_FAILED, "The log breaks off: %s",
                client->lib->easy_strerror(code));
    return FALSE;
}
