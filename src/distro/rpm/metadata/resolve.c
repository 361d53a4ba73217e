/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "distro/rpm/metadata/resolve.h"

#include <string.h>

#include "distro/rpm/metadata/metadata.h"
#include "distro/rpm/metadata/primary.h"

static int compare_packages(gconstpointer a, gconstpointer b) {
    return strcmp((*(DistroPackage *const *) a)->file, (*(DistroPackage *const *) b)->file);
}

static DistroPackage *package_of(const RpmChoice *choice) {
    DistroPackage *package = g_new0(DistroPackage, 1);

    package->name = g_strdup(choice->name);
    package->version = g_strdup(choice->evr);
    package->architecture = g_strdup(choice->architecture);
    return package;
}

/* Repository ("": any) → (key → package of PACKAGES). */
static GHashTable *by_repository(GPtrArray *choices, GPtrArray *packages) {
    GHashTable *repositories =
            g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify) g_hash_table_unref);

    for (guint i = 0; i < choices->len; i++) {
        const RpmChoice *choice = choices->pdata[i];
        const char *repository = choice->repository ? choice->repository : "";
        GHashTable *wanted = g_hash_table_lookup(repositories, repository);
        if (!wanted) {
            wanted = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
            g_hash_table_insert(repositories, g_strdup(repository), wanted);
        }
        DistroPackage *package = package_of(choice);
        g_ptr_array_add(packages, package);
        g_hash_table_replace(wanted, rpm_primary_key(choice->name, choice->evr, choice->architecture), package);
    }
    return repositories;
}

/* Puts the repository before the places of packages that were found in it. */
static void settle_places(const char *id, GHashTable *wanted) {
    GHashTableIter iter;
    gpointer value;

    g_hash_table_iter_init(&iter, wanted);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        DistroPackage *package = value;
        if (!package->digest)
            continue;
        package->local = g_str_equal(id, "mkosi");
        if (package->place) {
            char *place = g_build_filename(id, package->place, NULL);
            g_free(package->place);
            package->place = place;
        }
        g_hash_table_iter_remove(&iter);
    }
}

static gboolean search(DistroSession *session, const char *id, GHashTable *wanted, GError **error) {
    g_autoptr(GPtrArray) lists = rpm_package_lists(session, id);

    for (guint i = 0; i < lists->len; i++)
        if (!rpm_primary_find(lists->pdata[i], wanted, error))
            return FALSE;
    settle_places(id, wanted);
    return TRUE;
}

/* Local packages win. */
static gboolean search_all(DistroSession *session, GHashTable *wanted, GError **error) {
    g_autoptr(GPtrArray) repositories = rpm_list_repositories(session, error);

    if (!repositories || !search(session, "mkosi", wanted, error))
        return FALSE;
    for (guint i = 0; i < repositories->len && g_hash_table_size(wanted) > 0; i++)
        if (!search(session, ((DistroRepository *) repositories->pdata[i])->suite, wanted, error))
            return FALSE;
    return TRUE;
}

GPtrArray *rpm_find_files(DistroSession *session, GPtrArray *choices, GError **error) {
    g_autoptr(GPtrArray) packages = g_ptr_array_new_with_free_func((GDestroyNotify) distro_package_free);
    g_autoptr(GHashTable) repositories = by_repository(choices, packages);
    GHashTableIter iter;
    gpointer id, wanted;

    g_hash_table_iter_init(&iter, repositories);
    while (g_hash_table_iter_next(&iter, &id, &wanted))
        if (*(const char *) id ? !search(session, id, wanted, error) : !search_all(session, wanted, error))
            return NULL;
    for (guint i = 0; i < packages->len; i++) {
        const DistroPackage *package = packages->pdata[i];
        if (package->digest)
            continue;
        g_set_error(error, DISTRO_ERROR, DISTRO_ERROR_MIRROR,
                "The package manager chose %s-%s.%s, which the lists of the repositories do not have; fetch metadata "
                "again with -ff",
                package->name, package->version, package->architecture);
        return NULL;
    }
    g_ptr_array_sort(packages, compare_packages);
    return g_steal_pointer(&packages);
}

/* A line for each: file, name, version, architecture, digest, size, whether it is local, and its place. */
char *rpm_packages_to_text(GPtrArray *packages) {
    GString *text = g_string_new("packages\n");

    for (guint i = 0; i < packages->len; i++) {
        const DistroPackage *package = packages->pdata[i];
        g_string_append_printf(text, "%s %s %s %s %s %" G_GUINT64_FORMAT " %d %s\n", package->file, package->name,
                package->version, package->architecture, package->digest, package->size, package->local,
                package->place ? package->place : "-");
    }
    return g_string_free(text, FALSE);
}

static DistroPackage *package_from_line(const char *line) {
    g_auto(GStrv) words = g_strsplit(line, " ", -1);
    guint64 size;

    if (g_strv_length(words) != 8 || !g_ascii_string_to_unsigned(words[5], 10, 0, G_MAXINT64, &size, NULL) ||
            strchr(words[0], '/'))
        return NULL;
    DistroPackage *package = g_new0(DistroPackage, 1);
    package->file = g_strdup(words[0]);
    package->name = g_strdup(words[1]);
    package->version = g_strdup(words[2]);
    package->architecture = g_strdup(words[3]);
    package->digest = g_strdup(words[4]);
    package->size = size;
    package->local = g_str_equal(words[6], "1");
    package->place = g_str_equal(words[7], "-") ? NULL : g_strdup(words[7]);
    return package;
}

GPtrArray *rpm_packages_from_text(const char *text) {
    g_autoptr(GPtrArray) packages = g_ptr_array_new_with_free_func((GDestroyNotify) distro_package_free);
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);

    if (!lines[0] || !g_str_equal(lines[0], "packages"))
        return NULL;
    for (char **line = lines + 1; *line; line++) {
        DistroPackage *package = **line ? package_from_line(*line) : NULL;
        if (**line && !package)
            return NULL;
        if (package)
            g_ptr_array_add(packages, package);
    }
    return g_steal_pointer(&packages);
}
