/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "distro/apt-sources.h"

#include <gio/gio.h>
#include <string.h>

#include "distro/distro.h"

#define HOST_APT_DIRECTORY "/etc/apt"

void apt_host_mirrors_clear(AptHostMirrors *mirrors) {
    g_clear_pointer(&mirrors->archive, g_free);
    g_clear_pointer(&mirrors->security, g_free);
}

static char *strip_slashes(const char *uri) {
    size_t length = strlen(uri);
    while (length > 0 && uri[length - 1] == '/')
        length--;
    return g_strndup(uri, length);
}

static void consider_uri(const char *word, const char *distribution, AptHostMirrors *mirrors) {
    if (!strstr(word, "://") || g_str_has_prefix(word, "cdrom:"))
        return;

    g_autofree char *uri = strip_slashes(word);
    g_autofree char *archive = g_strconcat("/", distribution, NULL);
    g_autofree char *security = g_strconcat("/", distribution, "-security", NULL);

    if (!mirrors->archive && g_str_has_suffix(uri, archive))
        mirrors->archive = g_steal_pointer(&uri);
    else if (!mirrors->security && g_str_has_suffix(uri, security))
        mirrors->security = g_steal_pointer(&uri);
}

void apt_host_mirrors_parse(
        const char *text, gboolean deb822, const char *distribution, AptHostMirrors *mirrors) {
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);

    for (char **line = lines; *line; line++) {
        g_strstrip(*line);
        if (deb822 ? g_ascii_strncasecmp(*line, "uris:", 5) != 0 : !g_str_has_prefix(*line, "deb "))
            continue;
        g_auto(GStrv) words = g_strsplit_set(*line, " \t", -1);
        for (char **word = words; *word; word++)
            consider_uri(*word, distribution, mirrors);
    }
}

static void read_file(const char *path, const char *distribution, AptHostMirrors *mirrors) {
    g_autofree char *text = NULL;
    if (g_file_get_contents(path, &text, NULL, NULL))
        apt_host_mirrors_parse(text, g_str_has_suffix(path, ".sources"), distribution, mirrors);
}

static int compare_names(gconstpointer a, gconstpointer b) {
    return strcmp(*(char *const *) a, *(char *const *) b);
}

void apt_host_mirrors_read(const char *directory, const char *distribution, AptHostMirrors *ret) {
    g_autofree char *list = g_build_filename(directory, "sources.list", NULL);
    g_autofree char *parts = g_build_filename(directory, "sources.list.d", NULL);
    g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GDir) dir = g_dir_open(parts, 0, NULL);
    const char *name;

    read_file(list, distribution, ret);
    while (dir && (name = g_dir_read_name(dir)))
        if (g_str_has_suffix(name, ".list") || g_str_has_suffix(name, ".sources"))
            g_ptr_array_add(names, g_build_filename(parts, name, NULL));
    g_ptr_array_sort(names, compare_names);
    for (guint i = 0; i < names->len; i++)
        read_file(names->pdata[i], distribution, ret);
}

static void append_repository(
        GString *text, const char *uri, const char *suite, const char *components, const char *keyring) {
    g_string_append_printf(
            text, "Types: deb\nURIs: %s\nSuites: %s\nComponents: %s\n", uri, suite, components);
    if (keyring)
        g_string_append_printf(text, "Signed-By: %s\n\n", keyring);
    else
        g_string_append(text, "Trusted: yes\n\n");
}

static char *join(const char *mirror, const char *path) {
    g_autofree char *base = strip_slashes(mirror);
    return g_strconcat(base, "/", path, NULL);
}

static gboolean is_rolling(const ImageConfig *config) {
    return config->distribution == DISTRIBUTION_DEBIAN &&
           (g_str_equal(config->release, "unstable") || g_str_equal(config->release, "sid"));
}

static gboolean find_mirrors(const ImageConfig *config, AptHostMirrors *ret, GError **error) {
    const char *name = distribution_to_string(config->distribution);
    g_autofree char *security = g_strconcat(name, "-security", NULL);

    if (config->mirror && config->snapshot) {
        g_autofree char *archive_path = g_strdup_printf("archive/%s/%s", name, config->snapshot);
        g_autofree char *security_path = g_strdup_printf("archive/%s/%s", security, config->snapshot);
        ret->archive = join(config->mirror, archive_path);
        ret->security = join(config->mirror, security_path);
        return TRUE;
    }
    if (config->snapshot) {
        g_set_error(error, DISTRO_ERROR, DISTRO_ERROR_MIRROR,
                "Snapshot=%s needs Mirror=: the base URL of an archive of snapshots", config->snapshot);
        return FALSE;
    }
    if (config->mirror) {
        ret->archive = join(config->mirror, name);
        ret->security = config->distribution == DISTRIBUTION_UBUNTU ? g_strdup(ret->archive)
                                                                    : join(config->mirror, security);
        return TRUE;
    }

    apt_host_mirrors_read(HOST_APT_DIRECTORY, name, ret);
    if (ret->archive)
        return TRUE;
    g_set_error(error, DISTRO_ERROR, DISTRO_ERROR_MIRROR,
            "No mirror for %s: the apt sources of this machine (" HOST_APT_DIRECTORY
            "/sources.list*) name none; set Mirror= in [Distribution], or --mirror",
            name);
    return FALSE;
}

char *apt_sources(const ImageConfig *config, GError **error) {
    g_auto(AptHostMirrors) mirrors = {};
    g_autoptr(GString) text = g_string_new(NULL);
    g_autofree char *extra = g_strjoinv(" ", config->repositories);
    gboolean ubuntu = config->distribution == DISTRIBUTION_UBUNTU;
    g_autofree char *components =
            g_strdup_printf("main%s%s%s", ubuntu ? " universe" : "", *extra ? " " : "", extra);
    const char *keyring = ubuntu ? "/usr/share/keyrings/ubuntu-archive-keyring.gpg"
                                 : "/usr/share/keyrings/debian-archive-keyring.gpg";

    if (config->local_mirror) {
        append_repository(text, config->local_mirror, config->release, "main", NULL);
        return g_string_free(g_steal_pointer(&text), FALSE);
    }
    if (!find_mirrors(config, &mirrors, error))
        return NULL;

    append_repository(text, mirrors.archive, config->release, components, keyring);
    if (!is_rolling(config)) {
        g_autofree char *updates = g_strconcat(config->release, "-updates", NULL);
        g_autofree char *security = g_strconcat(config->release, "-security", NULL);
        if (!config->snapshot)
            append_repository(text, mirrors.archive, updates, components, keyring);
        if (mirrors.security)
            append_repository(text, mirrors.security, security, components, keyring);
    }
    return g_string_free(g_steal_pointer(&text), FALSE);
}
