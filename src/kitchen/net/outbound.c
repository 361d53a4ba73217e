/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "outbound.h"

#include <curl/curl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define SIZE_MAX_DEFAULT (64 << 20)
#define TIMEOUT_DEFAULT 60
#define REDIRECTS_MAX 3

G_DEFINE_QUARK(outbound-error-quark, outbound_error)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CURL, curl_easy_cleanup)
typedef struct curl_slist CurlList;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CurlList, curl_slist_free_all)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CURLU, curl_url_cleanup)

/* One request while it runs. */
typedef struct {
    const OutboundLimits *limits;
    GByteArray *body;
    OutboundAnswer *answer;
    gboolean too_large;
    char *refused; /* an address */
} Transfer;

void outbound_answer_free(OutboundAnswer *answer) {
    if (!answer)
        return;
    g_clear_pointer(&answer->body, g_bytes_unref);
    g_free(answer->etag);
    g_free(answer->last_modified);
    g_free(answer);
}

static gboolean refuse(GError **error, const char *url, const char *why) {
    g_set_error(error, OUTBOUND_ERROR, OUTBOUND_ERROR_REFUSED, "%s: %s", url, why);
    return FALSE;
}

static char *part_of(CURLU *url, CURLUPart part) {
    char *text = NULL, *copy = NULL;

    if (curl_url_get(url, part, &text, 0) != CURLUE_OK)
        return NULL;
    copy = g_strdup(text);
    curl_free(text);
    return copy;
}

gboolean outbound_check_url(const OutboundLimits *limits, const char *url, GError **error) {
    g_autoptr(CURLU) parsed = curl_url();
    g_autofree char *shown = g_strescape(url, NULL);

    for (const char *at = url; *at; at++)
        if (g_ascii_iscntrl(*at) || *at == ' ' || *at == '\\' || (guchar) *at > 126)
            return refuse(
                    error, shown, "no character but printable ones of ASCII, and no spaces, can stand in an address");
    if (curl_url_set(parsed, CURLUPART_URL, url, CURLU_NON_SUPPORT_SCHEME) != CURLUE_OK)
        return refuse(error, shown, "this is no address");
    g_autofree char *scheme = part_of(parsed, CURLUPART_SCHEME);
    g_autofree char *user = part_of(parsed, CURLUPART_USER);
    g_autofree char *password = part_of(parsed, CURLUPART_PASSWORD);
    g_autofree char *host = part_of(parsed, CURLUPART_HOST);

    if (user || password)
        return refuse(
                error, "The address", "it has a user or password in it; those belong into a credential of the project");
    if (!host || !*host)
        return refuse(error, shown, "it names no host");
    if (g_strcmp0(scheme, "https") != 0 && !(limits->plain_http && g_strcmp0(scheme, "http") == 0))
        return refuse(
                error, shown, limits->plain_http ? "only http:// and https:// are asked" : "only https:// is asked");
    return TRUE;
}

static size_t take_body(char *data, size_t one, size_t size, void *user) {
    Transfer *transfer = user;
    gsize largest = transfer->limits->size_max ? transfer->limits->size_max : SIZE_MAX_DEFAULT;

    if (size > largest - transfer->body->len) {
        transfer->too_large = TRUE;
        return 0;
    }
    g_byte_array_append(transfer->body, (const guint8 *) data, (guint) size);
    return size;
}

static void take_value(char **where, const char *line, gsize size, const char *name) {
    gsize length = strlen(name);

    if (size <= length || g_ascii_strncasecmp(line, name, length) != 0)
        return;
    g_free(*where);
    *where = g_strstrip(g_strndup(line + length, size - length));
}

static size_t take_header(char *line, size_t one, size_t size, void *user) {
    Transfer *transfer = user;

    take_value(&transfer->answer->etag, line, size, "etag:");
    take_value(&transfer->answer->last_modified, line, size, "last-modified:");
    return size;
}

