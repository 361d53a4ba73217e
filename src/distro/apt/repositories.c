/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "distro/apt/repositories.h"

#include <string.h>

#include "base/directory.h"
#include "base/hex.h"
#include "base/sha256.h"
#include "distro/apt/run.h"
#include "distro/driver/session.h"

/* One entry of a sources file. */
typedef struct {
    char *types, *uris, *suites, *components;
    gboolean disabled;
} Entry;

static void entry_clear(Entry *entry) {
    g_free(entry->types);
    g_free(entry->uris);
    g_free(entry->suites);
    g_free(entry->components);
    memset(entry, 0, sizeof *entry);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Entry, entry_clear)

static gboolean is_remote(const char *uri) {
    return g_str_has_prefix(uri, "http://") || g_str_has_prefix(uri, "https://");
}

/* URI without user and password, and without slashes at its end. */
static char *clean_uri(const char *uri) {
    const char *host = strstr(uri, "://") + 3;
    const char *at = memchr(host, '@', strcspn(host, "/"));
    GString *text = g_string_new_len(uri, host - uri);

    g_string_append(text, at ? at + 1 : host);
    while (text->len > (gsize) (host - uri) && text->str[text->len - 1] == '/')
        g_string_truncate(text, text->len - 1);
    return g_string_free(text, FALSE);
}

/* A suite that ends in a slash is a directory with the index itself. */
static char *metadata_url(const char *uri, const char *suite) {
    gboolean flat = g_str_has_suffix(suite, "/");
    const char *directory = g_str_equal(suite, "/") || g_str_equal(suite, "./") ? "" : suite;

    return flat ? g_strdup_printf("%s/%sInRelease", uri, directory)
                : g_strdup_printf("%s/dists/%s/InRelease", uri, directory);
}

static void add_repository(
        GPtrArray *repositories, const char *uri, const char *suite, const char *components) {
    DistroRepository *repository = g_new0(DistroRepository, 1);

    repository->url = clean_uri(uri);
    repository->suite = g_strdup(suite);
    repository->components = g_strdup(components ? components : "");
    repository->metadata = metadata_url(repository->url, suite);
    g_ptr_array_add(repositories, repository);
}

static GPtrArray *split_words(const char *text) {
    GPtrArray *words = g_ptr_array_new_with_free_func(g_free);
    g_auto(GStrv) all = g_strsplit_set(text ? text : "", " \t\n", -1);

    for (char **word = all; *word; word++)
        if (**word)
            g_ptr_array_add(words, g_strdup(*word));
    return words;
}

static void finish_entry(Entry *entry, const char *architecture, GPtrArray *repositories) {
    g_autoptr(GPtrArray) types = split_words(entry->types), uris = split_words(entry->uris);
    g_autoptr(GPtrArray) suites = split_words(entry->suites), components = split_words(entry->components);
    gboolean binary = FALSE;

    for (guint i = 0; i < types->len; i++)
        binary = binary || g_str_equal(types->pdata[i], "deb");
    g_ptr_array_add(components, NULL);
    g_autofree char *joined = g_strjoinv(" ", (char **) components->pdata);
    for (guint i = 0; binary && !entry->disabled && i < uris->len; i++)
        for (guint j = 0; is_remote(uris->pdata[i]) && j < suites->len; j++) {
            g_autoptr(GString) suite = g_string_new(suites->pdata[j]);
            g_string_replace(suite, "$(ARCH)", architecture, 0);
            add_repository(repositories, uris->pdata[i], suite->str, joined);
        }
    entry_clear(entry);
}

static char **field_of(Entry *entry, const char *name) {
    const struct {
        const char *name;
        char **value;
    } fields[] = {{"types", &entry->types}, {"uris", &entry->uris}, {"suites", &entry->suites},
            {"components", &entry->components}};

    for (size_t i = 0; i < G_N_ELEMENTS(fields); i++)
        if (g_ascii_strcasecmp(name, fields[i].name) == 0)
            return fields[i].value;
    return NULL;
}

static void append(char **value, const char *text) {
    char *longer = *value ? g_strconcat(*value, " ", text, NULL) : g_strdup(text);

    g_free(*value);
    *value = longer;
}

/* Fields go on in lines that begin with a blank; paragraphs end with an empty line. */
static void parse_paragraphs(char **lines, const char *architecture, GPtrArray *repositories) {
    g_auto(Entry) entry = {};
    char **field = NULL;

    for (; *lines; lines++) {
        const char *line = *lines, *colon = strchr(line, ':');
        if (!line[strspn(line, " \t\r")]) {
            finish_entry(&entry, architecture, repositories);
            field = NULL;
        } else if (*line == '#')
            continue;
        else if (*line == ' ' || *line == '\t') {
            if (field)
                append(field, line);
        } else if (colon) {
            g_autofree char *name = g_strndup(line, colon - line);
            g_autofree char *value = g_strstrip(g_strdup(colon + 1));
            if ((field = field_of(&entry, g_strchomp(name))))
                append(field, value);
            else if (g_ascii_strcasecmp(name, "enabled") == 0)
                entry.disabled =
                        g_ascii_strcasecmp(value, "no") == 0 || g_ascii_strcasecmp(value, "false") == 0;
        }
    }
    finish_entry(&entry, architecture, repositories);
}

