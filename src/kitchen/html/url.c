/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "url.h"

#include <string.h>

char *url_path(const char *first, ...) {
    GString *path = g_string_new(NULL);
    va_list words;

    va_start(words, first);
    for (const char *word = first; word; word = va_arg(words, const char *)) {
        g_autofree char *escaped = g_uri_escape_string(word, NULL, FALSE);

        g_string_append_c(path, '/');
        /* Browsers resolve these away even when they are escaped. */
        if (strcmp(word, ".") == 0 || strcmp(word, "..") == 0)
            g_string_append(path, "-");
        else
            g_string_append(path, escaped);
    }
    va_end(words);
    return g_string_free(path, FALSE);
}

char *url_with(const char *path, const char *name, const char *value) {
    g_autofree char *escaped = g_uri_escape_string(value, NULL, FALSE);

    return g_strdup_printf("%s%c%s=%s", path, strchr(path, '?') ? '&' : '?', name, escaped);
}

static gboolean is_plain(const char *url) {
    for (const guint8 *at = (const guint8 *) url; *at; at++)
        if (*at <= 0x20 || *at == 0x7f || *at == '\\' || *at == '"' || *at == '<' || *at == '>')
            return FALSE;
    return TRUE;
}

gboolean url_is_local(const char *url) {
    if (!is_plain(url))
        return FALSE;
    if (url[0] == '#' || url[0] == '?')
        return TRUE;
    return url[0] == '/' && url[1] != '/';
}

gboolean url_is_web(const char *url) {
    gsize host = 0;

    if (g_ascii_strncasecmp(url, "https://", 8) == 0)
        url += 8;
    else if (g_ascii_strncasecmp(url, "http://", 7) == 0)
        url += 7;
    else
        return FALSE;
    host = strcspn(url, "/?#");
    return host > 0 && !memchr(url, '@', host) && is_plain(url);
}
