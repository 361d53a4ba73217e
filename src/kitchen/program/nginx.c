/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nginx.h"

#include <string.h>

/* Sets are directories of hard links behind symbolic links, whose names are never used twice: all but manifests may be kept for
 * ever. What recipes made is no page of ours, whatever it says that it is. */
static const char published[] =
        "    location /pub/ {\n"
        "        alias %s/;\n"
        "        autoindex off;\n"
        "        default_type application/octet-stream;\n"
        "        types { }\n"
        "        etag on;\n"
        "        add_header Cache-Control \"public, max-age=31536000, immutable\";\n"
        "        add_header X-Content-Type-Options nosniff;\n"
        "        add_header Content-Security-Policy sandbox;\n"
        "        location ~ /\\.sets/ {\n"
        "            return 404;\n"
        "        }\n"
        "        location ~ (/SHA256SUMS|/SHA256SUMS\\.(gpg|tlog-proof|log-key)|/log/(checkpoint|key|provenance\\.pem)|/BEST-BEFORE-[0-9-]+|_latest[^/]*)$ {\n"
        "            add_header Cache-Control no-cache;\n"
        "            add_header X-Content-Type-Options nosniff;\n"
        "            add_header Content-Security-Policy sandbox;\n"
        "        }\n"
        "    }\n";

/* Logs come as they grow: nothing is collected before it is sent. */
static const char pages[] = "    # Workers of this machine do not come this way.\n"
                            "    location /worker/ {\n"
                            "        return 404;\n"
                            "    }\n"
                            "    location / {\n"
                            "        proxy_pass http://%s;\n"
                            "        proxy_http_version 1.1;\n"
                            "        proxy_set_header Host $host;\n"
                            "        proxy_set_header X-Real-IP $remote_addr;\n"
                            "        proxy_set_header Connection \"\";\n"
                            "        proxy_buffering off;\n"
                            "        proxy_read_timeout 1h;\n"
                            "        client_max_body_size 2m;\n"
                            "    }\n";

static gboolean is_plain(const char *text) {
    return strpbrk(text, " \t\n;{}\"'\\$#") == NULL;
}

char *nginx_configuration(const KitchenConfig *config, GError **error) {
    g_autoptr(GUri) uri = config->base_url ? g_uri_parse(config->base_url, G_URI_FLAGS_NONE, NULL) : NULL;
    g_autoptr(GString) text = g_string_new(NULL);

    if (!uri || g_strcmp0(g_uri_get_scheme(uri), "https") != 0) {
        g_set_error(
                error, KITCHEN_CONFIG_ERROR, 0, "[Web] BaseURL= has to name the service as people do: https://NAME");
        return NULL;
    }
    if (!is_plain(config->publish) || !is_plain(config->listen) || !is_plain(g_uri_get_host(uri))) {
        g_set_error(error, KITCHEN_CONFIG_ERROR, 0, "%s: nginx takes no such name as it is", config->publish);
        return NULL;
    }
    g_string_append_printf(text,
            "# Made by particleos-kitchen nginx. Put it into /etc/nginx/conf.d, with the certificate of your authority.\n"
            "server {\n"
            "    listen 443 ssl http2;\n"
            "    listen [::]:443 ssl http2;\n"
            "    server_name %s;\n"
            "    ssl_certificate /etc/ssl/%s.pem;\n"
            "    ssl_certificate_key /etc/ssl/private/%s.key;\n",
            g_uri_get_host(uri), g_uri_get_host(uri), g_uri_get_host(uri));
    g_string_append_printf(text, published, config->publish);
    g_string_append_printf(text, pages, config->listen);
    g_string_append(text, "}\n");
    return g_string_free(g_steal_pointer(&text), FALSE);
}
