/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "distro/fetch.h"

#include <curl/curl.h>
#include <string.h>

#define SIZE_MAX_TEXT (64 * 1024 * 1024)
#define ATTEMPTS 5
#define CONNECT_SECONDS 30L

G_DEFINE_AUTOPTR_CLEANUP_FUNC(CURL, curl_easy_cleanup)

static size_t on_data(char *data, size_t size, size_t count, void *text) {
    GString *string = text;
    if (string->len + size * count > SIZE_MAX_TEXT)
        return 0;
    g_string_append_len(string, data, size * count);
    return size * count;
}

static void set_proxy(CURL *curl, const ImageConfig *config) {
    g_autofree char *exclude = config->proxy_exclude ? g_strjoinv(",", config->proxy_exclude) : NULL;
    if (config->proxy_url)
        curl_easy_setopt(curl, CURLOPT_PROXY, config->proxy_url);
    if (exclude && *exclude)
        curl_easy_setopt(curl, CURLOPT_NOPROXY, exclude);
    if (config->proxy_peer_certificate)
        curl_easy_setopt(curl, CURLOPT_PROXY_CAINFO, config->proxy_peer_certificate);
    if (config->proxy_client_certificate)
        curl_easy_setopt(curl, CURLOPT_PROXY_SSLCERT, config->proxy_client_certificate);
    if (config->proxy_client_key)
        curl_easy_setopt(curl, CURLOPT_PROXY_SSLKEY, config->proxy_client_key);
}

/* What another attempt may mend. */
static gboolean is_transient(CURLcode code) {
    return code == CURLE_COULDNT_CONNECT || code == CURLE_OPERATION_TIMEDOUT || code == CURLE_RECV_ERROR ||
           code == CURLE_SEND_ERROR || code == CURLE_PARTIAL_FILE || code == CURLE_GOT_NOTHING;
}

char *fetch_text(const ImageConfig *config, const char *url, GError **error) {
    char reason[CURL_ERROR_SIZE] = "";
    g_autoptr(GString) text = g_string_new(NULL);
    g_autoptr(CURL) curl = curl_easy_init();
    CURLcode code = curl ? CURLE_OK : CURLE_FAILED_INIT;
    if (curl) {
        curl_easy_setopt(curl, CURLOPT_URL, url);
        curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https,file");
        curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 1L);
        curl_easy_setopt(curl, CURLOPT_FAILONERROR, 1L);
        curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
        curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, CONNECT_SECONDS);
        curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, reason);
        curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_data);
        curl_easy_setopt(curl, CURLOPT_WRITEDATA, text);
        set_proxy(curl, config);
        for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
            g_string_truncate(text, 0);
            code = curl_easy_perform(curl);
            if (!is_transient(code))
                break;
            g_usleep((1 << attempt) * G_USEC_PER_SEC / 4);
        }
    }
    if (code == CURLE_OK)
        return g_string_free(g_steal_pointer(&text), FALSE);
    g_set_error(error, G_IO_ERROR, G_IO_ERROR_FAILED, "Cannot fetch %s: %s", url,
            *reason ? reason : curl_easy_strerror(code));
    return NULL;
}
