/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "distro/apt/uris.h"

#include <string.h>

#include "base/hex.h"
#include "distro/driver/types.h"

#define DIGEST_PREFIX "SHA256:"
#define DIGEST_LENGTH 64

static gboolean is_file_name(const char *name) {
    return g_str_has_suffix(name, ".deb") && name[0] != '.' && name[0] != '-' && !strchr(name, '/');
}

static gboolean is_digest(const char *word) {
    return g_str_has_prefix(word, DIGEST_PREFIX) && hex_is_lower(word + strlen(DIGEST_PREFIX), DIGEST_LENGTH);
}

static DistroPackage *not_understood(const char *line, const char *what, GError **error) {
    g_set_error(error, DISTRO_ERROR, DISTRO_ERROR_MIRROR, "apt's answer has %s: %.500s", what, line);
    return NULL;
}

/* What the file is called after: NAME_VERSION_ARCHITECTURE.deb, with %XX for what a file name cannot hold. */
static void take_name_apart(DistroPackage *package) {
    g_autofree char *stem = g_strndup(package->file, strlen(package->file) - strlen(".deb"));
    g_auto(GStrv) parts = g_strsplit(stem, "_", 3);
    gboolean whole = g_strv_length(parts) == 3;
    char *version = whole ? g_uri_unescape_string(parts[1], NULL) : NULL;

    package->name = g_strdup(whole ? parts[0] : stem);
    package->version = version ? version : g_strdup(whole ? parts[1] : "");
    package->architecture = g_strdup(whole ? parts[2] : "");
}

/* The address may hold any character, so the line is read from its end. */
static DistroPackage *parse_line(const char *line, GError **error) {
    const char *end = g_strrstr(line, "' ");
    g_auto(GStrv) words = end && end > line ? g_strsplit(end + 2, " ", 3) : NULL;
    guint64 size;

    if (!words || g_strv_length(words) != 3)
        return not_understood(line, "a line that is no address, name, size and digest", error);
    if (!is_file_name(words[0]))
        return not_understood(line, "a file name that is none of a package", error);
    if (!g_ascii_string_to_unsigned(words[1], 10, 0, G_MAXINT64, &size, NULL))
        return not_understood(line, "a size that is no number", error);
    if (!is_digest(words[2]))
        return not_understood(line, "a package for which the index of its repository has no SHA-256", error);

    DistroPackage *package = g_new0(DistroPackage, 1);
    package->local = g_str_has_prefix(line, "'file:");
    package->file = g_strdup(words[0]);
    take_name_apart(package);
    package->size = size;
    package->digest = g_strdup(words[2]);
    return package;
}

static int compare_packages(gconstpointer a, gconstpointer b) {
    return strcmp((*(DistroPackage *const *) a)->file, (*(DistroPackage *const *) b)->file);
}

GPtrArray *apt_uris_parse(const char *text, GError **error) {
    g_autoptr(GPtrArray) packages = g_ptr_array_new_with_free_func((GDestroyNotify) distro_package_free);
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);

    for (char **line = lines; *line; line++) {
        if (**line != '\'')
            continue;
        DistroPackage *package = parse_line(*line, error);
        if (!package)
            return NULL;
        g_ptr_array_add(packages, package);
    }
    g_ptr_array_sort(packages, compare_packages);
    return g_steal_pointer(&packages);
}
