/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "distro/snapshot.h"

#include <json-glib/json-glib.h>
#include <stdio.h>
#include <string.h>

#include "distro/fetch.h"

/* Which archive to ask is the user's choice, as for packages. */
static char *fetch(const ImageConfig *config, const char *path, GError **error) {
    const char *base = config->mirror;

    if (!base) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND,
                "latest-snapshot needs Mirror= (or --mirror): the base address of an archive of snapshots "
                "of %s",
                distribution_to_string(config->distribution));
        return NULL;
    }
    g_autofree char *url = g_strconcat(base, g_str_has_suffix(base, "/") ? "" : "/", path, NULL);
    return fetch_text(config, url, error);
}

static char *not_understood(GError **error, const char *what) {
    g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
            "The archive of snapshots does not say what its newest is: there is no %s in its answer; see "
            "Mirror=",
            what);
    return NULL;
}

/* {"result": {"debian": ["20050312T000000Z", ...]}} */
static char *latest_debian(const ImageConfig *config, GError **error) {
    g_autofree char *text = fetch(config, "mr/timestamp", error);
    g_autoptr(JsonParser) parser = json_parser_new_immutable();
    if (!text || !json_parser_load_from_data(parser, text, -1, error))
        return NULL;
    JsonNode *node = json_parser_get_root(parser);
    static const char *const path[] = {"result", "debian"};
    for (gsize i = 0; i < G_N_ELEMENTS(path); i++) {
        JsonObject *object = node && JSON_NODE_HOLDS_OBJECT(node) ? json_node_get_object(node) : NULL;
        node = object ? json_object_get_member(object, path[i]) : NULL;
    }
    JsonArray *list = node && JSON_NODE_HOLDS_ARRAY(node) ? json_node_get_array(node) : NULL;
    guint length = list ? json_array_get_length(list) : 0;
    const char *latest = length > 0 ? json_array_get_string_element(list, length - 1) : NULL;
    return latest ? g_strdup(latest) : not_understood(error, "list result.debian");
}

/* The rest of the first line that starts with PREFIX; owned by the caller. */
static char *find_line(const char *text, const char *prefix) {
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    for (char **line = lines; *line; line++)
        if (g_str_has_prefix(*line, prefix))
            return g_strstrip(g_strdup(*line + strlen(prefix)));
    return NULL;
}

/* "Date: Thu, 25 Sep 2025 06:12:19 UTC" of the Release file becomes 20250925T061219Z. */
static char *latest_ubuntu(const ImageConfig *config, GError **error) {
    static const char *const months[] = {
            "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    g_autofree char *path = g_strdup_printf("ubuntu/dists/%s-updates/Release", config->release);
    g_autofree char *text = fetch(config, path, error);
    g_autofree char *date = text ? find_line(text, "Date: ") : NULL;
    char month[4] = "";
    int day, year, hour, minute, second;
    if (!text)
        return NULL;
    if (date && sscanf(date, "%*3s, %d %3s %d %d:%d:%d", &day, month, &year, &hour, &minute, &second) == 6)
        for (guint i = 0; i < G_N_ELEMENTS(months); i++)
            if (strcmp(months[i], month) == 0)
                return g_strdup_printf("%04d%02u%02dT%02d%02d%02dZ", year, i + 1, day, hour, minute, second);
    return not_understood(error, "line Date:");
}

static char *latest_fedora(const ImageConfig *config, GError **error) {
    g_autofree char *release = g_strdup(config->release);
    release[0] = g_ascii_toupper(release[0]);
    g_autofree char *path =
            g_strdup_printf("compose/%s/latest-Fedora-%s/COMPOSE_ID", config->release, release);
    g_autofree char *prefix = g_strdup_printf("Fedora-%s-", release);
    g_autofree char *text = fetch(config, path, error);
    if (!text)
        return NULL;
    return g_strstrip(g_strdup(g_str_has_prefix(text, prefix) ? text + strlen(prefix) : text));
}

static char *latest_centos(const ImageConfig *config, GError **error) {
    g_autofree char *path = g_strdup_printf(
            "stream-%s/production/latest-CentOS-Stream/compose/.composeinfo", config->release);
    g_autofree char *prefix = g_strdup_printf("id = CentOS-Stream-%s-", config->release);
    g_autofree char *text = fetch(config, path, error);
    if (!text)
        return NULL;
    char *latest = find_line(text, prefix);
    return latest ? latest : not_understood(error, "compose id");
}

/* Seconds since 1970 become a day. */
static char *latest_arch(const ImageConfig *config, GError **error) {
    g_autofree char *text = fetch(config, "repos/last/lastsync", error);
    gint64 seconds;
    if (!text)
        return NULL;
    if (!g_ascii_string_to_signed(g_strstrip(text), 10, 1, G_MAXINT32, &seconds, NULL))
        return not_understood(error, "time");
    g_autoptr(GDateTime) time = g_date_time_new_from_unix_utc(seconds);
    return g_date_time_format(time, "%Y/%m/%d");
}

static char *latest_opensuse(const ImageConfig *config, GError **error) {
    char *text = fetch(config, "history/latest", error);
    return text ? g_strstrip(text) : NULL;
}

char *snapshot_find_latest(const ImageConfig *config, GError **error) {
    switch (config->distribution) {
    case DISTRIBUTION_DEBIAN:
        return latest_debian(config, error);
    case DISTRIBUTION_UBUNTU:
        return latest_ubuntu(config, error);
    case DISTRIBUTION_FEDORA:
        return latest_fedora(config, error);
    case DISTRIBUTION_CENTOS:
        return latest_centos(config, error);
    case DISTRIBUTION_ARCH:
        return latest_arch(config, error);
    case DISTRIBUTION_OPENSUSE:
        return latest_opensuse(config, error);
    default:
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED,
                "There is no archive of snapshots for %s; there are some for debian, ubuntu, fedora, "
                "centos, "
                "arch and opensuse",
                distribution_to_string(config->distribution));
        return NULL;
    }
}
