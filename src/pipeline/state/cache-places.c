/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pipeline/state/cache-places.h"

#include "sandbox/sandbox.h"

char *build_user_cache_directory(void) {
    const char *cache = g_getenv("CACHE_DIRECTORY");

    if (cache && *cache)
        return g_build_filename(cache, "mkosi", NULL);
    if (sandbox_caller_uid() == 0 && !g_getenv("XDG_CACHE_HOME"))
        return g_strdup("/var/cache/mkosi");
    return g_build_filename(g_get_user_cache_dir(), "mkosi", NULL);
}

char *build_package_cache_directory(const ImageConfig *config) {
    g_autofree char *cache = build_user_cache_directory();
    g_autofree char *key = g_strdup_printf("%s~%s~%s", distribution_to_string(config->distribution), config->release,
            architecture_to_string(config->architecture));
    return g_build_filename(config->package_cache_directory ? config->package_cache_directory : cache, key, NULL);
}

char *build_cache_directory(const Build *build, const ImageConfig *config) {
    return config->cache_directory ? g_strdup(config->cache_directory) : build_user_cache_directory();
}

char *build_layer_name(const ImageConfig *config, const char *suffix) {
    g_autofree char *key = image_config_expand_key(config, config->cache_key);
    g_autofree char *profiles = g_strjoinv("+", config->profiles);
    gboolean named = recipe_setting_origin(config, "CacheKey") || !*profiles;

    return g_strconcat(key, named ? "" : "~", named ? "" : profiles, suffix, NULL);
}
