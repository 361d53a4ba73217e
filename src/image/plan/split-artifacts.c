/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "image/plan/split-artifacts.h"

#include "base/cleanup.h"
#include "base/errors.h"
#include "image/definitions/disk-error.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

gboolean split_artifact_wanted(const PlannedPartition *partition) {
    return g_strcmp0(partition->definition->split_name, "-") != 0;
}

static char *split_name(const PlannedPartition *partition, const Specifiers *specifiers, GError **error) {
    g_autofree char *type_uuid = uuid_to_hex(&partition->definition->type.uuid);
    g_autofree char *uuid = uuid_to_hex(&partition->uuid);
    const SplitSpecifiers split = {partition->definition->type.name, type_uuid, uuid, partition->number};

    return specifiers_expand(partition->definition->split_name ?: "%t", specifiers, &split, error);
}

gboolean split_artifacts_check(const Plan *plan, const Specifiers *specifiers, GError **error) {
    g_autoptr(GHashTable) names = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);

    for (guint i = 0; i < plan->partitions->len; i++) {
        const PlannedPartition *partition = plan->partitions->pdata[i];
        g_autofree char *name = NULL;

        if (!split_artifact_wanted(partition))
            continue;
        if (!(name = split_name(partition, specifiers, error)))
            return FALSE;
        const PlannedPartition *other = g_hash_table_lookup(names, name);
        if (other) {
            g_set_error(error, DISK_ERROR, DISK_ERROR_PLAN,
                    "%s and %s both give the split artifact \"%s\" (set SplitName=, or SplitName=- for "
                    "none)",
                    other->definition->path, partition->definition->path, name);
            return FALSE;
        }
        g_hash_table_insert(names, g_steal_pointer(&name), (gpointer) partition);
    }
    return TRUE;
}

char *split_artifact_make(const PlannedPartition *partition, const Specifiers *specifiers,
        const char *prefix, const char *content, GError **error) {
    g_autofree char *name = split_name(partition, specifiers, error);
    g_autofree char *path = name ? g_strconcat(prefix, ".", name, ".raw", NULL) : NULL;

    if (!path)
        return NULL;
    if (access(path, F_OK) == 0) {
        g_set_error(error, DISK_ERROR, DISK_ERROR_PLAN,
                "%s: the split artifact \"%s\" has the name of a file that is there already, %s (set SplitName= "
                "or OutputExtension=)",
                partition->definition->path, name, path);
        return NULL;
    }
    if (content && rename(content, path) < 0) {
        set_errno_error(error, errno, "%s", path);
        return NULL;
    }
    AUTO_FD fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | (content ? 0 : O_TRUNC), 0644);
    if (fd < 0 || ftruncate(fd, partition->size) < 0) {
        set_errno_error(error, errno, "%s", path);
        return NULL;
    }
    return g_steal_pointer(&path);
}
