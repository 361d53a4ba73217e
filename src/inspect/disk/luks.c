/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "inspect/disk/luks.h"

#include <json-glib/json-glib.h>
#include <string.h>
#include <unistd.h>

#include "base/sha256.h"
#include "crypto/sources/error.h"

#define BINARY_HEADER_SIZE 4096
#define HEADER_SIZE_MAX (4u * 1024 * 1024)
#define CHECKSUM_OFFSET 448
#define CHECKSUM_SIZE 64

static gboolean set_malformed(GError **error, const char *what) {
    g_set_error(error, CRYPTO_ERROR, CRYPTO_ERROR_MALFORMED, "It is not encrypted (LUKS2): %s", what);
    return FALSE;
}

static guint64 be64(const guint8 *p) {
    guint64 value;
    memcpy(&value, p, sizeof value);
    return GUINT64_FROM_BE(value);
}

static gboolean checksum_matches(guint8 *header, gsize size) {
    guint8 stored[CHECKSUM_SIZE], computed[SHA256_SIZE];
    memcpy(stored, header + CHECKSUM_OFFSET, sizeof stored);
    memset(header + CHECKSUM_OFFSET, 0, CHECKSUM_SIZE);
    sha256_buffer(header, size, computed);
    return memcmp(stored, computed, sizeof computed) == 0;
}

static gboolean segment_is_encrypted(JsonObject *segment) {
    const char *type = json_object_get_string_member_with_default(segment, "type", "");
    const char *cipher = json_object_get_string_member_with_default(segment, "encryption", "");
    return strcmp(type, "crypt") == 0 && *cipher != '\0' && !strstr(cipher, "null");
}

/* A slot holds the key of the volume in an area of the header. */
static gboolean slot_is_encrypted(JsonObject *slot) {
    JsonNode *node = json_object_get_member(slot, "area");
    if (!node || !JSON_NODE_HOLDS_OBJECT(node))
        return FALSE;
    JsonObject *area = json_node_get_object(node);
    const char *type = json_object_get_string_member_with_default(area, "type", "");
    const char *cipher = json_object_get_string_member_with_default(area, "encryption", "");
    /* Where an interrupted change of the encryption goes on has areas of other types. */
    return strcmp(type, "raw") == 0 && *cipher != '\0' && !strstr(cipher, "null");
}

/* Whether FUNC says so of all members of the object NAME, which are at least N. */
static gboolean check_all(JsonObject *root, const char *name, guint n, gboolean (*func)(JsonObject *)) {
    JsonNode *node = json_object_get_member(root, name);
    if (!node || !JSON_NODE_HOLDS_OBJECT(node) || json_object_get_size(json_node_get_object(node)) < n)
        return FALSE;
    g_autoptr(GList) members = json_object_get_values(json_node_get_object(node));
    for (GList *at = members; at; at = at->next)
        if (!JSON_NODE_HOLDS_OBJECT(at->data) || !func(json_node_get_object(at->data)))
            return FALSE;
    return TRUE;
}

/* Every segment of the data must be encrypted, and the key to it in every slot. */
static gboolean check_metadata(const char *json, GError **error) {
    g_autoptr(JsonParser) parser = json_parser_new();
    if (!json_parser_load_from_data(parser, json, -1, NULL) ||
            !JSON_NODE_HOLDS_OBJECT(json_parser_get_root(parser)))
        return set_malformed(error, "its header is damaged");
    JsonObject *root = json_node_get_object(json_parser_get_root(parser));
    if (!check_all(root, "segments", 1, segment_is_encrypted))
        return set_malformed(error, "it has no data, or some of it is not");
    return check_all(root, "keyslots", 0, slot_is_encrypted) || set_malformed(error, "its key is not");
}

/* One of the two copies of the header, of HEADER_SIZE bytes. */
static gboolean check_copy(int fd, guint64 offset, const char *magic, guint64 header_size, GError **error) {
    g_autofree guint8 *header = g_malloc(header_size + 1);
    if (pread(fd, header, header_size, offset) != (gssize) header_size)
        return set_malformed(error, "its header cannot be read");
    header[header_size] = '\0';
    if (memcmp(header, magic, 8) != 0 || be64(header + 8) != header_size)
        return set_malformed(error, "a copy of its header is damaged");
    if (memcmp(header + 72, "sha256\0", 7) != 0 || !checksum_matches(header, header_size))
        return set_malformed(error, "the checksum of its header is wrong");
    return check_metadata((const char *) header + BINARY_HEADER_SIZE, error);
}

gboolean inspect_luks_check(int fd, guint64 offset, guint64 size, GError **error) {
    static const char first[] = "LUKS\xba\xbe\0\2", second[] = "SKUL\xba\xbe\0\2";
    guint8 start[16];
    if (size < BINARY_HEADER_SIZE || pread(fd, start, sizeof start, offset) != sizeof start ||
            memcmp(start, first, 8) != 0)
        return set_malformed(error, "there is no header");
    guint64 header_size = be64(start + 8);
    if (header_size <= BINARY_HEADER_SIZE || header_size > HEADER_SIZE_MAX || 2 * header_size > size)
        return set_malformed(error, "its header is damaged");
    return check_copy(fd, offset, first, header_size, error) &&
           check_copy(fd, offset + header_size, second, header_size, error);
}
