/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The step that writes what is in the image: Output.manifest. */

#include <json-glib/json-glib.h>

#include "build/outputs.h"

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
    json_builder_begin_object(builder);
    json_builder_end_object(builder);
    json_builder_end_object(builder);

    root = json_builder_get_root(builder);
    json_generator_set_root(generator, root);
    json_generator_set_pretty(generator, TRUE);
    return json_generator_to_data(generator, NULL);
}

gboolean step_manifest(ImageBuild *image, GError **error) {
    const ImageConfig *config = image->config;
    g_autofree char *path = NULL;
    g_autofree char *json = NULL;

    if (config->manifest_format & MANIFEST_FORMAT_CHANGELOG) {
        g_set_error(error, BUILD_ERROR, BUILD_ERROR_NOT_IMPLEMENTED,
                "ManifestFormat=changelog is not implemented yet; use json");
        return FALSE;
    }
    if (!(config->manifest_format & MANIFEST_FORMAT_JSON))
        return TRUE;
    path = g_strdup_printf("%s/%s.manifest", image->staging, config->output);
    json = manifest_json(image);
    return g_file_set_contents_full(path, json, -1, G_FILE_SET_CONTENTS_NONE, 0644, error);
}
