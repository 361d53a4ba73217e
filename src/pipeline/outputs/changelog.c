/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pipeline/outputs/changelog.h"

#include "events/events.h"

#define RULE_WIDTH 80

typedef struct {
    const char *name;
    GPtrArray *packages; /* DistroInstalled, borrowed */
} Source;

static void source_free(gpointer data) {
    Source *source = data;
    g_ptr_array_unref(source->packages);
    g_free(source);
}

/* Source packages in the order of their first binary package. */
static GPtrArray *group_by_source(GPtrArray *installed) {
    GPtrArray *sources = g_ptr_array_new_with_free_func(source_free);
    g_autoptr(GHashTable) by_name = g_hash_table_new(g_str_hash, g_str_equal);

    for (guint i = 0; i < installed->len; i++) {
        DistroInstalled *package = installed->pdata[i];
        Source *source = g_hash_table_lookup(by_name, package->source);
        if (!source) {
            source = g_new0(Source, 1);
            source->name = package->source;
            source->packages = g_ptr_array_new();
            g_ptr_array_add(sources, source);
            g_hash_table_insert(by_name, package->source, source);
        }
        g_ptr_array_add(source->packages, package);
    }
    return sources;
}

static guint64 total_size(GPtrArray *packages) {
    guint64 size = 0;
    for (guint i = 0; i < packages->len; i++)
        size += ((DistroInstalled *) packages->pdata[i])->installed_size;
    return size;
}

/* That of the first binary package that has one. */
static char *source_changelog(ImageBuild *image, const Source *source) {
    for (guint i = 0; i < source->packages->len; i++) {
        const DistroInstalled *package = source->packages->pdata[i];
        char *text = distro_changelog(image->distro, image->root, package->name);
        if (text)
            return text;
    }
    return NULL;
}

/* FALSE when the image has no changelog of it. */
static gboolean report_source(ImageBuild *image, const Source *source, GString *report) {
    g_autofree char *changelog = source_changelog(image, source);

    g_string_append_c(report, '\n');
    for (guint i = 0; i < RULE_WIDTH; i++)
        g_string_append_c(report, '-');
    g_string_append_printf(report, "\nSourcePackage: %s\nPackages:     ", source->name);
    for (guint i = 0; i < source->packages->len; i++)
        g_string_append_printf(report, " %s", ((DistroInstalled *) source->packages->pdata[i])->name);
    g_string_append_printf(report, "\nSize:          %" G_GUINT64_FORMAT "\n", total_size(source->packages));
    if (changelog && *changelog)
        g_string_append_printf(report, "\nChangelog:\n%s\n", changelog);
    return changelog != NULL;
}

char *changelog_text(ImageBuild *image) {
    g_autoptr(GPtrArray) none = g_ptr_array_new();
    GPtrArray *installed = image->installed ? image->installed : none;
    g_autoptr(GPtrArray) sources = group_by_source(installed);
    GString *report = g_string_new(NULL);
    guint n_missing = 0;

    g_string_append_printf(
            report, "Packages: %u\nSize:     %" G_GUINT64_FORMAT, installed->len, total_size(installed));
    for (guint i = 0; i < sources->len; i++)
        n_missing += !report_source(image, sources->pdata[i], report);
    if (n_missing > 0)
        events_warning("%s: the changelogs of %u of %u source packages are not in the image%s", image->name,
                n_missing, sources->len, image->config->with_docs ? "" : " (WithDocs=no)");
    return g_string_free(report, FALSE);
}