/* "deb [OPTION=VALUE ...] URI SUITE COMPONENT..." */
static void parse_line(const char *line, const char *architecture, GPtrArray *repositories) {
    g_auto(Entry) entry = {};
    const char *rest = line + strspn(line, " \t");
    const char *options;

    if (!g_str_has_prefix(rest, "deb ") && !g_str_has_prefix(rest, "deb\t"))
        return;
    rest += strlen("deb");
    rest += strspn(rest, " \t");
    if (*rest == '[' && (options = strchr(rest, ']')))
        rest = options + 1;
    g_autofree char *plain = g_strndup(rest, strcspn(rest, "#"));
    g_autoptr(GPtrArray) words = split_words(plain);
    if (words->len < 2)
        return;
    entry.types = g_strdup("deb");
    entry.uris = g_strdup(words->pdata[0]);
    entry.suites = g_strdup(words->pdata[1]);
    for (guint i = 2; i < words->len; i++)
        append(&entry.components, words->pdata[i]);
    finish_entry(&entry, architecture, repositories);
}

void apt_repositories_parse(
        const char *text, gboolean deb822, const char *architecture, GPtrArray *repositories) {
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);

    if (deb822) {
        parse_paragraphs(lines, architecture, repositories);
        return;
    }
    for (char **line = lines; *line; line++)
        parse_line(*line, architecture, repositories);
}

char *apt_repositories_list_name(const char *url) {
    const char *scheme = strstr(url, "://");
    GString *name = g_string_new(NULL);

    for (const char *at = scheme ? scheme + 3 : url; *at; at++)
        if (*at == '/')
            g_string_append_c(name, '_');
        else if (strchr("\\|{}[]<>\"^~_=!@#$%^&*", *at) || !g_ascii_isprint(*at) || *at == ' ')
            g_string_append_printf(name, "%%%02x", (guchar) *at);
        else
            g_string_append_c(name, *at);
    return g_string_free(name, FALSE);
}

/* What apt has of it: the signed file, or where the signature lies beside it, the file "Release". */
static char *digest_metadata(const DistroSession *session, const DistroRepository *repository) {
    g_autofree char *release =
            g_strndup(repository->metadata, strlen(repository->metadata) - strlen("InRelease"));
    g_autofree char *unsigned_url = g_strconcat(release, "Release", NULL);
    const char *const urls[] = {repository->metadata, unsigned_url};
    guint8 digest[SHA256_SIZE];

    for (size_t i = 0; i < G_N_ELEMENTS(urls); i++) {
        g_autofree char *name = apt_repositories_list_name(urls[i]);
        g_autofree char *path = g_build_filename(session->package_cache, "lists", name, NULL);
        if (sha256_file(path, digest, NULL))
            return hex_encode(digest, sizeof digest);
    }
    return NULL;
}

static int compare_repositories(gconstpointer a, gconstpointer b) {
    const DistroRepository *left = *(DistroRepository *const *) a, *right = *(DistroRepository *const *) b;
    int order = strcmp(left->metadata, right->metadata);

    return order ? order : strcmp(left->components, right->components);
}

/* Sorted ones that have the same file are one repository, with the components of both. */
static void merge_same(GPtrArray *repositories) {
    for (guint i = 1; i < repositories->len;) {
        DistroRepository *former = repositories->pdata[i - 1], *later = repositories->pdata[i];
        if (!g_str_equal(former->metadata, later->metadata)) {
            i++;
            continue;
        }
        if (!g_str_equal(former->components, later->components))
            append(&former->components, later->components);
        g_ptr_array_remove_index(repositories, i);
    }
}

static gboolean read_sources(
        DistroSession *session, const char *path, GPtrArray *repositories, GError **error) {
    const ImageConfig *config = session->config;
    g_autofree char *text = NULL;

    if (!g_file_get_contents(path, &text, NULL, error))
        return FALSE;
    apt_repositories_parse(text, g_str_has_suffix(path, ".sources"),
            architecture_to_debian(config->architecture), repositories);
    return TRUE;
}

GPtrArray *apt_list_repositories(DistroSession *session, GError **error) {
    g_autoptr(GPtrArray) repositories =
            g_ptr_array_new_with_free_func((GDestroyNotify) distro_repository_free);
    g_autofree char *list = session_path(session, "apt/sources.list");
    g_autofree char *parts = session_path(session, "apt/sources.list.d");
    g_autoptr(GPtrArray) names = list_directory_if_any(parts);

    if (g_file_test(list, G_FILE_TEST_IS_REGULAR) && !read_sources(session, list, repositories, error))
        return NULL;
    for (guint i = 0; i < names->len; i++) {
        g_autofree char *path = g_build_filename(parts, names->pdata[i], NULL);
        if ((g_str_has_suffix(path, ".list") || g_str_has_suffix(path, ".sources")) &&
                !read_sources(session, path, repositories, error))
            return NULL;
    }
    g_ptr_array_sort(repositories, compare_repositories);
    merge_same(repositories);
    for (guint i = 0; i < repositories->len; i++) {
        DistroRepository *repository = repositories->pdata[i];
        repository->digest = digest_metadata(session, repository);
    }
    return g_steal_pointer(&repositories);
}
