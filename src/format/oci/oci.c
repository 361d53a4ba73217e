/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "format/oci/oci.h"

#include <errno.h>
#include <fcntl.h>
#include <json-glib/json-glib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/errors.h"
#include "base/hex.h"
#include "base/io.h"
#include "base/sha256.h"

#define BLOBS "blobs/sha256"
#define MEDIA_INDEX "application/vnd.oci.image.index.v1+json"
#define MEDIA_MANIFEST "application/vnd.oci.image.manifest.v1+json"
#define MEDIA_CONFIG "application/vnd.oci.image.config.v1+json"
#define MEDIA_LAYER "application/vnd.oci.image.layer.v1.tar"

static gboolean make_directory(int dir_fd, const char *name, GError **error) {
    if (mkdirat(dir_fd, name, 0755) == 0 && fchmodat(dir_fd, name, 0755, 0) == 0)
        return TRUE;
    return set_errno_error(error, errno, "Cannot make the directory %s", name);
}

gboolean oci_layout_begin(int dir_fd, GError **error) {
    return make_directory(dir_fd, "blobs", error) && make_directory(dir_fd, BLOBS, error);
}

char *oci_blob_path(const char *digest) {
    return g_build_filename(BLOBS, digest, NULL);
}

static gboolean write_file(int dir_fd, const char *name, const char *text, GError **error) {
    AUTO_FD fd = openat(dir_fd, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644);

    if (fd < 0 || fchmod(fd, 0644) < 0)
        return set_errno_error(error, errno, "Cannot create %s", name);
    return pwrite_all(fd, text, strlen(text), 0, error);
}

/* ---- JSON ---- */

static void add_string(JsonBuilder *builder, const char *name, const char *value) {
    json_builder_set_member_name(builder, name);
    json_builder_add_string_value(builder, value);
}

/* "KEY=VALUE" */
static void add_pairs(JsonBuilder *builder, const char *const *pairs) {
    for (; pairs && *pairs; pairs++) {
        const char *equals = strchr(*pairs, '=');
        g_autofree char *key = equals ? g_strndup(*pairs, equals - *pairs) : g_strdup(*pairs);
        add_string(builder, key, equals ? equals + 1 : "");
    }
}

static void begin_member(JsonBuilder *builder, const char *name) {
    json_builder_set_member_name(builder, name);
    json_builder_begin_object(builder);
}

static void begin_list(JsonBuilder *builder, const char *name) {
    json_builder_set_member_name(builder, name);
    json_builder_begin_array(builder);
}

static void add_created(JsonBuilder *builder, gint64 created) {
    if (created < 0)
        return;
    g_autoptr(GDateTime) time = g_date_time_new_from_unix_utc(created);
    g_autofree char *text = time ? g_date_time_format(time, "%Y-%m-%dT%H:%M:%SZ") : NULL;
    if (text)
        add_string(builder, "created", text);
}

static void add_descriptor_members(
        JsonBuilder *builder, const char *media_type, const char *digest, guint64 size) {
    g_autofree char *full = g_strconcat("sha256:", digest, NULL);

    add_string(builder, "mediaType", media_type);
    add_string(builder, "digest", full);
    json_builder_set_member_name(builder, "size");
    json_builder_add_int_value(builder, size);
}

static void begin_document(JsonBuilder *builder, const char *media_type) {
    json_builder_begin_object(builder);
    json_builder_set_member_name(builder, "schemaVersion");
    json_builder_add_int_value(builder, 2);
    add_string(builder, "mediaType", media_type);
}

/* Ends the outermost object; owned by the caller. */
static char *end_document(JsonBuilder *builder) {
    json_builder_end_object(builder);
    g_autoptr(JsonNode) root = json_builder_get_root(builder);
    return json_to_string(root, FALSE);
}

