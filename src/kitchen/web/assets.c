/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "assets.h"

#include <string.h>

#include "base/hex.h"
#include "base/sha256.h"
#include "web-resources.h"

static const char *const assets[][2] = {
        {"style.css", "text/css; charset=utf-8"}, {"live.js", "text/javascript; charset=utf-8"}};

static GBytes *find(const char *name) {
    g_autofree char *path = g_strconcat("/kitchen/web/", name, NULL);

    return g_resource_lookup_data(web_get_resource(), path, G_RESOURCE_LOOKUP_FLAGS_NONE, NULL);
}

char *asset_path(const char *name) {
    g_autoptr(GBytes) bytes = find(name);
    guint8 digest[SHA256_SIZE];
    g_autofree char *hex = NULL;

    g_assert(bytes);
    sha256_buffer(g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes), digest);
    hex = hex_encode(digest, 8);
    return g_strdup_printf("/static/%s-%s", hex, name);
}

void asset(Visit *visit) {
    for (gsize i = 0; i < G_N_ELEMENTS(assets); i++) {
        g_autofree char *path = asset_path(assets[i][0]);
        g_autoptr(GBytes) bytes = NULL;

        if (strcmp(path, visit->http->path) != 0)
            continue;
        bytes = find(assets[i][0]);
        http_header(visit->http, "Cache-Control", "public, max-age=31536000, immutable");
        http_answer(visit->http, SOUP_STATUS_OK, assets[i][1], bytes);
        return;
    }
    http_answer_text(visit->http, SOUP_STATUS_NOT_FOUND, "There is no such file");
}
