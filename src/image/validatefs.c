/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "image/validatefs.h"

#include <string.h>

/* Values are lists of strings, each with its NUL. */
static void append_string(GByteArray *list, const char *string) {
    g_byte_array_append(list, (const guint8 *) string, strlen(string) + 1);
}

static void set(GHashTable *attributes, const char *name, GByteArray *value) {
    g_hash_table_insert(
            attributes, g_strconcat("user.validatefs.", name, NULL), g_byte_array_free_to_bytes(value));
}

static GByteArray *mount_points(const PartitionDefinition *definition) {
    GByteArray *list = g_byte_array_new();
    const char *usual = partition_mount_point(definition->type.role);

    for (guint i = 0; i < definition->mount_points->len; i++) {
        const DefinitionPair *pair = definition->mount_points->pdata[i];
        append_string(list, pair->source);
    }
    if (list->len == 0 && usual)
        append_string(list, usual);
    return list;
}

GHashTable *validatefs_attributes(const PlannedPartition *partition) {
    const PartitionDefinition *definition = partition->definition;
    g_autofree char *type = uuid_to_text(&definition->type.uuid);
    GByteArray *labels = NULL, *types = NULL, *places = NULL;
    GHashTable *attributes;

    if (definition->add_validatefs != TRISTATE_YES)
        return NULL;
    attributes = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify) g_bytes_unref);
    labels = g_byte_array_new();
    append_string(labels, partition->label);
    set(attributes, "gpt_label", labels);
    types = g_byte_array_new();
    append_string(types, type);
    set(attributes, "gpt_type_uuid", types);
    places = mount_points(definition);
    if (places->len > 0)
        set(attributes, "mount_point", places);
    else
        g_byte_array_unref(places);
    return attributes;
}
