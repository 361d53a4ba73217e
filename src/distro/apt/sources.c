/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "distro/apt/sources.h"

#include <gio/gio.h>
#include <string.h>

#include "base/directory.h"
#include "distro/driver/types.h"

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

void apt_host_mirrors_read(const char *directory, const char *distribution, AptHostMirrors *ret) {
    g_autofree char *list = g_build_filename(directory, "sources.list", NULL);
    g_autofree char *parts = g_build_filename(directory, "sources.list.d", NULL);
    g_autoptr(GPtrArray) names = list_directory_if_any(parts);

    read_file(list, distribution, ret);
    for (guint i = 0; i < names->len; i++) {
        g_autofree char *path = g_build_filename(parts, names->pdata[i], NULL);
        if (g_str_has_suffix(path, ".list") || g_str_has_suffix(path, ".sources"))
            read_file(path, distribution, ret);
    }
}

static char *join(const char *mirror, const char *path) {
    g_autofree char *base = strip_slashes(mirror);
    return g_strconcat(base, "/", path, NULL);
}

static gboolean no_mirror(const char *name, GError **error) {
    g_set_error(error, DISTRO_ERROR, DISTRO_ERROR_MIRROR,
            "No mirror for %s: the apt sources of this machine (" HOST_APT_DIRECTORY
            "/sources.list*) name none; set Mirror= in [Distribution], or --mirror",
            name);
    return FALSE;
}

/* Debian: the mirror has the archive in a folder "debian". Security updates come from where this machine
 * gets them, as mirrors often do not have them. */
static gboolean find_debian_mirrors(const ImageConfig *config, AptHostMirrors *ret, GError **error) {
    if (config->mirror && config->snapshot) {
        g_autofree char *archive = g_strdup_printf("archive/debian/%s", config->snapshot);
        g_autofree char *security = g_strdup_printf("archive/debian-security/%s", config->snapshot);
        ret->archive = join(config->mirror, archive);
        ret->security = join(config->mirror, security);
        return TRUE;
    }
    if (config->snapshot) {
        g_set_error(error, DISTRO_ERROR, DISTRO_ERROR_MIRROR,
                "Snapshot=%s needs Mirror=: the base URL of an archive of snapshots", config->snapshot);
        return FALSE;
    }
    apt_host_mirrors_read(HOST_APT_DIRECTORY, "debian", ret);
    if (config->mirror) {
        g_free(ret->archive);
        ret->archive = join(config->mirror, "debian");
        if (!ret->security)
            ret->security = join(config->mirror, "debian-security");
    }
    return ret->archive || no_mirror("debian", error);
}

/* Ubuntu and Kali: the mirror is the archive itself. */
static gboolean find_other_mirror(const ImageConfig *config, AptHostMirrors *ret, GError **error) {
    const char *name = distribution_to_string(config->distribution);

    if (config->snapshot && config->distribution != DISTRIBUTION_UBUNTU) {
        g_set_error(error, DISTRO_ERROR, DISTRO_ERROR_MIRROR,
                "Snapshot=%s: there are no snapshots of %s; use debian or ubuntu, or remove it",
                config->snapshot, name);
        return FALSE;
    }
    apt_host_mirrors_read(HOST_APT_DIRECTORY, name, ret);
    if (config->mirror) {
        g_free(ret->archive);
        ret->archive = strip_slashes(config->mirror);
    }
    if (!ret->security)
        ret->security = g_strdup(ret->archive);
    return ret->archive || no_mirror(name, error);
}

static const char *keyring(Distribution distribution) {
    switch (distribution) {
    case DISTRIBUTION_UBUNTU:
        return "/usr/share/keyrings/ubuntu-archive-keyring.gpg";
    case DISTRIBUTION_KALI:
        return "/usr/share/keyrings/kali-archive-keyring.gpg";
    default:
        return "/usr/share/keyrings/debian-archive-keyring.gpg";
    }
}

/* One sources file in the making. */
typedef struct {
    GString *text;
    const ImageConfig *config;
    const char *types;
    char *components;
} Sources;

static void append_suite(Sources *sources, const char *uri, const char *suffix) {
    const ImageConfig *config = sources->config;

    g_string_append_printf(sources->text,
            "Types: %s\nURIs: %s\nSuites: %s%s\nComponents: %s\nSigned-By: %s\n", sources->types, uri,
            config->release, suffix, sources->components, keyring(config->distribution));
    if (config->snapshot && config->distribution == DISTRIBUTION_UBUNTU)
        g_string_append_printf(sources->text, "Snapshot: %s\n", config->snapshot);
    g_string_append_c(sources->text, '\n');
}

static gboolean is_rolling(const ImageConfig *config) {
    return config->distribution == DISTRIBUTION_KALI || g_str_equal(config->release, "unstable") ||
           g_str_equal(config->release, "sid");
}

/* Indices of sources are large, and only scripts can ask for them. */
static gboolean wants_sources(const ImageConfig *config) {
    return config->prepare_scripts[0] || config->build_scripts[0];
}

char *apt_sources(const ImageConfig *config, AptSourcesUse use, GError **error) {
    g_auto(AptHostMirrors) mirrors = {};
    g_autofree char *extra = g_strjoinv(" ", config->repositories);
    g_autofree char *components = g_strconcat("main", *extra ? " " : "", extra, NULL);
    gboolean debian = config->distribution == DISTRIBUTION_DEBIAN;
    Sources sources = {.config = config, .components = components};

    if (config->local_mirror && use == APT_SOURCES_FOR_BUILD)
        return g_strdup_printf("Types: deb\nURIs: %s\nSuites: %s\nComponents: main\nTrusted: yes\n\n",
                config->local_mirror, config->release);
    if (debian ? !find_debian_mirrors(config, &mirrors, error) : !find_other_mirror(config, &mirrors, error))
        return NULL;

    g_autoptr(GString) text = sources.text = g_string_new(NULL);
    sources.types = use == APT_SOURCES_FOR_IMAGE || wants_sources(config) ? "deb deb-src" : "deb";
    append_suite(&sources, mirrors.archive, "");
    if (!is_rolling(config)) {
        if (!config->snapshot || !debian)
            append_suite(&sources, mirrors.archive, "-updates");
        if (mirrors.security)
            append_suite(&sources, mirrors.security, "-security");
    }
    return g_string_free(g_steal_pointer(&text), FALSE);
}