/* Judges the address that curl is about to connect to, so that neither the DNS nor a redirect leads elsewhere. */
static curl_socket_t open_socket(void *user, curlsocktype purpose, struct curl_sockaddr *address) {
    Transfer *transfer = user;
    g_autoptr(GSocketAddress) native = g_socket_address_new_from_native(&address->addr, address->addrlen);

    if (purpose != CURLSOCKTYPE_IPCXN || !G_IS_INET_SOCKET_ADDRESS(native))
        return CURL_SOCKET_BAD;
    GInetAddress *inner = g_inet_socket_address_get_address(G_INET_SOCKET_ADDRESS(native));
    if (!address_policy_allows(transfer->limits->policy, inner)) {
        g_free(transfer->refused);
        transfer->refused = g_inet_address_to_string(inner);
        return CURL_SOCKET_BAD;
    }
    return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

static void set_up(CURL *curl, Transfer *transfer, const OutboundRequest *request, CurlList *headers) {
    const char *schemes = transfer->limits->plain_http ? "http,https" : "https";

    curl_easy_setopt(curl, CURLOPT_URL, request->url);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, schemes);
    curl_easy_setopt(curl, CURLOPT_REDIR_PROTOCOLS_STR, schemes);
    curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, (long) request->follow);
    curl_easy_setopt(curl, CURLOPT_MAXREDIRS, (long) REDIRECTS_MAX);
    /* A proxy would connect where nobody judges. */
    curl_easy_setopt(curl, CURLOPT_PROXY, "");
    curl_easy_setopt(curl, CURLOPT_NETRC, (long) CURL_NETRC_IGNORED);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, 15L);
    curl_easy_setopt(
            curl, CURLOPT_TIMEOUT, (long) (transfer->limits->timeout ? transfer->limits->timeout : TIMEOUT_DEFAULT));
    curl_easy_setopt(curl, CURLOPT_USERAGENT, "particleos-kitchen");
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_body);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, transfer);
    curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, take_header);
    curl_easy_setopt(curl, CURLOPT_HEADERDATA, transfer);
    curl_easy_setopt(curl, CURLOPT_OPENSOCKETFUNCTION, open_socket);
    curl_easy_setopt(curl, CURLOPT_OPENSOCKETDATA, transfer);
    if (request->body) {
        curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE, (long) strlen(request->body));
        curl_easy_setopt(curl, CURLOPT_COPYPOSTFIELDS, request->body);
    }
    if (request->method)
        curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, request->method);
}

/* What came of it, as an error. */
static void explain(const Transfer *transfer, const char *url, CURLcode code, const char *said, GError **error) {
    if (transfer->refused)
        g_set_error(error, OUTBOUND_ERROR, OUTBOUND_ERROR_REFUSED,
                "%s: it leads to %s, which is no public address; [Git] Networks= of kitchen.conf allows networks",
                url, transfer->refused);
    else if (transfer->too_large)
        g_set_error(error, OUTBOUND_ERROR, OUTBOUND_ERROR_LIMIT, "%s: the answer is too large", url);
    else if (code == CURLE_OPERATION_TIMEDOUT || code == CURLE_TOO_MANY_REDIRECTS)
        g_set_error(
                error, OUTBOUND_ERROR, OUTBOUND_ERROR_LIMIT, "%s: %s", url, *said ? said : curl_easy_strerror(code));
    else if (code == CURLE_UNSUPPORTED_PROTOCOL)
        g_set_error(error, OUTBOUND_ERROR, OUTBOUND_ERROR_REFUSED, "%s: it leads to another kind of address", url);
    else
        g_set_error(
                error, OUTBOUND_ERROR, OUTBOUND_ERROR_FAILED, "%s: %s", url, *said ? said : curl_easy_strerror(code));
}

OutboundAnswer *outbound_request(const OutboundLimits *limits, const OutboundRequest *request, GError **error) {
    g_autoptr(OutboundAnswer) answer = g_new0(OutboundAnswer, 1);
    g_autoptr(GByteArray) body = g_byte_array_new();
    g_autoptr(CurlList) headers = NULL;
    char said[CURL_ERROR_SIZE] = "";
    Transfer transfer = {.limits = limits, .body = body, .answer = answer};
    long status = 0;

    if (!outbound_check_url(limits, request->url, error))
        return NULL;
    g_autoptr(CURL) curl = curl_easy_init();
    for (gsize i = 0; request->headers && request->headers[i]; i++)
        headers = curl_slist_append(headers, request->headers[i]);
    set_up(curl, &transfer, request, headers);
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, said);
    CURLcode code = curl_easy_perform(curl);
    if (code != CURLE_OK) {
        explain(&transfer, request->url, code, said, error);
        g_free(transfer.refused);
        return NULL;
    }
    g_free(transfer.refused);
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    answer->status = (guint) status;
    answer->body = g_byte_array_free_to_bytes(g_steal_pointer(&body));
    return g_steal_pointer(&answer);
}
