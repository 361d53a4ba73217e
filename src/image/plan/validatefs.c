/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "image/plan/validatefs.h"

#include <string.h>

#include "base/compare.h"

static GPtrArray *new_list(void) {
    return g_ptr_array_new_with_free_func(g_free);
}

/* Values are sorted lists of strings, each with its NUL. */
static void set(GHashTable *attributes, const char *name, GPtrArray *strings) {
    GByteArray *value = g_byte_array_new();

    g_ptr_array_sort(strings, compare_strings);
    for (guint i = 0; i < strings->len; i++)
        if (i == 0 || !g_str_equal(strings->pdata[i], strings->pdata[i - 1]))
            g_byte_array_append(value, strings->pdata[i], strlen(strings->pdata[i]) + 1);
    g_hash_table_insert(
            attributes, g_strconcat("user.validatefs.", name, NULL), g_byte_array_free_to_bytes(value));
}

static GPtrArray *mount_points(const PartitionDefinition *definition) {
    GPtrArray *list = new_list();
    const char *usual = partition_mount_point(definition->type.role);

    for (guint i = 0; i < definition->mount_points->len; i++) {
        const DefinitionPair *pair = definition->mount_points->pdata[i];
        g_ptr_array_add(list, g_strdup(pair->source));
    }
    if (list->len == 0 && usual)
        g_ptr_array_add(list, g_strdup(usual));
    return list;
}

/* A verity volume lies on its data and its hash partition; which of them is asked about is not said. */
static void add_partition(GPtrArray *labels, GPtrArray *types, const PlannedPartition *partition) {
    if (!partition)
        return;
    g_ptr_array_add(labels, g_strdup(partition->label));
    g_ptr_array_add(types, uuid_to_text(&partition->definition->type.uuid));
}

GHashTable *validatefs_attributes(const PlannedPartition *partition) {
    g_autoptr(GPtrArray) labels = new_list(), types = new_list(), places = NULL;
    GHashTable *attributes;

    if (partition->definition->add_validatefs != TRISTATE_YES)
        return NULL;
    add_partition(labels, types, partition);
    add_partition(labels, types, partition->hash);
    add_partition(labels, types, partition->signature);
    places = mount_points(partition->definition);
    attributes = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify) g_bytes_unref);
    set(attributes, "gpt_label", labels);
    set(attributes, "gpt_type_uuid", types);
    if (places->len > 0)
        set(attributes, "mount_point", places);
    return attributes;
}
