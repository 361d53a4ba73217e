/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "distro/rpm/family/keys.h"

#include <string.h>

#include "base/directory.h"
#include "base/errors.h"
#include "distro/driver/fetch.h"
#include "distro/driver/session.h"
#include "distro/rpm/family/family.h"

#define BEGIN "-----BEGIN PGP PUBLIC KEY BLOCK-----"

static char *read_text(const char *path) {
    char *text = NULL;
    return g_file_get_contents(path, &text, NULL, NULL) ? text : NULL;
}

/* A directory for each distribution, which may have the key. */
static char *read_from_collection(const char *tools, const char *name) {
    g_autofree char *top = g_build_filename(tools, "usr/share/distribution-gpg-keys", NULL);
    g_autoptr(GPtrArray) directories = list_directory_if_any(top);

    for (guint i = 0; i < directories->len; i++) {
        g_autofree char *path = g_build_filename(top, directories->pdata[i], name, NULL);
        char *text = read_text(path);
        if (text)
            return text;
    }
    return NULL;
}

static char *find_key(const DistroSession *session, const char *name) {
    const char *tools = session->tools_tree ? session->tools_tree : "/";
    g_autofree char *own =
            session->sandbox_tree ? g_build_filename(session->sandbox_tree, "etc/pki/rpm-gpg", name, NULL) : NULL;
    g_autofree char *of_tools = g_build_filename(tools, "etc/pki/rpm-gpg", name, NULL);
    char *text = own ? read_text(own) : NULL;

    if (!text)
        text = read_from_collection(tools, name);
    return text ? text : read_text(of_tools);
}

static char *cached_path(const DistroSession *session, const char *name) {
    return g_build_filename(session->package_cache, "keys", name, NULL);
}

static gboolean place_key(const DistroSession *session, const char *name, const char *text, GError **error) {
    g_autofree char *path = g_build_filename(session->workspace, "rpm/keys", name, NULL);
    return g_file_set_contents(path, text, -1, error);
}

static gboolean no_key(const ImageConfig *config, const char *name, GError **error) {
    g_set_error(error, DISTRO_ERROR, DISTRO_ERROR_MIRROR,
            "There is no key %s for packages of %s: bring it as etc/pki/rpm-gpg/%s with SandboxTrees=, install the "
            "package distribution-gpg-keys, or set RepositoryKeyFetch=yes",
            name, distribution_to_string(config->distribution), name);
    return FALSE;
}

static gboolean prepare_key(DistroSession *session, const RpmKey *key, GPtrArray *missing, GError **error) {
    const ImageConfig *config = session->config;
    g_autofree char *cached = cached_path(session, key->name);
    g_autofree char *text = find_key(session, key->name);

    if (!text && config->repository_key_fetch && key->url && !(text = read_text(cached))) {
        RpmKey *wanted = g_new0(RpmKey, 1);
        wanted->name = g_strdup(key->name);
        wanted->url = g_strdup(key->url);
        g_ptr_array_add(missing, wanted);
        return TRUE;
    }
    if (text)
        return place_key(session, key->name, text, error);
    if (key->optional)
        return TRUE;
    return no_key(session->config, key->name, error);
}

static gboolean is_placed(const DistroSession *session, const char *name) {
    g_autofree char *path = g_build_filename(session->workspace, "rpm/keys", name, NULL);
    return g_file_test(path, G_FILE_TEST_EXISTS);
}

static gboolean is_missing(GPtrArray *missing, const char *name) {
    for (guint i = 0; i < missing->len; i++)
        if (g_str_equal(((const RpmKey *) missing->pdata[i])->name, name))
            return TRUE;
    return FALSE;
}

char *rpm_keys_prepare(DistroSession *session, GPtrArray **ret_missing, GError **error) {
    g_autoptr(GPtrArray) keys = rpm_family_keys(session->config);
    g_autoptr(GPtrArray) missing = g_ptr_array_new_with_free_func((GDestroyNotify) rpm_key_free);
    g_autoptr(GString) addresses = g_string_new(NULL);

    for (guint i = 0; session->config->repository_key_check && i < keys->len; i++) {
        const RpmKey *key = keys->pdata[i];
        if (!prepare_key(session, key, missing, error))
            return NULL;
        if (!is_placed(session, key->name) && !is_missing(missing, key->name))
            continue;
        g_string_append_printf(addresses, "file://" RPM_KEYS "/%s\n", key->name);
    }
    if (session->config->repository_key_check && keys->len > 0 && addresses->len == 0) {
        (void) no_key(session->config, ((const RpmKey *) keys->pdata[0])->name, error);
        return NULL;
    }
    *ret_missing = g_steal_pointer(&missing);
    return g_string_free(g_steal_pointer(&addresses), FALSE);
}

/* The key at the address of a link is what the link says: the name of a file beside it. */
static char *fetch_linked(const ImageConfig *config, const char *url, const char *link, GError **error) {
    g_autofree char *directory = g_path_get_dirname(url);
    g_autofree char *name = g_strstrip(g_strdup(link));
    g_autofree char *target = g_strconcat(directory, "/", name, NULL);

    if (strchr(name, '/') || !g_str_has_prefix(name, "RPM-GPG-KEY-")) {
        g_set_error(error, DISTRO_ERROR, DISTRO_ERROR_MIRROR, "%s is no key", url);
        return NULL;
    }
    return fetch_text(config, target, error);
}

/* Rawhide changes its key when a release branches off, and not everybody changes at the same moment: the key before
 * counts, too, and the one after if there is one already. */
static void add_neighbours(const ImageConfig *config, const char *url, const char *link, GString *text) {
    const char *number = strpbrk(link, G_CSET_DIGITS);
    g_autofree char *directory = g_path_get_dirname(url);
    guint64 release = number ? g_ascii_strtoull(number, NULL, 10) : 0;

    for (guint64 other = release - 1; release > 1 && other <= release + 1; other += 2) {
        g_autofree char *address =
                g_strdup_printf("%s/RPM-GPG-KEY-fedora-%" G_GUINT64_FORMAT "-primary", directory, other);
        g_autofree char *key = fetch_text(config, address, NULL);
        if (key && strstr(key, BEGIN))
            g_string_append(text, key);
    }
}

static char *fetch_key(const ImageConfig *config, const RpmKey *key, GError **error) {
    g_autofree char *text = fetch_text(config, key->url, error);

    if (!text || strstr(text, BEGIN))
        return g_steal_pointer(&text);
    g_autofree char *first = fetch_linked(config, key->url, text, error);
    if (!first)
        return NULL;
    g_autoptr(GString) all = g_string_new(first);
    add_neighbours(config, key->url, text, all);
    return g_string_free(g_steal_pointer(&all), FALSE);
}

gboolean rpm_keys_fetch(DistroSession *session, GPtrArray *missing, GError **error) {
    g_autofree char *directory = g_build_filename(session->package_cache, "keys", NULL);

    if (missing->len > 0 && g_mkdir_with_parents(directory, 0755) < 0)
        return set_errno_error(error, errno, "Cannot create %s", directory);
    for (guint i = 0; i < missing->len; i++) {
        const RpmKey *key = missing->pdata[i];
        g_autofree char *cached = cached_path(session, key->name);
        g_autofree char *text = fetch_key(session->config, key, error);
        if (!text || !g_file_set_contents(cached, text, -1, error) || !place_key(session, key->name, text, error)) {
            g_prefix_error(error, "Cannot fetch the key %s: ", key->name);
            return FALSE;
        }
    }
    g_ptr_array_set_size(missing, 0);
    return TRUE;
}
