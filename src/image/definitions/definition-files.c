/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Which files define partitions: directories, drop-ins, masks, and the built-in ones. */

#include "image/definitions/partition-definition.h"

#include "base/compare.h"
#include "base/directory.h"
#include "image/definitions/disk-error.h"

#include <string.h>

/* Collects the paths of *.conf in DIRECTORY in FILES (base name to path); a name that is there stays. */
static gboolean collect(const char *directory, gboolean optional, GHashTable *files, GError **error) {
    g_autoptr(GError) local = NULL;
    g_autoptr(GPtrArray) names = list_directory(directory, &local);

    if (!names && optional && g_error_matches(local, G_FILE_ERROR, G_FILE_ERROR_NOENT))
        return TRUE;
    if (!names) {
        g_set_error(error, DISK_ERROR, DISK_ERROR_DEFINITION,
                "reading partition definitions: %s (check RepartDirectories=)", local->message);
        return FALSE;
    }
    for (guint i = 0; i < names->len; i++) {
        const char *name = names->pdata[i];
        if (g_str_has_suffix(name, ".conf") && *name != '.' && !g_hash_table_contains(files, name))
            g_hash_table_insert(files, g_strdup(name), g_build_filename(directory, name, NULL));
    }
    return TRUE;
}

static GPtrArray *sorted_names(GHashTable *files) {
    g_autofree gpointer *keys = NULL;
    guint count;
    GPtrArray *names = g_ptr_array_new();

    keys = g_hash_table_get_keys_as_array(files, &count);
    for (guint i = 0; i < count; i++)
        g_ptr_array_add(names, keys[i]);
    g_ptr_array_sort(names, compare_strings);
    return names;
}

static GHashTable *new_files(void) {
    return g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
}

/* Reads PATH into DEFINITION. RET_MASKED: the file is empty or a link to /dev/null. */
static gboolean read_into(PartitionDefinition *definition, const char *path, const char *architecture,
        const Specifiers *specifiers, gboolean *ret_masked, GError **error) {
    g_autofree char *text = NULL;
    gsize length;

    if (!g_file_get_contents(path, &text, &length, error)) {
        g_prefix_error(error, "reading partition definition: ");
        return FALSE;
    }
    *ret_masked = length == 0;
    return partition_definition_parse(definition, path, text, length, architecture, specifiers, error);
}

static gboolean read_drop_ins(PartitionDefinition *definition, const char *const *directories,
        const char *architecture, const Specifiers *specifiers, GError **error) {
    g_autoptr(GHashTable) files = new_files();
    g_autoptr(GPtrArray) names = NULL;

    for (const char *const *directory = directories; *directory; directory++) {
        g_autofree char *drop_ins = g_strconcat(*directory, "/", definition->name, ".d", NULL);
        if (!collect(drop_ins, TRUE, files, error))
            return FALSE;
    }
    names = sorted_names(files);
    for (guint i = 0; i < names->len; i++) {
        gboolean masked;
        if (!read_into(definition, g_hash_table_lookup(files, names->pdata[i]), architecture, specifiers,
                    &masked, error))
            return FALSE;
    }
    return TRUE;
}

GPtrArray *partition_definitions_load(const char *const *directories, const char *architecture,
        const Specifiers *specifiers, GError **error) {
    g_autoptr(GPtrArray) definitions =
            g_ptr_array_new_with_free_func((GDestroyNotify) partition_definition_free);
    g_autoptr(GHashTable) files = new_files();
    g_autoptr(GPtrArray) names = NULL;

    for (const char *const *directory = directories; *directory; directory++)
        if (!collect(*directory, FALSE, files, error))
            return NULL;
    names = sorted_names(files);
    for (guint i = 0; i < names->len; i++) {
        const char *path = g_hash_table_lookup(files, names->pdata[i]);
        g_autoptr(PartitionDefinition) definition = partition_definition_new(path);
        gboolean masked;

        if (!read_into(definition, path, architecture, specifiers, &masked, error))
            return NULL;
        if (masked)
            continue;
        if (!read_drop_ins(definition, directories, architecture, specifiers, error) ||
                !partition_definition_complete(definition, specifiers, error))
            return NULL;
        g_ptr_array_add(definitions, g_steal_pointer(&definition));
    }
    if (!partition_definitions_merge_supplements(definitions, error))
        return NULL;
    if (definitions->len == 0) {
        g_set_error(error, DISK_ERROR, DISK_ERROR_DEFINITION, "no partition definitions (*.conf) in %s",
                directories[0]);
        return NULL;
    }
    return g_steal_pointer(&definitions);
}

static gboolean add_builtin(GPtrArray *definitions, const char *path, const char *text,
        const char *architecture, const Specifiers *specifiers, GError **error) {
    g_autoptr(PartitionDefinition) definition = partition_definition_new(path);

    if (!partition_definition_parse(definition, path, text, strlen(text), architecture, specifiers, error) ||
            !partition_definition_complete(definition, specifiers, error))
        return FALSE;
    g_ptr_array_add(definitions, g_steal_pointer(&definition));
    return TRUE;
}

GPtrArray *partition_definitions_builtin(
        const char *const *parts, const char *architecture, const Specifiers *specifiers, GError **error) {
    g_autoptr(GPtrArray) definitions =
            g_ptr_array_new_with_free_func((GDestroyNotify) partition_definition_free);

    for (; *parts; parts += 2) {
        g_autofree char *path = g_strconcat("(built-in) ", parts[0], NULL);
        if (!add_builtin(definitions, path, parts[1], architecture, specifiers, error))
            return NULL;
    }
    return g_steal_pointer(&definitions);
}

char **partition_definitions_default_texts(gboolean with_esp, const char *root_format) {
    GPtrArray *parts = g_ptr_array_new();

    if (with_esp) {
        g_ptr_array_add(parts, g_strdup("00-esp.conf"));
        g_ptr_array_add(
                parts, g_strdup("[Partition]\nType=esp\nFormat=vfat\nCopyFiles=/boot:/\nCopyFiles=/efi:/\n"
                                "SizeMinBytes=512M\nSizeMaxBytes=512M\n"));
    }
    g_ptr_array_add(parts, g_strdup("10-root.conf"));
    g_ptr_array_add(
            parts, g_strdup_printf("[Partition]\nType=root\nFormat=%s\nCopyFiles=/\nMinimize=guess\n",
                           root_format ? root_format : "ext4"));
    g_ptr_array_add(parts, NULL);
    return (char **) g_ptr_array_free(parts, FALSE);
}

GPtrArray *partition_definitions_default(gboolean with_esp, const char *root_format,
        const char *architecture, const Specifiers *specifiers, GError **error) {
    g_autoptr(GPtrArray) definitions =
            g_ptr_array_new_with_free_func((GDestroyNotify) partition_definition_free);
    g_auto(GStrv) parts = partition_definitions_default_texts(with_esp, root_format);

    for (char **part = parts; *part; part += 2) {
        g_autofree char *name = g_strconcat("(built-in) ", part[0], NULL);
        if (!add_builtin(definitions, name, part[1], architecture, specifiers, error))
            return NULL;
    }
    return g_steal_pointer(&definitions);
}
