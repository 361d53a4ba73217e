/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "signer/client/leaf.h"

#include <string.h>

#include "base/hex.h"
#include "base/sha256.h"
#include "signer/client/packet.h"

GBytes *signer_leaf_entry_of(JsonObject *leaf, const char *line, gsize size) {
    g_autoptr(JsonObject) entry = NULL;
    guint8 digest[SHA256_SIZE];

    if (json_object_get_int_member_with_default(leaf, "version", 0) != 1 && !json_object_has_member(leaf, "salt"))
        return g_bytes_new(line, size);
    sha256_buffer(line, size, digest);
    g_autofree char *hex = hex_encode(digest, sizeof digest);
    entry = json_object_new();
    json_object_set_string_member(entry, "digest", hex);
    json_object_set_int_member(entry, "n", json_object_get_int_member_with_default(leaf, "n", 0));
    json_object_set_boolean_member(entry, "private", TRUE);
    json_object_set_int_member(entry, "version", SIGNER_LEAF_VERSION);
    char *text = signer_packet_to_text(entry);
    return g_bytes_new_take(text, strlen(text));
}

static gboolean is_number(JsonObject *object, const char *name) {
    JsonNode *node = json_object_get_member(object, name);
    return node && json_node_get_value_type(node) == G_TYPE_INT64;
}

GBytes *signer_leaf_entry(const char *line, gsize size, JsonObject **ret_leaf, GError **error) {
    g_autoptr(JsonObject) leaf = size < SIGNER_LEAF_SIZE_MAX ? signer_packet_parse(line, size, error) : NULL;
    g_autofree char *again = leaf ? signer_packet_to_text(leaf) : NULL;

    if (!again || strlen(again) != size || memcmp(again, line, size) != 0 || !is_number(leaf, "n") ||
            !is_number(leaf, "version")) {
        g_clear_error(error);
        g_set_error_literal(
                error, SIGNER_CLIENT_ERROR, SIGNER_CLIENT_ERROR_MALFORMED, "it is no line of a signer's log");
        return NULL;
    }
    GBytes *entry = signer_leaf_entry_of(leaf, line, size);
    if (ret_leaf)
        *ret_leaf = g_steal_pointer(&leaf);
    return entry;
}
