/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "web.h"

#include <string.h>

#include "kitchen/http/server.h"
#include "kitchen/web/assets.h"
#include "kitchen/web/routes.h"

struct Web {
    Site site;
    GPtrArray *hosts;
    HttpServer *server;
};

/* The host of an address of the configuration, which the server answers for. */
static gboolean add_host(GPtrArray *hosts, const char *url, GError **error) {
    g_autoptr(GUri) uri = g_uri_parse(url, G_URI_FLAGS_NONE, error);
    const char *host = uri ? g_uri_get_host(uri) : NULL;

    if (!uri) {
        g_prefix_error(error, "The address %s is wrong: ", url);
        return FALSE;
    }
    if (!host || !host[0]) {
        g_set_error(error, G_URI_ERROR, G_URI_ERROR_BAD_HOST, "The address %s has no host", url);
        return FALSE;
    }
    g_ptr_array_add(hosts, g_ascii_strdown(host, -1));
    return TRUE;
}

static GPtrArray *all_hosts(const WebConfig *config, GError **error) {
    static const char *const own[] = {"localhost", "127.0.0.1", "[::1]", "::1"};
    g_autoptr(GPtrArray) hosts = g_ptr_array_new_with_free_func(g_free);

    for (gsize i = 0; i < G_N_ELEMENTS(own); i++)
        g_ptr_array_add(hosts, g_strdup(own[i]));
    if (!add_host(hosts, config->base_url, error) || !add_host(hosts, config->publish_url, error))
        return NULL;
    for (guint i = 0; config->hosts && config->hosts[i]; i++)
        g_ptr_array_add(hosts, g_ascii_strdown(config->hosts[i], -1));
    g_ptr_array_add(hosts, NULL);
    return g_steal_pointer(&hosts);
}

static char *without_slash(const char *url) {
    return g_str_has_suffix(url, "/") ? g_strndup(url, strlen(url) - 1) : g_strdup(url);
}

Web *web_new(GSocketListener *listener, const WebConfig *config, GError **error) {
    g_autoptr(Web) web = g_new0(Web, 1);
    HttpServerConfig server = {.routes = routes(), .missing = route_missing, .haste = config->haste};

    web->hosts = all_hosts(config, error);
    if (!web->hosts)
        return NULL;
    web->site.database = config->database;
    web->site.box = config->box;
    web->site.engine = config->engine;
    web->site.logins = login_limit_new();
    web->site.base_url = without_slash(config->base_url);
    web->site.publish_url = without_slash(config->publish_url);
    web->site.publish_directory = g_strdup(config->publish_directory);
    web->site.style_path = asset_path("style.css");
    web->site.script_path = asset_path("live.js");
    web->site.secure = g_str_has_prefix(config->base_url, "https:");
    web->site.development = config->development;
    server.hosts = (const char *const *) web->hosts->pdata;
    server.user = &web->site;
    web->server = http_server_new(listener, &server);
    return g_steal_pointer(&web);
}

void web_free(Web *web) {
    if (!web)
        return;
    g_clear_pointer(&web->server, http_server_free);
    g_clear_pointer(&web->hosts, g_ptr_array_unref);
    login_limit_free(web->site.logins);
    g_free(web->site.base_url);
    g_free(web->site.publish_url);
    g_free(web->site.publish_directory);
    g_free(web->site.style_path);
    g_free(web->site.script_path);
    g_free(web);
}

void web_mount(Web *web, const char *prefix, SoupServerCallback early, SoupServerCallback handler, gpointer user) {
    http_server_mount(web->server, prefix, early, handler, user);
}
