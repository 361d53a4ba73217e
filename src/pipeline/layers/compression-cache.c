/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pipeline/layers/compression-cache.h"

#include <fcntl.h>

#include "events/events.h"
#include "pipeline/state/cache-places.h"
#include "tree/tree.h"

static char *get_directory(const Build *build, const ImageConfig *config) {
    g_autofree char *cache = build_cache_directory(build, config);

    return g_build_filename(cache, "compressed", NULL);
}

PackStore *compression_cache_open(const ImageBuild *image) {
    const ImageConfig *config = image->config;
    g_autoptr(GError) error = NULL;

    if (config->incremental == INCREMENTAL_NO || config->compression_cache == 0)
        return NULL;
    g_autofree char *directory = get_directory(image->build, config);
    PackStore *store = pack_store_open(directory, config->compression_cache,
            image->build->options.force > 1 ? PACK_STORE_FORGET : 0, &error);
    if (!store)
        events_debug("%s: without a cache of what is compressed: %s", image->name, error->message);
    return store;
}

void compression_cache_close(const ImageBuild *image, PackStore *store) {
    PackStoreReport report;

    if (!store)
        return;
    pack_store_close(store, &report);
    g_autofree char *failure = report.failure;
    events_debug("%s: the cache had %" G_GUINT64_FORMAT " compressed parts, and got %" G_GUINT64_FORMAT
                 "; files removed from it: %u damaged, %u old%s%s",
            image->name, report.found, report.added, report.damaged, report.forgotten,
            failure ? "; it got nothing: " : "", failure ? failure : "");
}

gboolean compression_cache_remove(const Build *build, const ImageConfig *config, GError **error) {
    g_autofree char *directory = get_directory(build, config);

    return tree_remove(AT_FDCWD, directory, error);
}
