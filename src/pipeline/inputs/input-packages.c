/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pipeline/inputs/input-packages.h"

#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "base/sha256.h"
#include "distro/distro.h"
#include "pipeline/inputs/input-set-private.h"
#include "pipeline/packages/packages.h"

static Value *describe_package(const DistroPackage *package) {
    Value *map = value_new_map();

    input_set_string(map, "version", package->version);
    input_set_string(map, "architecture", package->architecture);
    input_set_string(map, "file", package->file);
    input_set_string(map, "digest", package->digest);
    return map;
}

/* Several packages may have one name, for different architectures. */
static Value *describe_packages(const GPtrArray *packages) {
    Value *map = value_new_map();

    for (guint i = 0; i < packages->len; i++) {
        const DistroPackage *package = packages->pdata[i];
        g_autofree char *longer = g_strconcat(package->name, ":", package->architecture, NULL);
        value_set(map, value_has_key(map, package->name) ? longer : package->name, describe_package(package));
    }
    return map;
}

static gboolean add_packages(ImageBuild *image, Value *map, const char *key, char *const *more, GError **error) {
    if (more && !more[0])
        return TRUE;
    g_autoptr(GPtrArray) packages = packages_expect(image, more, error);
    if (!packages)
        return FALSE;
    value_set(map, key, describe_packages(packages));
    return TRUE;
}

Value *input_packages(ImageBuild *image, GError **error) {
    const ImageConfig *config = image->config;
    g_autoptr(Value) map = value_new_map();

    if (!add_packages(image, map, "install", NULL, error) ||
            (config->build_scripts[0] && !add_packages(image, map, "build", config->build_packages, error)) ||
            !add_packages(image, map, "volatile", config->volatile_packages, error))
        return NULL;
    return g_steal_pointer(&map);
}

Value *input_packages_programs(const ImageBuild *image) {
    const ImageConfig *config = image->config;
    Value *map = value_new_map();

    /* A tools tree that the recipe makes is an input of its own. */
    if (image->build->recipe->tools && config->tools_tree)
        return map;
    for (const char *const *program = distro_programs(image->distro); *program; program++) {
        g_autofree char *path = g_build_filename(config->tools_tree ? config->tools_tree : "/", *program, NULL);
        guint8 digest[SHA256_SIZE];
        if (!sha256_file(path, digest, NULL))
            continue;
        g_autofree char *hex = hex_encode(digest, sizeof digest);
        input_set_string(map, *program, hex);
    }
    return map;
}

/* Who can install what nobody named: prepare scripts always, later ones with network. */
static Value *installing_scripts(const InputSet *set, const ImageConfig *config) {
    char *const *const later[] = {config->build_scripts, config->post_installation_scripts, config->finalize_scripts};
    Value *names = value_new_list();

    for (char *const *script = config->prepare_scripts; *script; script++)
        value_append(names, value_new_string_take(input_set_name(set, *script)));
    for (size_t i = 0; config->with_network && i < G_N_ELEMENTS(later); i++)
        for (char *const *script = later[i]; *script; script++)
            value_append(names, value_new_string_take(input_set_name(set, *script)));
    return names;
}

static Value *describe_repository(const DistroRepository *repository) {
    Value *map = value_new_map();

    input_set_string(map, "url", repository->url);
    input_set_string(map, "suite", repository->suite);
    input_set_string(map, "components", repository->components);
    input_set_string(map, "metadata", repository->metadata);
    input_set_string(map, "digest", repository->digest);
    value_set(map, "images", value_new_list());
    return map;
}

/* By suite: which mirror it comes from does not matter. */
static void add_digest(Value *map, const DistroRepository *repository) {
    g_autofree char *name = g_strdup(repository->suite);

    for (guint i = 2; value_has_key(map, name); i++) {
        g_free(name);
        name = g_strdup_printf("%s (%u)", repository->suite, i);
    }
    value_set(map, name, value_new_string(repository->digest));
}

gboolean input_packages_are_chosen(const ImageConfig *config) {
    return config->prepare_scripts[0] ||
           (config->with_network &&
                   (config->build_scripts[0] || config->post_installation_scripts[0] || config->finalize_scripts[0]));
}

char *input_packages_sources(const ImageBuild *image) {
    g_autofree char *text = distro_image_configuration(image->distro);

    return text ? g_compute_checksum_for_string(G_CHECKSUM_SHA256, text, -1) : NULL;
}

gboolean input_packages_repositories(
        const InputSet *set, ImageBuild *image, Value *repositories, Value **ret_metadata, GError **error) {
    g_autoptr(GPtrArray) list = distro_list_repositories(image->distro, error);
    g_autoptr(Value) scripts = installing_scripts(set, image->config);
    g_autoptr(Value) digests = value_new_map();

    if (!list)
        return FALSE;
    for (guint i = 0; i < list->len; i++) {
        const DistroRepository *repository = list->pdata[i];
        if (!value_has_key(repositories, repository->metadata))
            value_set(repositories, repository->metadata, describe_repository(repository));
        Value *described = value_lookup(repositories, repository->metadata);
        value_append(value_lookup(described, "images"), value_new_string(image->name));
        add_digest(digests, repository);
    }
    *ret_metadata = NULL;
    if (!input_packages_are_chosen(image->config))
        return TRUE;
    *ret_metadata = value_new_map();
    value_set(*ret_metadata, "scripts", g_steal_pointer(&scripts));
    value_set(*ret_metadata, "repositories", g_steal_pointer(&digests));
    if (!image->config->with_network && packages_ignore_repositories(image))
        value_set(*ret_metadata, "unused", value_new_bool(TRUE));
    return TRUE;
}
