/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* SupplementFor=: a definition that is merged into another one. */

#include "image/definitions/partition-definition.h"

#include "image/definitions/disk-error.h"

#include <string.h>

static PartitionDefinition *find(GPtrArray *definitions, const char *name) {
    for (guint i = 0; i < definitions->len; i++) {
        PartitionDefinition *definition = definitions->pdata[i];
        gsize length = strlen(name);

        if (strncmp(definition->name, name, length) == 0 && g_str_equal(definition->name + length, ".conf"))
            return definition;
    }
    return NULL;
}

static gboolean fail(const PartitionDefinition *supplement, const char *why, GError **error) {
    g_set_error(error, DISK_ERROR, DISK_ERROR_DEFINITION, "%s:%u: SupplementFor=%s: %s", supplement->path,
            MAX(supplement->type_line, 1), supplement->supplement_for, why);
    return FALSE;
}

static guint64 larger(guint64 a, guint64 b) {
    return a == SIZE_NOT_SET ? b : b == SIZE_NOT_SET ? a : MAX(a, b);
}

static void move_all(GPtrArray *from, GPtrArray *to) {
    while (from->len > 0)
        g_ptr_array_add(to, g_ptr_array_steal_index(from, 0));
}

static gboolean merge(PartitionDefinition *target, PartitionDefinition *supplement, GError **error) {
    target->weight = supplement->weight;
    target->padding_weight = supplement->padding_weight;
    target->size_min = larger(target->size_min, supplement->size_min);
    target->padding_min = larger(target->padding_min, supplement->padding_min);
    /* SIZE_NOT_SET is the largest number. */
    target->size_max = MIN(target->size_max, supplement->size_max);
    target->padding_max = MIN(target->padding_max, supplement->padding_max);
    move_all(supplement->copy_files, target->copy_files);
    move_all(supplement->exclude_files, target->exclude_files);
    move_all(supplement->exclude_files_target, target->exclude_files_target);
    move_all(supplement->make_directories, target->make_directories);
    move_all(supplement->subvolumes, target->subvolumes);
    if (target->size_min != SIZE_NOT_SET && target->size_min > target->size_max)
        return fail(supplement, "SizeMinBytes= and SizeMaxBytes= of the two exclude each other", error);
    return TRUE;
}

gboolean partition_definitions_merge_supplements(GPtrArray *definitions, GError **error) {
    g_autoptr(GHashTable) targets = g_hash_table_new(NULL, NULL);

    for (guint i = 0; i < definitions->len; i++) {
        PartitionDefinition *supplement = definitions->pdata[i], *target;

        if (!supplement->supplement_for)
            continue;
        if (!(target = find(definitions, supplement->supplement_for)) || target == supplement)
            return fail(supplement, "there is no other definition of that name", error);
        if (target->supplement_for)
            return fail(supplement, "that definition is a supplement itself", error);
        if (target->copy_blocks || target->verity != PARTITION_VERITY_OFF)
            return fail(supplement, "that definition has CopyBlocks= or Verity=", error);
        if (!g_hash_table_add(targets, target))
            return fail(supplement, "that definition has a supplement already", error);
        if (!merge(target, supplement, error))
            return FALSE;
    }
    for (guint i = definitions->len; i-- > 0;)
        if (((PartitionDefinition *) definitions->pdata[i])->supplement_for)
            g_ptr_array_remove_index(definitions, i);
    return TRUE;
}