static char *config_json(const OciImage *image, const OciLayer *layer) {
    g_autoptr(JsonBuilder) builder = json_builder_new();
    g_autofree char *diff_id = g_strconcat("sha256:", layer->diff_id, NULL);

    json_builder_begin_object(builder);
    add_created(builder, image->created);
    add_string(builder, "architecture", image->architecture);
    add_string(builder, "os", "linux");
    begin_member(builder, "config");
    begin_list(builder, "Cmd");
    for (const char *const *word = image->command; *word; word++)
        json_builder_add_string_value(builder, *word);
    json_builder_end_array(builder);
    if (image->labels && *image->labels) {
        begin_member(builder, "Labels");
        add_pairs(builder, image->labels);
        json_builder_end_object(builder);
    }
    json_builder_end_object(builder);
    begin_member(builder, "rootfs");
    add_string(builder, "type", "layers");
    begin_list(builder, "diff_ids");
    json_builder_add_string_value(builder, diff_id);
    json_builder_end_array(builder);
    json_builder_end_object(builder);
    begin_list(builder, "history");
    json_builder_begin_object(builder);
    add_created(builder, image->created);
    add_string(builder, "created_by", image->author);
    json_builder_end_object(builder);
    json_builder_end_array(builder);
    return end_document(builder);
}

static char *manifest_json(
        const OciImage *image, const OciLayer *layer, const char *config_digest, gsize config_size) {
    g_autoptr(JsonBuilder) builder = json_builder_new();
    g_autofree char *layer_type = g_strconcat(MEDIA_LAYER, layer->media_suffix, NULL);

    begin_document(builder, MEDIA_MANIFEST);
    begin_member(builder, "config");
    add_descriptor_members(builder, MEDIA_CONFIG, config_digest, config_size);
    json_builder_end_object(builder);
    begin_list(builder, "layers");
    json_builder_begin_object(builder);
    add_descriptor_members(builder, layer_type, layer->digest, layer->size);
    json_builder_end_object(builder);
    json_builder_end_array(builder);
    if (image->version || (image->annotations && *image->annotations)) {
        begin_member(builder, "annotations");
        if (image->version)
            add_string(builder, "org.opencontainers.image.version", image->version);
        add_pairs(builder, image->annotations);
        json_builder_end_object(builder);
    }
    return end_document(builder);
}

static char *index_json(const OciImage *image, const char *manifest_digest, gsize manifest_size) {
    g_autoptr(JsonBuilder) builder = json_builder_new();

    begin_document(builder, MEDIA_INDEX);
    begin_list(builder, "manifests");
    json_builder_begin_object(builder);
    add_descriptor_members(builder, MEDIA_MANIFEST, manifest_digest, manifest_size);
    if (image->reference) {
        begin_member(builder, "annotations");
        add_string(builder, "org.opencontainers.image.ref.name", image->reference);
        json_builder_end_object(builder);
    }
    json_builder_end_object(builder);
    json_builder_end_array(builder);
    return end_document(builder);
}

/* Writes TEXT as blob; its digest in hex. */
static char *write_blob(int dir_fd, const char *text, GError **error) {
    guint8 digest[SHA256_SIZE];
    sha256_buffer(text, strlen(text), digest);
    g_autofree char *hex = hex_encode(digest, sizeof digest);
    g_autofree char *path = oci_blob_path(hex);

    return write_file(dir_fd, path, text, error) ? g_steal_pointer(&hex) : NULL;
}

gboolean oci_layout_finish(int dir_fd, const OciImage *image, const OciLayer *layer, GError **error) {
    g_autofree char *config = config_json(image, layer);
    g_autofree char *config_digest = write_blob(dir_fd, config, error);
    if (!config_digest)
        return FALSE;
    g_autofree char *manifest = manifest_json(image, layer, config_digest, strlen(config));
    g_autofree char *manifest_digest = write_blob(dir_fd, manifest, error);
    if (!manifest_digest)
        return FALSE;
    g_autofree char *index = index_json(image, manifest_digest, strlen(manifest));
    return write_file(dir_fd, "index.json", index, error) &&
           write_file(dir_fd, "oci-layout", "{\"imageLayoutVersion\":\"1.0.0\"}", error);
}
