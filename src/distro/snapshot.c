/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "distro/snapshot.h"

#include <json-glib/json-glib.h>
#include <string.h>

#include "distro/apt/release-file.h"
#include "distro/driver/fetch.h"

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
static char *parse_debian(const char *text, const char *release, GError **error) {
    static const char *const path[] = {"result", "debian"};
    g_autoptr(JsonParser) parser = json_parser_new_immutable();
    if (!json_parser_load_from_data(parser, text, -1, error))
        return NULL;
    JsonNode *node = json_parser_get_root(parser);
    for (gsize i = 0; i < G_N_ELEMENTS(path); i++) {
        JsonObject *object = node && JSON_NODE_HOLDS_OBJECT(node) ? json_node_get_object(node) : NULL;
        node = object ? json_object_get_member(object, path[i]) : NULL;
    }
    JsonArray *list = node && JSON_NODE_HOLDS_ARRAY(node) ? json_node_get_array(node) : NULL;
    guint length = list ? json_array_get_length(list) : 0;
    JsonNode *last = length > 0 ? json_array_get_element(list, length - 1) : NULL;
    gboolean is_text = last && JSON_NODE_HOLDS_VALUE(last) && json_node_get_value_type(last) == G_TYPE_STRING;
    return is_text ? g_strdup(json_node_get_string(last)) : not_understood(error, "list result.debian");
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
static char *parse_ubuntu(const char *text, const char *release, GError **error) {
    g_auto(ReleaseFile) file = {};
    release_file_parse(text, &file);
    g_autoptr(GDateTime) date = file.date >= 0 ? g_date_time_new_from_unix_utc(file.date) : NULL;
    return date ? g_date_time_format(date, "%Y%m%dT%H%M%SZ") : not_understood(error, "line Date:");
}

static char *parse_fedora(const char *text, const char *release, GError **error) {
    g_autofree char *name = g_strdup(release);
    name[0] = g_ascii_toupper(name[0]);
    g_autofree char *prefix = g_strdup_printf("Fedora-%s-", name);
    return g_strstrip(g_strdup(g_str_has_prefix(text, prefix) ? text + strlen(prefix) : text));
}

static char *parse_centos(const char *text, const char *release, GError **error) {
    g_autofree char *prefix = g_strdup_printf("id = CentOS-Stream-%s-", release);
    char *latest = find_line(text, prefix);
    return latest ? latest : not_understood(error, "compose id");
}

/* Seconds since 1970 become a day. */
static char *parse_arch(const char *text, const char *release, GError **error) {
    g_autofree char *number = g_strstrip(g_strdup(text));
    gint64 seconds;
    if (!g_ascii_string_to_signed(number, 10, 1, G_MAXINT32, &seconds, NULL))
        return not_understood(error, "time");
    g_autoptr(GDateTime) time = g_date_time_new_from_unix_utc(seconds);
    return g_date_time_format(time, "%Y/%m/%d");
}

static char *parse_opensuse(const char *text, const char *release, GError **error) {
    return g_strstrip(g_strdup(text));
}

static const struct {
    Distribution distribution;
    const char *path; /* @r: the release, @R: with a capital letter */
    char *(*parse)(const char *text, const char *release, GError **error);
} archives[] = {
        {DISTRIBUTION_DEBIAN, "mr/timestamp", parse_debian},
        {DISTRIBUTION_UBUNTU, "ubuntu/dists/@r-updates/Release", parse_ubuntu},
        {DISTRIBUTION_FEDORA, "compose/@r/latest-Fedora-@R/COMPOSE_ID", parse_fedora},
        {DISTRIBUTION_CENTOS, "stream-@r/production/latest-CentOS-Stream/compose/.composeinfo", parse_centos},
        {DISTRIBUTION_ARCH, "repos/last/lastsync", parse_arch},
        {DISTRIBUTION_OPENSUSE, "history/latest", parse_opensuse},
};

/* The name becomes a part of addresses and file names, and is shown on terminals. */
static gboolean is_snapshot_name(const char *name) {
    return *name && strlen(name) <= 64 && name[0] != '.' && name[0] != '-' && name[0] != '/' && !strstr(name, "..") &&
           strspn(name, G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "._-/") == strlen(name);
}

char *snapshot_parse_answer(Distribution distribution, const char *release, const char *text, GError **error) {
    for (gsize i = 0; i < G_N_ELEMENTS(archives); i++) {
        if (archives[i].distribution != distribution)
            continue;
        g_autofree char *name = archives[i].parse(text, release, error);
        if (!name || is_snapshot_name(name))
            return g_steal_pointer(&name);
        return not_understood(error, "name of a snapshot");
    }
    g_return_val_if_reached(NULL);
}

static char *answer_path(const char *pattern, const char *release) {
    g_autoptr(GString) path = g_string_new(pattern);
    g_autofree char *capital = g_strdup(release);

    capital[0] = g_ascii_toupper(capital[0]);
    g_string_replace(path, "@r", release, 0);
    g_string_replace(path, "@R", capital, 0);
    return g_string_free(g_steal_pointer(&path), FALSE);
}

char *snapshot_find_latest(const ImageConfig *config, GError **error) {
    for (gsize i = 0; i < G_N_ELEMENTS(archives); i++) {
        if (archives[i].distribution != config->distribution)
            continue;
        g_autofree char *path = answer_path(archives[i].path, config->release);
        g_autofree char *text = fetch(config, path, error);
        return text ? snapshot_parse_answer(config->distribution, config->release, text, error) : NULL;
    }
    g_set_error(error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED,
            "There is no archive of snapshots for %s; there are some for debian, ubuntu, fedora, centos, "
            "arch and opensuse",
            distribution_to_string(config->distribution));
    return NULL;
}
