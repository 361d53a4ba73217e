/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kitchen/model/database/schema.h"

#include <gio/gio.h>

#include "schema-resources.h"

char *schema_step(guint version) {
    g_autofree char *path = g_strdup_printf("/kitchen/schema-%u.sql", version);
    g_autoptr(GBytes) text =
            g_resource_lookup_data(schema_get_resource(), path, G_RESOURCE_LOOKUP_FLAGS_NONE, NULL);

    g_assert(text);
    return g_strndup(g_bytes_get_data(text, NULL), g_bytes_get_size(text));
}
