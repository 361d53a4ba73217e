/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "image/plan/fstab.h"

#include "tree/tree.h"

#include <string.h>

#define FSTAB "etc/fstab"
#define BEGIN "# Start section \u2193 of automatically generated fstab by systemd-repart\n"
#define END "# End section \u2191 of automatically generated fstab by systemd-repart\n"

/* Blanks in a field are written as in fstab(5). */
static void append_field(GString *line, const char *field) {
    for (; *field; field++)
        switch (*field) {
        case ' ':
        case '\t':
        case '\n':
        case '\\':
            g_string_append_printf(line, "\\%03o", (guint) *field);
            break;
        default:
            g_string_append_c(line, *field);
        }
}

static gboolean is_boot(PartitionRole role) {
    return role == PARTITION_ESP || role == PARTITION_XBOOTLDR;
}

static char *source(const PlannedPartition *partition) {
    g_autofree char *uuid = uuid_to_text(&partition->file_system);

    if (partition->definition->format != PARTITION_FORMAT_VFAT)
        return g_strconcat("UUID=", uuid, NULL);
    /* The volume ID of a FAT is the first half of it. */
    g_autofree char *upper = g_ascii_strup(uuid, 8);
    return g_strdup_printf("UUID=%.4s-%s", upper, upper + 4);
}

static void append_options(GString *line, const PartitionDefinition *definition) {
    PartitionRole role = definition->type.role;
    gboolean discards =
            definition->format == PARTITION_FORMAT_EXT4 || definition->format == PARTITION_FORMAT_BTRFS;

    if (is_boot(role)) {
        g_string_append(line, definition->format == PARTITION_FORMAT_VFAT ? "fmask=0177,dmask=0077," : "");
        g_string_append(line, discards ? "discard," : "");
        g_string_append(line, "rw,nodev,nosuid,noexec,nosymfollow");
    } else
        g_string_append_printf(line, "%srw,nodev,%s,exec", discards ? "discard," : "",
                role == PARTITION_TMP ? "nosuid" : "suid");
}

static void append_mounts(GString *text, const PlannedPartition *partition) {
    const PartitionDefinition *definition = partition->definition;
    g_autofree char *what = source(partition);

    for (guint i = 0; i < definition->mount_points->len; i++) {
        const DefinitionPair *pair = definition->mount_points->pdata[i];

        g_string_append_printf(text, "%s ", what);
        append_field(text, pair->source);
        g_string_append_printf(text, " %s ", partition_format_to_string(definition->format));
        append_options(text, definition);
        if (pair->target) {
            g_string_append_c(text, ',');
            append_field(text, pair->target);
        }
        /* fsck looks at the root first. */
        g_string_append_printf(text, " 0 %u\n", definition->type.role == PARTITION_ROOT ? 1u : 2u);
    }
}

/* OLD with SECTION in place of the one that it has, or in front. */
static char *insert_section(const char *old, const char *section) {
    const char *begin = strstr(old, BEGIN), *end = begin ? strstr(begin, END) : NULL;
    g_autofree char *head = end ? g_strndup(old, begin - old) : g_strdup("");

    return g_strconcat(head, BEGIN, section, END, end ? end + strlen(END) : old, NULL);
}

gboolean fstab_write(const Plan *plan, int root_fd, GError **error) {
    g_autoptr(GString) section = g_string_new(NULL);
    g_autofree char *old = NULL, *text = NULL;

    for (guint i = 0; i < plan->partitions->len; i++)
        append_mounts(section, plan->partitions->pdata[i]);
    if (section->len == 0)
        return TRUE;
    if (tree_exists(root_fd, FSTAB) && !(old = tree_read_file(root_fd, FSTAB, NULL, error)))
        return FALSE;
    text = insert_section(old ? old : "", section->str);
    return tree_write_file(root_fd, FSTAB, text, -1, 0644, error);
}
