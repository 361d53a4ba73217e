/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "distro/driver/fetch.h"

#include <string.h>

#include "modules/curl.h"

#define SIZE_MAX_TEXT (64 * 1024 * 1024)
#define ATTEMPTS 5
#define CONNECT_SECONDS 30L

static size_t on_data(char *data, size_t size, size_t count, void *text) {
    GString *string = text;
    if (string->len + size * count > SIZE_MAX_TEXT)
        return 0;
    g_string_append_len(string, data, size * count);
    return size * count;
}

static void set_proxy(const CurlFunctions *lib, CURL *curl, const ImageConfig *config) {
    g_autofree char *exclude = config->proxy_exclude ? g_strjoinv(",", config->proxy_exclude) : NULL;
    if (config->proxy_url)
        lib->easy_setopt(curl, CURLOPT_PROXY, config->proxy_url);
    if (exclude && *exclude)
        lib->easy_setopt(curl, CURLOPT_NOPROXY, exclude);
    if (config->proxy_peer_certificate)
        lib->easy_setopt(curl, CURLOPT_PROXY_CAINFO, config->proxy_peer_certificate);
    if (config->proxy_client_certificate)
        lib->easy_setopt(curl, CURLOPT_PROXY_SSLCERT, config->proxy_client_certificate);
    if (config->proxy_client_key)
        lib->easy_setopt(curl, CURLOPT_PROXY_SSLKEY, config->proxy_client_key);
}

/* What another attempt may mend. */
static gboolean is_transient(CURLcode code) {
    return code == CURLE_COULDNT_CONNECT || code == CURLE_OPERATION_TIMEDOUT || code == CURLE_RECV_ERROR ||
           code == CURLE_SEND_ERROR || code == CURLE_PARTIAL_FILE || code == CURLE_GOT_NOTHING;
}

static void set_options(const CurlFunctions *lib, CURL *curl, const char *url, char *reason, GString *text) {
    lib->easy_setopt(curl, CURLOPT_URL, url);
    lib->easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https,file");
    lib->easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 1L);
    lib->easy_setopt(curl, CURLOPT_FAILONERROR, 1L);
    lib->easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    lib->easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, CONNECT_SECONDS);
    lib->easy_setopt(curl, CURLOPT_ERRORBUFFER, reason);
    lib->easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_data);
    lib->easy_setopt(curl, CURLOPT_WRITEDATA, text);
}

static CURLcode perform(const CurlFunctions *lib, CURL *curl, GString *text) {
    CURLcode code = CURLE_OK;
    for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
        g_string_truncate(text, 0);
        code = lib->easy_perform(curl);
        if (!is_transient(code))
            break;
        g_usleep((1 << attempt) * G_USEC_PER_SEC / 4);
    }
    return code;
}

char *fetch_text(const ImageConfig *config, const char *url, GError **error) {
    char reason[CURL_ERROR_SIZE] = "";
    g_autoptr(GString) text = g_string_new(NULL);
    const CurlFunctions *lib = curl_functions(error);
    if (!lib)
        return NULL;
    CURL *curl = lib->easy_init();
    CURLcode code = CURLE_FAILED_INIT;
    if (curl) {
        set_options(lib, curl, url, reason, text);
        set_proxy(lib, curl, config);
        code = perform(lib, curl, text);
        lib->easy_cleanup(curl);
    }
    if (code == CURLE_OK)
        return g_string_free(g_steal_pointer(&text), FALSE);
    g_set_error(error, G_IO_ERROR, G_IO_ERROR_FAILED, "Cannot fetch %s: %s", url,
            *reason ? reason : lib->easy_strerror(code));
    return NULL;
}
