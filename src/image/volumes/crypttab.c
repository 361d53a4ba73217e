/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "image/volumes/luks.h"

#include <string.h>

#include "tree/tree.h"

#define CRYPTTAB "etc/crypttab"

/* "NAME UUID=... KEY-FILE OPTIONS" (crypttab(5)) of "NAME[:KEY-FILE[:OPTIONS]]". */
static void append_volume(GString *text, const PlannedPartition *partition) {
    g_auto(GStrv) fields = g_strsplit(partition->definition->encrypted_volume, ":", 3);
    g_autofree char *uuid = uuid_to_text(&partition->luks);
    const char *key = fields[0] && fields[1] && *fields[1] ? fields[1] : "-";
    const char *options = fields[0] && fields[1] && fields[2] && *fields[2] ? fields[2] : "-";

    g_string_append_printf(text, "%s UUID=%s %s %s\n", fields[0], uuid, key, options);
}

gboolean crypttab_write(const Plan *plan, int root_fd, GError **error) {
    g_autoptr(GString) text = g_string_new(NULL);
    g_autofree char *old = NULL;

    if (tree_exists(root_fd, CRYPTTAB) && !(old = tree_read_file(root_fd, CRYPTTAB, NULL, error)))
        return FALSE;
    if (old)
        g_string_append_printf(text, "%s%s", old, *old && !g_str_has_suffix(old, "\n") ? "\n" : "");
    gsize before = text->len;
    for (guint i = 0; i < plan->partitions->len; i++) {
        const PlannedPartition *partition = plan->partitions->pdata[i];
        if (partition->definition->encrypt && partition->definition->encrypted_volume)
            append_volume(text, partition);
    }
    return text->len == before || tree_write_file(root_fd, CRYPTTAB, text->str, -1, 0644, error);
}
