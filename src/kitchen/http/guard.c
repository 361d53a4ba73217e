/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "guard.h"

#include <gio/gio.h>
#include <string.h>

#define SEGMENTS_MAX 32

gboolean guard_host(const char *const *hosts, const char *host) {
    g_autofree char *name = NULL;
    const char *end = NULL;

    if (!host || !host[0])
        return FALSE;
    end = host[0] == '[' ? strchr(host, ']') : NULL;
    if (host[0] == '[' && !end)
        return FALSE;
    end = end ? end + 1 : host + strcspn(host, ":");
    if (*end == ':') {
        if (!end[1] || strspn(end + 1, "0123456789") != strlen(end + 1) || strlen(end + 1) > 5)
            return FALSE;
    } else if (*end)
        return FALSE;
    name = g_ascii_strdown(host, end - host);
    return g_strv_contains(hosts, name);
}

gboolean guard_origin(const char *host, const char *origin, const char *fetch_site) {
    const char *from = NULL;

    if (fetch_site && strcmp(fetch_site, "same-origin") != 0)
        return FALSE;
    if (!origin)
        return fetch_site != NULL;
    from = g_str_has_prefix(origin, "https://") ? origin + 8 : g_str_has_prefix(origin, "http://") ? origin + 7 : NULL;
    return from && host && g_ascii_strcasecmp(from, host) == 0;
}

char *guard_client(const char *peer, const char *forwarded) {
    g_autoptr(GInetAddress) address = peer ? g_inet_address_new_from_string(peer) : NULL;
    g_autoptr(GInetAddress) behind = forwarded ? g_inet_address_new_from_string(forwarded) : NULL;
    guint8 network[16] = {0};
    g_autoptr(GInetAddress) all = NULL;

    /* A socket without an address is one of this machine. */
    if (behind && (!address || g_inet_address_get_is_loopback(address)))
        g_set_object(&address, behind);
    if (!address)
        return g_strdup("local");
    if (g_inet_address_get_family(address) == G_SOCKET_FAMILY_IPV4)
        return g_inet_address_to_string(address);
    memcpy(network, g_inet_address_to_bytes(address), 8);
    all = g_inet_address_new_from_bytes(network, G_SOCKET_FAMILY_IPV6);
    return g_inet_address_to_string(all);
}

static gboolean is_good_segment(const char *text, gboolean last) {
    if (!text[0])
        return last;
    if (strcmp(text, ".") == 0 || strcmp(text, "..") == 0 || strchr(text, '/') || strchr(text, '\\'))
        return FALSE;
    for (const guint8 *at = (const guint8 *) text; *at; at++)
        if (*at < 0x20 || *at == 0x7f)
            return FALSE;
    return g_utf8_validate(text, -1, NULL);
}

char **guard_path(const char *path) {
    g_auto(GStrv) raw = NULL;
    g_autoptr(GPtrArray) segments = g_ptr_array_new_with_free_func(g_free);

    if (path[0] != '/')
        return NULL;
    raw = g_strsplit(path + 1, "/", SEGMENTS_MAX + 1);
    if (g_strv_length(raw) > SEGMENTS_MAX)
        return NULL;
    for (guint i = 0; raw[i]; i++) {
        /* NULL for what is no text, and for a NUL. */
        g_autofree char *segment = g_uri_unescape_string(raw[i], NULL);

        if (!segment || !is_good_segment(segment, !raw[i + 1]))
            return NULL;
        g_ptr_array_add(segments, g_steal_pointer(&segment));
    }
    g_ptr_array_add(segments, NULL);
    return (char **) g_ptr_array_free(g_steal_pointer(&segments), FALSE);
}

const char *guard_header(const char *value) {
    for (const guint8 *at = (const guint8 *) value; at && *at; at++)
        if (*at < 0x20 || *at > 0x7e)
            return NULL;
    return value;
}
