/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The step that writes what is in the image: Output.manifest and Output.changelog. */

#include "pipeline/outputs/manifest.h"

#include <errno.h>
#include <json-glib/json-glib.h>

#include "distro/distro.h"
#include "pipeline/outputs/changelog.h"
#include "pipeline/state/output-conflicts.h"
#include "tree/tree.h"

static void add_config(JsonBuilder *builder, const ImageConfig *config) {
    json_builder_set_member_name(builder, "config");
    json_builder_begin_object(builder);
    const struct {
        const char *name, *value;
    } members[] = {
            {"name", config->image_id ? config->image_id : "image"},
            {"distribution", distribution_to_string(config->distribution)},
            {"architecture", architecture_to_string(config->architecture)},
            {"output_format", output_format_to_string(config->format)},
            {"version", config->image_version},
            {"release", config->release},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(members); i++) {
        if (!members[i].value)
            continue;
        json_builder_set_member_name(builder, members[i].name);
        json_builder_add_string_value(builder, members[i].value);
    }
    json_builder_end_object(builder);
}

static void add_package(JsonBuilder *builder, const DistroInstalled *package) {
    json_builder_begin_object(builder);
    json_builder_set_member_name(builder, "type");
    json_builder_add_string_value(builder, "deb");
    json_builder_set_member_name(builder, "name");
    json_builder_add_string_value(builder, package->name);
    json_builder_set_member_name(builder, "version");
    json_builder_add_string_value(builder, package->version);
    json_builder_set_member_name(builder, "architecture");
    json_builder_add_string_value(builder, package->architecture);
    json_builder_set_member_name(builder, "size");
    json_builder_add_int_value(builder, package->installed_size);
    json_builder_end_object(builder);
}

/* The variables of an extension-release file. */
static void add_extension(JsonBuilder *builder, const char *text) {
    g_auto(GStrv) lines = g_strsplit(text ? text : "", "\n", -1);

    json_builder_begin_object(builder);
    for (char **line = lines; *line; line++) {
        g_auto(GStrv) pair = g_strsplit(g_strstrip(*line), "=", 2);
        if (!pair[0] || !pair[1] || **line == '#')
            continue;
        g_autofree char *value = g_shell_unquote(pair[1], NULL);
        json_builder_set_member_name(builder, pair[0]);
        json_builder_add_string_value(builder, value ? value : pair[1]);
    }
    json_builder_end_object(builder);
}

static char *manifest_json(const ImageBuild *image) {
    g_autoptr(JsonBuilder) builder = json_builder_new();
    g_autoptr(JsonGenerator) generator = json_generator_new();
    g_autoptr(JsonNode) root = NULL;

    json_builder_begin_object(builder);
    json_builder_set_member_name(builder, "manifest_version");
    json_builder_add_int_value(builder, 1);
    add_config(builder, image->config);
    json_builder_set_member_name(builder, "packages");
    json_builder_begin_array(builder);
    for (guint i = 0; image->installed && i < image->installed->len; i++)
        add_package(builder, image->installed->pdata[i]);
    json_builder_end_array(builder);
    json_builder_set_member_name(builder, "extension");
    add_extension(builder, image->extension);
    json_builder_end_object(builder);

    root = json_builder_get_root(builder);
    json_generator_set_root(generator, root);
    json_generator_set_pretty(generator, TRUE);
    return json_generator_to_data(generator, NULL);
}

gboolean wants_manifest(const ImageBuild *image) {
    return image->config->manifest_format != 0;
}

static void record_extension(ImageBuild *image) {
    const ImageConfig *config = image->config;
    gboolean system = config->format == OUTPUT_FORMAT_SYSEXT;
    g_autofree char *path = g_strdup_printf(
            "%s/extension-release.d/extension-release.%s", system ? "usr/lib" : "etc", config->output);

    if (system || config->format == OUTPUT_FORMAT_CONFEXT)
        image->extension = tree_read_file(image->root_fd, path, NULL, NULL);
}

static char *package_key(const DistroInstalled *package) {
    return g_strdup_printf("%s:%s=%s", package->name, package->architecture, package->version);
}

/* What a base tree has already is not of this image. The topmost one knows about those below. */
static gboolean forget_packages_of_bases(ImageBuild *image, GError **error) {
    g_autoptr(GHashTable) known = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    g_autoptr(GPtrArray) base = NULL;

    if (!image->layers.bases || !image->layers.bases->pdata[0])
        return TRUE;
    if (!(base = distro_installed(image->distro, image->layers.bases->pdata[0], error))) {
        g_prefix_error(error, "Cannot list the packages of a base tree: ");
        return FALSE;
    }
    for (guint i = 0; i < base->len; i++)
        g_hash_table_add(known, package_key(base->pdata[i]));
    for (guint i = image->installed->len; i > 0; i--) {
        g_autofree char *key = package_key(image->installed->pdata[i - 1]);
        if (g_hash_table_contains(known, key))
            g_ptr_array_remove_index(image->installed, i - 1);
    }
    return TRUE;
}

gboolean step_record_content(ImageBuild *image, GError **error) {
    if (!forget_packages_of_bases(image, error))
        return FALSE;
    record_extension(image);
    if (image->config->manifest_format & MANIFEST_FORMAT_CHANGELOG)
        image->changelog = changelog_text(image);
    return TRUE;
}

static gboolean write_text(ImageBuild *image, const char *suffix, const char *text, GError **error) {
    g_autofree char *name = g_strconcat(image->config->output, ".", suffix, NULL);
    g_autofree char *path = g_build_filename(image->places.staging, name, NULL);
    return outputs_check_free(image, name, error) &&
           g_file_set_contents_full(path, text, -1, G_FILE_SET_CONTENTS_NONE, 0644, error);
}

gboolean step_manifest(ImageBuild *image, GError **error) {
    g_autofree char *json = NULL;

    if (image->changelog && !write_text(image, "changelog", image->changelog, error))
        return FALSE;
    if (!(image->config->manifest_format & MANIFEST_FORMAT_JSON))
        return TRUE;
    json = manifest_json(image);
    return write_text(image, "manifest", json, error);
}
